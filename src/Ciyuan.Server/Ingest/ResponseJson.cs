using System.Text;
using System.Text.Json;
using Ciyuan.Counting;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>
/// Reads raw responses of providers: an envelope that says who called, around the response or the events of one; or the
/// response alone where constants say the rest. The convention's reader makes classes of its usage; what it finds odd
/// goes along as grade and tags. docs/INGEST.md describes it.
/// </summary>
/// <remarks>Not safe for several threads: each has its own.</remarks>
public sealed class ResponseJson(ResponseConstants constants)
{
    /// <summary>Longest envelope in bytes.</summary>
    public const int MaxBytes = UsageJson.MaxBytes;

    /// <summary>How deep a response may be with its envelope: far above any, and far below the end of a
    /// stack.</summary>
    internal const int MaxDepth = 128;

    private const string ByShape = "detect";

    // The part names of the envelope that are not those of a usage record.
    private static readonly string[] OwnFields = ["response", "events", "flavour", "api", "cache"];

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    private readonly RecordBuilder _builder = new();
    private readonly Dictionary<string, JsonElement> _own = [];

    /// <summary>Reads a line.</summary>
    /// <param name="json">One JSON object.</param>
    /// <param name="records">Receives the record; and one for each other model that the response has usage
    /// of.</param>
    /// <param name="fault">Why it was refused.</param>
    /// <returns>False when refused; then nothing was added.</returns>
    public bool TryParse(ReadOnlySpan<byte> json, List<UsageRecord> records, out IngestFault fault)
    {
        bool done = TryRead(json, out UsageReading? reading) && TryFill(reading!)
            && TryBuild(reading!, records);
        fault = _builder.Fault;
        return done;
    }

    /// <summary>Reads the usage of a line alone: nobody has to be named.</summary>
    /// <param name="json">One JSON object.</param>
    /// <param name="response">What it says; null when there is no usage to look at.</param>
    /// <param name="fault">Why there is none.</param>
    public bool TryRead(ReadOnlySpan<byte> json, out RatedResponse? response, out IngestFault fault)
    {
        bool done = TryRead(json, out UsageReading? reading);
        fault = _builder.Fault;
        response = reading is null ? null : new RatedResponse(
            reading, _builder.IsGiven(UsageField.Time) ? _builder.Time : reading.Created,
            Encoding.UTF8.GetString(_builder.Part(UsageField.Provider)),
            Encoding.UTF8.GetString(_builder.Part(UsageField.Model)), _builder.Tags.ToArray());
        return done || reading is not null;
    }

    /// <summary>The place of a cache by its name; null when there is no such name.</summary>
    internal static CachePlace? FindCachePlace(string name) => name switch
    {
        "within" => CachePlace.Within,
        "beside" => CachePlace.Beside,
        _ => null,
    };

    private bool TryRead(ReadOnlySpan<byte> json, out UsageReading? reading)
    {
        reading = null;
        _builder.Reset();
        _own.Clear();
        if (json.Length > MaxBytes)
        {
            return _builder.Refuse(
                IngestCode.TooLong, "",
                    $"a response has at most {MaxBytes} bytes with its envelope, this has {json.Length}");
        }

        try
        {
            var reader = new Utf8JsonReader(json, ReaderOptions);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement root = document.RootElement;
            bool isStream = root.ValueKind == JsonValueKind.Array && constants.AllowsBare;
            if (reader.Read() || !(isStream || root.ValueKind == JsonValueKind.Object))
            {
                return _builder.Refuse(IngestCode.NotJson, "", "must be a JSON object");
            }

            return (isStream || TryReadEnvelope(root)) && TryReadUsage(root, out reading);
        }
        catch (JsonException broken)
        {
            return _builder.Refuse(IngestCode.NotJson, "", $"is not JSON at byte {broken.BytePositionInLine}: "
                + "a quote, comma or bracket is missing or too many, or it is nested too deeply");
        }
        catch (InvalidOperationException)
        {
            return _builder.Refuse(
                IngestCode.NotJson, "", "has text that is not UTF-8, or half of an escaped character");
        }
    }

