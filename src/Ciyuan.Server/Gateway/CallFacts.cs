using System.Globalization;
using System.Text;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway;

/// <summary>A place in a body: a value that stands there, or where one would be put in.</summary>
/// <param name="Start">First byte; -1: nowhere.</param>
/// <param name="Length">Bytes; 0: between two.</param>
internal readonly record struct BodySpan(int Start, int Length)
{
    internal static BodySpan Nowhere => new(-1, 0);

    internal bool IsThere => Start >= 0;
}

/// <summary>
/// What the gateway must know of a call's body: found in one pass, with the places of what it may have to change.
/// Everything else, unknown fields included, is left as it is.
/// </summary>
internal sealed class CallFacts
{
    /// <summary>Deepest nesting of a call: schemas of tools nest deeply.</summary>
    internal const int Depth = 128;

    /// <summary>The model as asked; empty when the body names none.</summary>
    internal string Model { get; set; } = "";

    /// <summary>Where the model's name stands, without its quotes.</summary>
    internal BodySpan ModelAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Whether the answer is to be streamed.</summary>
    internal bool Streams { get; set; }

    /// <summary>Tokens of an answer, at most, as the call says; -1: it does not.</summary>
    internal long MostOutput { get; set; } = -1;

    /// <summary>How many answers, or pictures, are asked for.</summary>
    internal long Answers { get; set; } = 1;

    /// <summary>Whether the call asks for the usage at the end of a stream.</summary>
    internal bool AsksForUsage { get; set; }

    /// <summary>Value of <c>include_usage</c>, where it is there.</summary>
    internal BodySpan IncludeUsageAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Just after the brace of <c>stream_options</c>; <see cref="StreamOptionsEmpty"/> tells whether a comma
    /// is due.</summary>
    internal BodySpan StreamOptionsAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Whether <c>stream_options</c> has no field.</summary>
    internal bool StreamOptionsEmpty { get; set; }

    /// <summary>Where <c>stream_options</c> is null, which is replaced.</summary>
    internal BodySpan StreamOptionsNullAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Where a limit of the answer is null, which is replaced when one is put in.</summary>
    internal BodySpan LimitNullAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Just after the body's first brace.</summary>
    internal BodySpan RootAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Where <c>generationConfig</c> is null, which is replaced when a limit is put in.</summary>
    internal BodySpan ConfigNullAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Just after the brace of Gemini's <c>generationConfig</c>.</summary>
    internal BodySpan ConfigAt { get; set; } = BodySpan.Nowhere;

    /// <summary>Whether <c>generationConfig</c> has no field.</summary>
    internal bool ConfigEmpty { get; set; }

    /// <summary>Bytes of ASCII in the texts of the call.</summary>
    internal long AsciiBytes { get; set; }

    /// <summary>Characters that are not ASCII in the texts of the call.</summary>
    internal long WideCharacters { get; set; }

    /// <summary>Pictures in the call.</summary>
    internal long Pictures { get; set; }

    /// <summary>Things that the call only refers to.</summary>
    internal long References { get; set; }

    /// <summary>Documents of Anthropic's in the call.</summary>
    internal long Documents { get; set; }

    /// <summary>Things of Anthropic's in the call, pictures too, of which it gives the address.</summary>
    internal long Addresses { get; set; }

    /// <summary>What is wrong; null when nothing is.</summary>
    internal string? Fault { get; set; }

    /// <summary>Bytes of the body.</summary>
    internal int Bytes { get; private set; }

    /// <summary>Tokens of the input, as they are estimated where nobody counts them; see
    /// <see cref="TextMeter"/>.</summary>
    internal long EstimatedInput => TextMeter.Estimate(AsciiBytes, WideCharacters)
        + (Pictures * (GatewayLimits.TokensOfPicture / 16));

    /// <summary>
    /// Tokens of the input, at most. Vocabularies over bytes never make more tokens than there are bytes, and what a
    /// provider wraps around a message is fewer tokens than the JSON around it has bytes. What is only referred to is
    /// bounded by what a context holds.
    /// </summary>
    internal long MostInput => Bytes + (Pictures * GatewayLimits.TokensOfPicture)
        + ((References + Math.Min(Documents, Addresses)) * GatewayLimits.TokensOfReference);

    /// <summary>Reads a call's body.</summary>
    internal static CallFacts Read(in CallRoute route, ReadOnlySpan<byte> body, string? contentType)
    {
        var facts = new CallFacts { Bytes = body.Length, Model = route.Model };
        if (contentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true)
        {
            CallForm.Read(facts, body, contentType);
        }
        else
        {
            facts.ReadJson(route, body);
        }

        facts.Streams |= route.Action == "streamGenerateContent";
        if (facts.Fault is null && facts.Model.Length is 0 or > 256)
        {
            facts.Fault = "The call names no model, or one of more than 256 characters.";
        }

        return facts;
    }

