namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Who speaks a turn.</summary>
internal enum Speaker
{
    User,
    Model,
}

/// <summary>What a medium is.</summary>
internal enum MediaKind
{
    Image,
    Document,
    Audio,
}

/// <summary>Whether and which tools the model may or must call.</summary>
internal enum ToolChoiceKind
{
    Auto,
    None,
    Any,
    Named,
}

/// <summary>A value that the caller said, and where, so that what can't be carried is refused by its name.</summary>
/// <param name="Value">The value.</param>
/// <param name="Path">Where it stood in the caller's body.</param>
internal readonly record struct Said<T>(T Value, string Path);

/// <summary>
/// A proof that a model's thoughts are its own, opaque, to be given back to the one who made it and to nobody else.
/// </summary>
/// <param name="Maker">Whose: <c>a</c> Anthropic, <c>r</c> Anthropic's redacted thoughts, <c>g</c> Gemini, <c>o</c> an
/// upstream of OpenAI's protocol that wants its thoughts back, and has no proof of them.</param>
/// <param name="Data">The proof as its maker wrote it.</param>
internal readonly record struct Signature(char Maker, string Data)
{
    internal const char Anthropic = 'a';
    internal const char Redacted = 'r';
    internal const char Gemini = 'g';
    internal const char OpenAI = 'o';
}

/// <summary>A part of a turn.</summary>
/// <param name="Path">Where it stood in the caller's body.</param>
internal abstract record Part(string Path);

/// <summary>Text.</summary>
internal sealed record TextPart(string Path, string Text) : Part(Path);

/// <summary>A picture, a document or sound.</summary>
/// <param name="Path">Where it stood.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Type">Its media type; empty when the caller did not say it.</param>
/// <param name="Data">Base 64, or the address when <paramref name="IsAddress"/>, in UTF-8.</param>
/// <param name="IsAddress">Whether the data lie at an address.</param>
/// <param name="Name">Name of a document; empty: none.</param>
internal sealed record MediaPart(
    string Path, MediaKind Kind, string Type, ReadOnlyMemory<byte> Data, bool IsAddress, string Name = "") : Part(Path);

/// <summary>The model calls a tool.</summary>
/// <param name="Path">Where it stood.</param>
/// <param name="Id">Its id.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">A JSON object.</param>
/// <param name="Signatures">Proofs of the thoughts that led to it.</param>
internal sealed record CallPart(
    string Path, string Id, string Name, string Arguments, params Signature[] Signatures) : Part(Path);

/// <summary>What a tool gave.</summary>
/// <param name="Path">Where it stood.</param>
/// <param name="Id">Id of the call.</param>
/// <param name="Name">The tool.</param>
/// <param name="Content">Texts and media.</param>
/// <param name="IsError">Whether the tool failed.</param>
internal sealed record ResultPart(
    string Path, string Id, string Name, IReadOnlyList<Part> Content, bool IsError) : Part(Path);

/// <summary>What the model thought.</summary>
/// <param name="Path">Where it stood.</param>
/// <param name="Text">Its words; may be empty where the proof alone is shown.</param>
/// <param name="Proof">Its proof; null: none.</param>
internal sealed record ThoughtPart(string Path, string Text, Signature? Proof) : Part(Path);

/// <summary>What one side said.</summary>
internal sealed record Turn(Speaker Speaker, List<Part> Parts);

/// <summary>A tool that the model may call.</summary>
/// <param name="Path">Where it stood.</param>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does; empty: unsaid.</param>
/// <param name="Schema">JSON Schema of its arguments; null: none.</param>
/// <param name="Strict">Whether arguments must keep to the schema; null: unsaid.</param>
internal sealed record ToolSpec(string Path, string Name, string Description, string? Schema, bool? Strict);

/// <summary>Whether and which tools the model may or must call.</summary>
/// <param name="Kind">Whether.</param>
/// <param name="Names">Which; empty: all.</param>
internal sealed record ToolChoice(ToolChoiceKind Kind, params string[] Names);

/// <summary>The form of the answer: JSON.</summary>
/// <param name="Name">Name of the schema; empty: none.</param>
/// <param name="Schema">JSON Schema; null: any object.</param>
/// <param name="Strict">Whether the answer must keep to the schema; null: unsaid.</param>
internal sealed record AnswerForm(string Name, string? Schema, bool? Strict);

/// <summary>How much the model is to think before it answers.</summary>
internal sealed record Thinking
{
    /// <summary>That it is not to.</summary>
    internal bool IsOff { get; init; }

    /// <summary>How hard: minimal, low, medium, high, xhigh, max; empty: unsaid.</summary>
    internal string Effort { get; init; } = "";

    /// <summary>Tokens, at most; null: unsaid.</summary>
    internal long? Budget { get; init; }

    /// <summary>Whether the thoughts are to be shown; null: unsaid.</summary>
    internal bool? Shows { get; init; }
}

/// <summary>
/// A call in no protocol's words: what one of the three readers found, and one of the three writers says again.
/// </summary>
internal sealed class Exchange
{
    /// <summary>What the operator of the conversation says first.</summary>
    internal List<TextPart> System { get; } = [];

    /// <summary>The turns; two in a row are never of one speaker.</summary>
    internal List<Turn> Turns { get; } = [];

    internal List<ToolSpec> Tools { get; } = [];

    internal Said<ToolChoice>? Choice { get; set; }

    /// <summary>Whether several tools may be called at one time.</summary>
    internal Said<bool>? Parallel { get; set; }

    /// <summary>Tokens of the answer, at most.</summary>
    internal Said<long>? MostOutput { get; set; }

    /// <summary>How many answers.</summary>
    internal Said<long>? Answers { get; set; }

    internal Said<double>? Temperature { get; set; }

    internal Said<double>? TopP { get; set; }

    internal Said<double>? TopK { get; set; }

    internal Said<double>? PresencePenalty { get; set; }

    internal Said<double>? FrequencyPenalty { get; set; }

    internal Said<long>? Seed { get; set; }

    /// <summary>Texts at which the answer ends.</summary>
    internal Said<string[]>? Stops { get; set; }

    internal Said<AnswerForm>? Form { get; set; }

    internal Said<Thinking>? Thinking { get; set; }

    /// <summary>Whose end user asks.</summary>
    internal Said<string>? User { get; set; }

    /// <summary>Whether events are asked for.</summary>
    internal bool Streams { get; set; }

    /// <summary>Fields that were left out since nothing depends on them, in order.</summary>
    internal SortedSet<string> Dropped { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds a part to the turn of its speaker.</summary>
    internal void Add(Speaker speaker, Part part)
    {
        if (Turns.Count == 0 || Turns[^1].Speaker != speaker)
        {
            Turns.Add(new Turn(speaker, []));
        }

        Turns[^1].Parts.Add(part);
    }

    /// <summary>Notes that a setting is left out, if it was said.</summary>
    internal void Drop<T>(Said<T>? setting)
    {
        if (setting is { } said)
        {
            Dropped.Add(said.Path);
        }
    }

    /// <summary>The model's turn that a result answers ends before it; its calls, in order.</summary>
    internal static List<string> IdsOf(Turn? turn) =>
        turn is null ? [] : [.. turn.Parts.OfType<CallPart>().Select(c => c.Id)];
}
