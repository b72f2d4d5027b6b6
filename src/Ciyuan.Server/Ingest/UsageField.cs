using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>The fields of a usage record as it is read. The first ten are the parts of <see cref="UsageContext"/>, in
/// its order, so that the number is the part.</summary>
internal enum UsageField : byte
{
    Source,
    Party,
    Project,
    Key,
    Scenario,
    Model,
    ModelAnswered,
    Provider,
    Site,
    Operation,
    Id,
    Time,
    Outcome,
    LatencyMs,
    Counts,
    Units,
    Grade,
    Grades,
    Tags,
    Hold,

    // Only in the data of CloudEvents that count tokens in the short form.
    Tokens,
    Type,
    PromptTokens,
    CompletionTokens,
    TotalTokens,
    None,
}

/// <summary>Names of fields, meters, grades and outcomes in UTF-8.</summary>
internal static class UsageNames
{
    private static readonly string[] FieldNames =
    [
        "source", "party", "project", "key", "scenario", "model", "model_answered", "provider", "site", "operation",
        "id",
        "time", "outcome", "latency_ms", "counts", "units", "grade", "grades", "tags", "hold",
        "tokens", "type", "prompt_tokens", "completion_tokens", "total_tokens",
    ];

    private static readonly ByteTable<Meter> Meters = MakeMeters();

    internal static string Name(this UsageField field) => FieldNames[(int)field];

    /// <summary>The field of a usage record with this name; <see cref="UsageField.None"/> when there is none.</summary>
    internal static UsageField FindField(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Is(name, "id"u8, UsageField.Id),
        3 => Is(name, "key"u8, UsageField.Key),
        4 => name[1] switch
        {
            (byte)'i' => name[0] == 't' ? Is(name, "time"u8, UsageField.Time) : Is(name, "site"u8, UsageField.Site),
            (byte)'a' => Is(name, "tags"u8, UsageField.Tags),
            _ => Is(name, "hold"u8, UsageField.Hold),
        },
        5 => name[0] switch
        {
            (byte)'p' => Is(name, "party"u8, UsageField.Party),
            (byte)'m' => Is(name, "model"u8, UsageField.Model),
            (byte)'u' => Is(name, "units"u8, UsageField.Units),
            _ => Is(name, "grade"u8, UsageField.Grade),
        },
        6 => name[0] switch
        {
            (byte)'s' => Is(name, "source"u8, UsageField.Source),
            (byte)'c' => Is(name, "counts"u8, UsageField.Counts),
            _ => Is(name, "grades"u8, UsageField.Grades),
        },
        7 => name[0] == 'p' ? Is(name, "project"u8, UsageField.Project) : Is(name, "outcome"u8, UsageField.Outcome),
        8 => name[0] == 'p' ? Is(name, "provider"u8, UsageField.Provider) : Is(name, "scenario"u8, UsageField.Scenario),
        9 => Is(name, "operation"u8, UsageField.Operation),
        10 => Is(name, "latency_ms"u8, UsageField.LatencyMs),
        14 => Is(name, "model_answered"u8, UsageField.ModelAnswered),
        _ => UsageField.None,
    };

    /// <summary>The field with this name among those of the short form of CloudEvents.</summary>
    internal static UsageField FindShortField(ReadOnlySpan<byte> name)
    {
        for (UsageField field = UsageField.Tokens; field < UsageField.None; field++)
        {
            if (System.Text.Encoding.UTF8.GetString(name) == field.Name())
            {
                return field;
            }
        }

        return UsageField.None;
    }

    internal static bool TryFindMeter(ReadOnlySpan<byte> name, out Meter meter) => Meters.TryGet(name, out meter);

    internal static bool TryFindGrade(ReadOnlySpan<byte> name, out EvidenceGrade grade)
    {
        (bool known, grade) = name.Length switch
        {
            5 => (name.SequenceEqual("exact"u8), EvidenceGrade.Exact),
            8 => (name.SequenceEqual("reported"u8), EvidenceGrade.Reported),
            7 when name[0] == 'b' => (name.SequenceEqual("bounded"u8), EvidenceGrade.Bounded),
            7 => (name.SequenceEqual("partial"u8), EvidenceGrade.Partial),
            9 => (name.SequenceEqual("estimated"u8), EvidenceGrade.Estimated),
            _ => (false, EvidenceGrade.Reported),
        };
        return known;
    }

    internal static bool TryFindOutcome(ReadOnlySpan<byte> name, out Outcome outcome)
    {
        (bool known, outcome) = name.Length switch
        {
            2 => (name.SequenceEqual("ok"u8), Outcome.Ok),
            3 => (name.SequenceEqual("cut"u8), Outcome.Cut),
            6 => (name.SequenceEqual("failed"u8), Outcome.Failed),
            _ => (false, Outcome.Ok),
        };
        return known;
    }

    private static UsageField Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> expected, UsageField field) =>
        name.SequenceEqual(expected) ? field : UsageField.None;

    private static ByteTable<Meter> MakeMeters()
    {
        var meters = new ByteTable<Meter>(most: 256);
        for (int value = 0; value < 512; value++)
        {
            if (!Meter.TryFromValue(value, out Meter meter))
            {
                continue;
            }

            string name = meter.ToString();
            meters.Add(System.Text.Encoding.UTF8.GetBytes(name), meter);
            if (name.EndsWith(".fresh", StringComparison.Ordinal))
            {
                meters.Add(System.Text.Encoding.UTF8.GetBytes(name[..^".fresh".Length]), meter);
            }
        }

        return meters;
    }
}