    private void ReadJson(in CallRoute route, ReadOnlySpan<byte> body)
    {
        try
        {
            var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Depth });
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                Fault = "The body is no JSON object.";
                return;
            }

            RootAt = new BodySpan((int)json.BytesConsumed, 0);
            new JsonWalk(this, route).Run(ref json);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            Fault = $"The body is not JSON: {broken.Message}";
        }
    }

    /// <summary>One pass over the tokens of a body.</summary>
    private sealed class JsonWalk(CallFacts facts, CallRoute route)
    {
        private readonly HashSet<string> _seen = [];
        private string _top = "";
        private string _second = "";
        private string _name = "";
        private bool _isFilm;

        internal void Run(ref Utf8JsonReader json)
        {
            while (json.Read())
            {
                switch (json.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        NoteName(ref json);
                        break;
                    case JsonTokenType.StartObject:
                        NoteObject(ref json);
                        break;
                    case JsonTokenType.String:
                        NoteText(ref json);
                        break;
                    case JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null:
                        NoteScalar(ref json);
                        break;
                }
            }
        }

        private void NoteName(ref Utf8JsonReader json)
        {
            _name = Known(ref json);
            if (json.CurrentDepth == 1)
            {
                _name = _name == "generation_config" ? "generationConfig" : _name;
                (_top, _second) = (_name, "");
                // Of two fields with one name the upstream might take the other one.
                if (_name.Length > 0 && !_seen.Add(_name))
                {
                    facts.Fault = $"The body has '{_name}' twice.";
                }
            }
            else if (json.CurrentDepth == 2)
            {
                _second = _name;
            }

            facts.Pictures += _name is "image_url" or "inline_data" or "inlineData" ? 1 : 0;
            bool refers = _name is "file_data" or "fileData" or "file_id" or "file_uri" or "fileUri" or "file_url"
                || (json.CurrentDepth == 1 && _name is "previous_response_id" or "conversation" or "cachedContent");
            facts.References += refers ? 1 : 0;
            _isFilm |= _name is "video_url" or "audio_url";
        }

        // Only names that matter become strings; all others are the empty one.
        private static string Known(ref Utf8JsonReader json)
        {
            int known = KnownNames.Find(ref json);
            return known < 0 ? "" : Names[known];
        }

        private static readonly string[] Names =
        [
            "model", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "stream_options",
            "include_usage", "n", "best_of", "generationConfig", "generation_config", "maxOutputTokens",
            "candidateCount", "image_url", "inline_data", "inlineData", "file_data", "fileData",
            "file_id", "file_uri", "fileUri", "file_url", "previous_response_id", "conversation", "cachedContent",
            "data", "url", "role", "type", "source", "top_n", "candidate_count", "background",
            "video_url", "audio_url",
        ];

        private static readonly JsonNames KnownNames = new(Names);

        private void NoteObject(ref Utf8JsonReader json)
        {
            int after = (int)json.BytesConsumed;
            bool empty = NextIsBrace(json);
            if (json.CurrentDepth == 1 && _top == "stream_options")
            {
                (facts.StreamOptionsAt, facts.StreamOptionsEmpty) = (new BodySpan(after, 0), empty);
            }

            if (json.CurrentDepth == 1 && _top == "generationConfig")
            {
                (facts.ConfigAt, facts.ConfigEmpty) = (new BodySpan(after, 0), empty);
            }
        }

        // A copy of the reader looks ahead.
        private static bool NextIsBrace(Utf8JsonReader json) =>
            json.Read() && json.TokenType == JsonTokenType.EndObject;

        private void NoteText(ref Utf8JsonReader json)
        {
            if (json.CurrentDepth == 1 && _top == "model" && route.Model.Length == 0)
            {
                facts.Model = json.GetString()!;
                facts.ModelAt = new BodySpan((int)json.TokenStartIndex + 1, json.ValueSpan.Length);
                return;
            }

            if (json.CurrentDepth == 1 && (IsLimit(_top) || _top is "n" or "best_of"))
            {
                facts.Fault = $"'{_top}' must be a whole number, not a text.";
                return;
            }

            if (json.CurrentDepth == 2 && _top == "generationConfig")
            {
                NoteConfig(ReadWhole(json.ValueSpan)); // Google takes numbers as texts too
            }

            NoteFilm(ref json);
            if (_name == "type")
            {
                NoteType(ref json);
            }

            if (_name is "data" or "url" or "role" or "type" or "file_data" or "image_url" or "video_url"
                or "audio_url")
            {
                return;
            }

            (long ascii, long wide) = TextMeter.Measure(json.ValueSpan);
            facts.AsciiBytes += ascii;
            facts.WideCharacters += wide;
        }

        private void NoteFilm(ref Utf8JsonReader json)
        {
            if (_isFilm && _name is "url" or "video_url" or "audio_url")
            {
                // What is there is bounded by its bytes.
                facts.References += json.ValueSpan.StartsWith("data:"u8) ? 0 : 1;
                _isFilm = false;
            }
        }

        // Anthropic and Responses name a picture by its type, Anthropic a document and where either lies too.
        private void NoteType(ref Utf8JsonReader json)
        {
            facts.Pictures += json.ValueTextEquals("image"u8) ? 1 : 0;
            facts.Documents += json.ValueTextEquals("document"u8) ? 1 : 0;
            facts.Addresses += json.ValueTextEquals("url"u8) ? 1 : 0;
        }

        private void NoteScalar(ref Utf8JsonReader json)
        {
            bool number = json.TokenType == JsonTokenType.Number;
            long value = number && json.TryGetInt64(out long whole) ? whole : -1;
            var at = new BodySpan((int)json.TokenStartIndex, json.ValueSpan.Length);
            if (json.CurrentDepth == 1)
            {
                NoteTop(json.TokenType, number, value, at);
            }
            else if (json.CurrentDepth == 2 && _top == "stream_options" && _second == "include_usage")
            {
                facts.AsksForUsage = json.TokenType == JsonTokenType.True;
                facts.IncludeUsageAt = at;
            }
            else if (json.CurrentDepth == 2 && _top == "generationConfig" && number)
            {
                NoteConfig(ReadWhole(json.ValueSpan));
            }
            else if (json.CurrentDepth == 2 && _top == "generationConfig" && json.TokenType == JsonTokenType.Null
                && _second is "maxOutputTokens" or "max_output_tokens")
            {
                facts.LimitNullAt = at;
            }
            else if (number && _name.Length == 0 && route.Kind is CallKind.Embeddings or CallKind.Completions)
            {
                facts.AsciiBytes += 4; // a token, said by its number
            }
        }

        // Of a field that is there twice, under either name, the larger value holds.
        private void NoteConfig(long value)
        {
            switch (_second)
            {
                case "maxOutputTokens" or "max_output_tokens":
                    facts.MostOutput = Math.Max(facts.MostOutput, value);
                    break;
                case "candidateCount" or "candidate_count":
                    facts.Answers = Math.Max(facts.Answers, value);
                    break;
                default:
                    return;
            }

            facts.Fault = value < 0 ? $"'{_second}' must be a whole number of 0 or more." : facts.Fault;
        }

        /// <summary>A whole number in any way to write one, as 5e3; -1: it is none, or not from 0 to 10¹⁵.</summary>
        private static long ReadWhole(ReadOnlySpan<byte> text) =>
            decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number)
                && number is >= 0 and <= 1_000_000_000_000_000 && number == decimal.Truncate(number)
                    ? (long)number
                    : -1;

        // A limit under the name of another interface limits nothing.
        private bool IsLimit(string name) => name switch
        {
            "max_tokens" => route.Kind is CallKind.Chat or CallKind.Completions,
            "max_completion_tokens" => route is { Kind: CallKind.Chat, Protocol: UpstreamProtocol.OpenAI },
            "max_output_tokens" => route.Kind == CallKind.Responses,
            _ => false,
        };

        private void NoteTop(JsonTokenType type, bool number, long value, BodySpan at)
        {
            switch (_top)
            {
                case "stream":
                    facts.Streams = type == JsonTokenType.True;
                    break;
                case "max_tokens" or "max_completion_tokens" or "max_output_tokens" when number && IsLimit(_top):
                    facts.MostOutput = Math.Max(facts.MostOutput, value);
                    facts.Fault = value < 0 ? $"'{_top}' must be a whole number of 0 or more." : facts.Fault;
                    break;
                case "max_tokens" or "max_completion_tokens" or "max_output_tokens"
                    when type == JsonTokenType.Null && IsLimit(_top):
                    facts.LimitNullAt = at;
                    break;
                case "n" or "best_of" when number:
                    facts.Answers = Math.Max(facts.Answers, value);
                    facts.Fault = value < 1 ? $"'{_top}' must be a whole number of 1 or more." : facts.Fault;
                    break;
                case "background" when type == JsonTokenType.True && route.Kind == CallKind.Responses:
                    facts.Fault = "'background' is not for this gateway: what is made later could not be counted. "
                        + "Leave it out, and stream a long answer.";
                    break;
                case "generationConfig" when type == JsonTokenType.Null:
                    facts.ConfigNullAt = at;
                    break;
                case "stream_options" when type == JsonTokenType.Null:
                    facts.StreamOptionsNullAt = at;
                    break;
            }
        }
    }
}
