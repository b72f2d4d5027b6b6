using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>
/// What a correction has to ask of each record of a plan, as its shape does not tell: whether its event time may be
/// closed, which labelled agreements cover it, and which rate its prices come to. Records of one shape with the same
/// answers change in the same way.
/// </summary>
internal sealed class PlanQuestions
{
    private static readonly object IsNotCovered = new();
    private static readonly object IsCovered = new();
    private static readonly object[] HasNoRate = [.. Enum.GetValues<SuspenseReason>().Cast<object>()];

    private readonly PlanLine[] _lines;
    private readonly Timestamp _closedUntil;

    /// <summary>The questions of a correction about records of a plan.</summary>
    public PlanQuestions(RatingPlan plan, CorrectionScope scope, Catalog catalog)
    {
        bool asks = scope.Rerate && scope.ByRate;
        _lines = [.. plan.Lines.Where(l => asks && (l.Sheet is not null || l.Agreement!.Tags.Length > 0))];
        _closedUntil = catalog.LastClosing;
        AskCounts = Array.Exists(_lines, l => l.Sheet is not null);
    }

    /// <summary>Stands for a record whose event time may be closed for some agreement.</summary>
    public static object MayBeClosed { get; } = new();

    /// <summary>How many answers there are.</summary>
    public int Count => _lines.Length + 1;

    /// <summary>Whether an answer depends on counts.</summary>
    public bool AskCounts { get; }

    /// <summary>Asks of a record.</summary>
    /// <param name="time">Its event time.</param>
    /// <param name="counts">Its counts; may be empty unless <see cref="AskCounts"/>.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="answers">Receives <see cref="Count"/> answers, to be compared by reference.</param>
    public void Ask(Timestamp time, ReadOnlySpan<Count> counts, ReadOnlySpan<Tag> tags, Span<object?> answers)
    {
        answers[0] = time < _closedUntil ? MayBeClosed : null;
        for (int i = 0; i < _lines.Length; i++)
        {
            PlanLine line = _lines[i];
            answers[i + 1] = !RateUsage.CarriesTags(tags, line.Agreement!.Tags) ? IsNotCovered
                : line.Sheet is null ? IsCovered
                : line.Sheet.Find(time, counts, tags, out SuspenseReason reason) ?? HasNoRate[(int)reason];
        }
    }
}
