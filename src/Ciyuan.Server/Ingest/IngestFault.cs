namespace Ciyuan.Server.Ingest;

/// <summary>Why an input was refused. The names in snake case stand in reject files and answers: never change
/// one.</summary>
public enum IngestCode : byte
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>Not JSON, not UTF-8, or not a JSON object.</summary>
    NotJson = 1,

    /// <summary>Longer than the limit.</summary>
    TooLong = 2,

    /// <summary>A field that this format does not know. Nothing is dropped silently.</summary>
    UnknownField = 3,

    /// <summary>A field that is needed is not there.</summary>
    Missing = 4,

    /// <summary>A field's value is not what the field takes.</summary>
    BadValue = 5,

    /// <summary>A field or a class is given twice.</summary>
    Duplicate = 6,

    /// <summary>Beyond a limit of usage records.</summary>
    Limit = 7,

    /// <summary>Two places say different things of the same field.</summary>
    Contradiction = 8,

    /// <summary>A kind of event or encoding that is not read here.</summary>
    Unsupported = 9,

    /// <summary>Not a row of the CSV file: quotes or the number of fields are wrong.</summary>
    NotCsv = 10,
}

/// <summary>A refusal of one input.</summary>
/// <param name="Code">Why.</param>
/// <param name="Field">The field; empty when no single one is to blame.</param>
/// <param name="Reason">What is wrong and what would be right.</param>
public readonly record struct IngestFault(IngestCode Code, string Field, string Reason)
{
    /// <summary>The code in snake case.</summary>
    public string CodeName => Code switch
    {
        IngestCode.NotJson => "not_json",
        IngestCode.TooLong => "too_long",
        IngestCode.UnknownField => "unknown_field",
        IngestCode.Missing => "missing",
        IngestCode.BadValue => "bad_value",
        IngestCode.Duplicate => "duplicate",
        IngestCode.Limit => "limit",
        IngestCode.Contradiction => "contradiction",
        IngestCode.Unsupported => "unsupported",
        IngestCode.NotCsv => "not_csv",
        _ => "none",
    };

    /// <summary>Field and reason in one sentence.</summary>
    public string Message => string.IsNullOrEmpty(Field) ? Reason : $"{Field}: {Reason}";

    /// <inheritdoc/>
    public override string ToString() => $"{CodeName}: {Message}";
}
