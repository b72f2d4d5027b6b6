using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

// What a column of a report measures, in the order of the columns.
internal enum MeasureKind
{
    Calls,
    Failed,
    Cut,
    TokensInput,
    TokensOutput,
    Standard,
    StandardError,
    Unit,
    Income,
    Cost,
    Margin,
    Between,
    PackTokens,
    PackUnit,
    SuspenseCharges,
    Suspense,
}

internal readonly record struct MeasureKey(MeasureKind Kind, Meter Meter, Currency Currency)
{
    public bool IsMoney => Kind is MeasureKind.Income or MeasureKind.Cost or MeasureKind.Margin or MeasureKind.Between;

    public ReportColumn ToColumn(bool byCount, bool byCharge) => Kind switch
    {
        MeasureKind.Calls => new("calls", "call", 1, !byCount && !byCharge),
        MeasureKind.Failed => new("failed", "call", 1, !byCount && !byCharge),
        MeasureKind.Cut => new("cut", "call", 1, !byCount && !byCharge),
        MeasureKind.TokensInput => new("tokens_input", "token", 1, !byCharge),
        MeasureKind.TokensOutput => new("tokens_output", "token", 1, !byCharge),
        MeasureKind.Standard => new("tokens_standard", "token", StandardRatios.PerToken, !byCharge),
        MeasureKind.StandardError => new("tokens_standard_error", "token", StandardRatios.PerToken, !byCharge),
        MeasureKind.Unit => new(Meter.ToString(), Meter.ToString(), Meter.StepsPerUnit, !byCharge),
        MeasureKind.PackTokens => new("pack_tokens", "token", 1, true),
        MeasureKind.PackUnit => new($"pack_{Meter}", Meter.ToString(), Meter.StepsPerUnit, true),
        MeasureKind.SuspenseCharges => new("suspense_charges", "charge", 1, true),
        MeasureKind.Suspense => new($"suspense_{Currency}", Currency.ToString(), Amount.PicoPerUnit, true),
        _ => new($"{Kind.ToString().ToLowerInvariant()}_{Currency}", Currency.ToString(), Amount.PicoPerUnit, true),
    };
}

// The measures that a run has met, by number.
internal sealed class Measures
{
    public const int Calls = 0;
    public const int Failed = 1;
    public const int Cut = 2;
    public const int TokensInput = 3;
    public const int TokensOutput = 4;
    public const int SuspenseCharges = 5;
    public const int PackTokens = 6;

    private readonly Dictionary<MeasureKey, int> _codes = [];

    public Measures()
    {
        foreach (MeasureKind kind in (ReadOnlySpan<MeasureKind>)
            [
                MeasureKind.Calls, MeasureKind.Failed, MeasureKind.Cut, MeasureKind.TokensInput,
                MeasureKind.TokensOutput, MeasureKind.SuspenseCharges, MeasureKind.PackTokens,
            ])
        {
            Find(new MeasureKey(kind, default, default));
        }
    }

    public List<MeasureKey> Keys { get; } = [];

    public int Of(Meter meter) => !meter.IsTokens ? Find(new MeasureKey(MeasureKind.Unit, meter, default))
        : meter.TokenClass.Direction == Direction.Input ? TokensInput : TokensOutput;

    public int PackOf(Meter meter) => Find(new MeasureKey(MeasureKind.PackUnit, meter, default));

    public int Of(Rate rate, Currency unit)
    {
        MeasureKind kind = rate.Method == RateMethod.Suspense ? MeasureKind.Suspense : rate.Side switch
        {
            Side.Income => MeasureKind.Income,
            Side.Cost => MeasureKind.Cost,
            _ => MeasureKind.Between,
        };
        return Find(new MeasureKey(kind, default, unit));
    }

    public int Find(MeasureKey key)
    {
        if (!_codes.TryGetValue(key, out int code))
        {
            _codes.Add(key, code = Keys.Count);
            Keys.Add(key);
        }

        return code;
    }
}