    // An envelope has a response or events, and nothing that an envelope does not have: a provider may well have a
    // field named response.
    private bool TryReadEnvelope(JsonElement root)
    {
        bool wraps = root.TryGetProperty("response", out _) || root.TryGetProperty("events", out _);
        string? foreign = root.EnumerateObject().Select(p => p.Name).FirstOrDefault(name => !IsField(name));
        if (!wraps || foreign is not null)
        {
            // What names a source is meant as an envelope: with a misspelt field it must not pass for a response.
            bool isMeant = wraps && root.TryGetProperty("source", out _);
            return (constants.AllowsBare && !isMeant) || (wraps
                ? _builder.Refuse(IngestCode.UnknownField, foreign![..Math.Min(foreign!.Length, 64)],
                    "is not a field of an envelope: put it under tags")
                : _builder.Refuse(IngestCode.Missing, "response",
                    "is missing, and so are events; without an envelope set source and provider for all"));
        }

        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!(Array.IndexOf(OwnFields, property.Name) >= 0 ? TryTakeOwn(property) : TryTakeField(property)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsField(string name) => Array.IndexOf(OwnFields, name) >= 0
        || UsageNames.FindField(Encoding.UTF8.GetBytes(name)) != UsageField.None;

    private bool TryTakeOwn(JsonProperty property)
    {
        if (!_own.TryAdd(property.Name, property.Value))
        {
            return _builder.Refuse(IngestCode.Duplicate, property.Name, "is given twice");
        }

        JsonValueKind kind = property.Value.ValueKind;
        bool fits = property.Name switch
        {
            "response" => kind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null,
            "events" => kind is JsonValueKind.Array or JsonValueKind.Null,
            _ => kind is JsonValueKind.String or JsonValueKind.Null,
        };
        return fits || _builder.Refuse(IngestCode.BadValue, property.Name, property.Name switch
        {
            "response" => "must be a JSON object, or an array of the parts of one",
            "events" => "must be an array of the events' data",
            _ => "must be a string",
        });
    }

    private bool TryTakeField(JsonProperty property)
    {
        UsageField field = UsageNames.FindField(Encoding.UTF8.GetBytes(property.Name));
        if (field is UsageField.Counts or UsageField.Units or UsageField.Grade or UsageField.Grades
            or UsageField.ModelAnswered)
        {
            return _builder.Refuse(IngestCode.UnknownField, property.Name, "is not given: the response says it");
        }

        if (property.Value.ValueKind == JsonValueKind.Null)
        {
            return true; // as good as absent
        }

        if (!_builder.TryTake(field))
        {
            return false;
        }

        return property.Value.ValueKind switch
        {
            JsonValueKind.Object when field == UsageField.Tags => TryTakeTags(property.Value),
            JsonValueKind.Number when field == UsageField.LatencyMs =>
                _builder.TrySetLatency(property.Value.TryGetInt64(out long latency) ? latency : -1),
            JsonValueKind.String when field is not (UsageField.Tags or UsageField.LatencyMs) =>
                _builder.TrySetText(field, Encoding.UTF8.GetBytes(property.Value.GetString()!)),
            _ => _builder.Refuse(IngestCode.BadValue, property.Name, field switch
            {
                UsageField.Tags => "must be an object",
                UsageField.LatencyMs => "must be a whole number",
                _ => "must be a string",
            }),
        };
    }

    private bool TryTakeTags(JsonElement tags)
    {
        foreach (JsonProperty tag in tags.EnumerateObject())
        {
            if (tag.Value.ValueKind != JsonValueKind.Null && !(tag.Value.ValueKind == JsonValueKind.String
                ? TryAddTag(tag.Name, tag.Value.GetString()!)
                : _builder.Refuse(IngestCode.BadValue, $"tags.{tag.Name}", "must be a string")))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryReadUsage(JsonElement root, out UsageReading? reading)
    {
        reading = null;
        bool hasResponse = _own.TryGetValue("response", out JsonElement body) && body.ValueKind != JsonValueKind.Null;
        bool hasEvents = _own.TryGetValue("events", out JsonElement events) && events.ValueKind == JsonValueKind.Array;
        if (hasResponse && hasEvents)
        {
            return _builder.Refuse(IngestCode.Contradiction, "events", "and response are both there: give one");
        }

        // An array is one response in parts, as Google streams it where nobody asks for server-sent events.
        JsonElement whole = hasEvents ? events : hasResponse ? body : root;
        bool isStream = whole.ValueKind == JsonValueKind.Array;
        if (!TryApplyConstants() || FindReader(isStream ? null : whole) is not { } reader)
        {
            return false;
        }

        string cache = Own("cache");
        if (cache.Length > 0 && FindCachePlace(cache) is null)
        {
            return _builder.Refuse(IngestCode.BadValue, "cache", "must be within or beside");
        }

        var options = new ReadingOptions(FindCachePlace(cache) ?? constants.Cache);
        reading = isStream ? ReadEvents(reader, whole, options) : reader.Read(whole, options);
        return reading.Refusal is not { } refusal
            || _builder.Refuse(CodeOf(refusal.Code), refusal.Path, refusal.Text);
    }

    private bool TryApplyConstants()
    {
        foreach ((UsageField field, byte[] value) in constants.Texts)
        {
            bool isGiven = _builder.IsGiven(field);
            if (!isGiven && !(_builder.TryTake(field) && _builder.TrySetText(field, value)))
            {
                return false;
            }
        }

        return constants.Tags.TrueForAll(tag => _builder.TryAddTag(tag.Name, tag.Value));
    }

    // Which convention is never guessed: named, or looked for by shape because that was asked for.
    private UsageReader? FindReader(JsonElement? body)
    {
        string api = Own("api") is { Length: > 0 } own ? own : constants.Api;
        string flavour = Own("flavour") is { Length: > 0 } named ? named : constants.Flavour;
        string provider = Encoding.UTF8.GetString(_builder.Part(UsageField.Provider));
        if (api == ByShape)
        {
            UsageReader? found = body is { } whole ? UsageReaders.Detect(whole) : null;
            _ = found is not null || _builder.Refuse(IngestCode.Unsupported, "api",
                "no convention is known by this shape: "
                + "name it as provider/flavour");
            return found;
        }

        if (api.Length > 0)
        {
            int slash = api.IndexOf('/', StringComparison.Ordinal);
            (provider, flavour) = slash < 0 ? (api, "") : (api[..slash], api[(slash + 1)..]);
        }

        if (UsageReaders.Find(provider, flavour) is { } reader)
        {
            return reader;
        }

        IReadOnlyList<string> flavours = UsageReaders.FlavoursOf(provider);
        _builder.Refuse(
            provider.Length == 0 ? IngestCode.Missing : IngestCode.Unsupported,
            flavours.Count > 0 ? "flavour" : "provider", provider.Length == 0
                ? "is missing: it says how the response is to be read"
                : flavours.Count > 0 ? $"'{flavour}' of {provider} is not known: {string.Join(", ", flavours)}"
                : Render.NearNames.Unknown("reader for provider", provider, UsageReaders.Providers)
                    + " Or name a convention by api, such as openai/chat");
        return null;
    }

    private static UsageReading ReadEvents(UsageReader reader, JsonElement events, ReadingOptions options)
    {
        StreamReading stream = reader.OpenStream(options);
        foreach (JsonElement data in events.EnumerateArray())
        {
            if (data.ValueKind == JsonValueKind.String)
            {
                stream.Add(Encoding.UTF8.GetBytes(data.GetString()!)); // the data as it came
            }
            else
            {
                stream.Add(data);
            }
        }

        return stream.Finish();
    }

    private bool TryFill(UsageReading reading)
    {
        if (_builder.Id.Length == 0 && reading.ResponseId.Length > 0
            && !_builder.TrySetText(UsageField.Id, Encoding.UTF8.GetBytes(reading.ResponseId)))
        {
            return false;
        }

        if (!_builder.IsGiven(UsageField.Time) && reading.Created is { } created)
        {
            _builder.SetTime(created);
        }

        if (!_builder.IsGiven(UsageField.Outcome))
        {
            _builder.SetOutcome(reading.Outcome);
        }

        foreach (Count count in reading.Counts)
        {
            if (!_builder.TryAddCount(count.Meter, count.Steps) || !_builder.TryAddGrade(count.Meter, count.Grade))
            {
                return false;
            }
        }

        return _builder.TrySetText(UsageField.ModelAnswered, Encoding.UTF8.GetBytes(reading.Model))
            && Array.TrueForAll(TagsOf(reading), tag =>
                _builder.Tags.Contains(tag) || TryAddTag(tag.Name, tag.Value)); // both may say the same
    }

    private bool TryBuild(UsageReading reading, List<UsageRecord> records)
    {
        if (!_builder.TryBuild(out UsageRecord? record))
        {
            return false;
        }

        int first = records.Count;
        records.Add(record!);
        foreach (UsageReading other in reading.Others)
        {
            UsageRecord next = new()
            {
                Id = $"{record!.Id}#{records.Count - first + 1}",
                Context = record.Context with { ModelAnswered = other.Model },
                EventTime = record.EventTime,
                Outcome = record.Outcome,
                Counts = other.Counts,
                Tags = TagsOf(other),
            };
            if ((other.Refusal?.ToString() ?? next.FindFault()) is { } fault)
            {
                records.RemoveRange(first, records.Count - first);
                return _builder.Refuse(IngestCode.BadValue, "response",
                    $"has usage of {other.Model} that can't be taken: {fault}");
            }

            records.Add(next);
        }

        return true;
    }

    // What was odd, and what the provider says it costs, stay with the record: they are evidence.
    private static Tag[] TagsOf(UsageReading reading)
    {
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (Tag tag in reading.Tags)
        {
            tags[tag.Name] = tag.Value;
        }

        if (reading.Findings.Count > 0)
        {
            tags["findings"] = string.Join(' ', reading.Findings.Select(f => f.CodeName).Distinct().Take(8));
        }

        if (reading.StatedCost is { } cost)
        {
            tags["stated_cost"] = $"{cost.Amount} {cost.Currency}";
        }

        return [.. tags.Select(t => new Tag(t.Key, t.Value))];
    }

    private bool TryAddTag(string name, string value) =>
        _builder.TryAddTag(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));

    private string Own(string name) =>
        _own.TryGetValue(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()!
            : "";

    private static IngestCode CodeOf(FindingCode code) => code switch
    {
        FindingCode.NoUsage or FindingCode.MissingCount => IngestCode.Missing,
        FindingCode.NotJson => IngestCode.NotJson,
        FindingCode.Duplicate => IngestCode.Duplicate,
        FindingCode.DetailsExceedWhole or FindingCode.SeveralResponses => IngestCode.Contradiction,
        _ => IngestCode.BadValue,
    };
}
