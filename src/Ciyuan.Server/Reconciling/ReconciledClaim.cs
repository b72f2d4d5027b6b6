using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Server.Reconciling;

/// <summary>What a reconciliation that two people signed makes of the claim under its agreement, as it stands
/// now.</summary>
/// <param name="Entry">What they signed, without how a dispute about it ended.</param>
/// <param name="Decision"><c>accepted</c>, <c>disputed</c> or <c>withdrawn</c>.</param>
/// <param name="SignedBy">Who decided so.</param>
public sealed record ReconciledClaim(ReconciliationSetup Entry, string Decision, IReadOnlyList<string> SignedBy)
{
    /// <summary>Theirs less ours.</summary>
    public Amount Difference => Sum(delta => delta);

    /// <summary>What is added to what is owed; below zero where less is.</summary>
    public Amount Owed => Sum(delta => After(Decision, delta).Owed);

    /// <summary>What is held until the dispute ends.</summary>
    public Amount Held => Sum(delta => After(Decision, delta).Held);

    /// <summary>Those of an agreement whose bill is for a part of some event times, by id.</summary>
    /// <param name="all">All that were signed.</param>
    /// <param name="agreement">The agreement.</param>
    /// <param name="span">The event times, such as those of a settled period.</param>
    public static IReadOnlyList<ReconciledClaim> Find(Reconciliations all, string agreement, Period span) =>
    [
        .. all.All.Where(s => s.IsComplete && s.Entry.Ends is null && s.Entry.Agreement == agreement
                && Timestamp.TryParse(s.Entry.From, out Timestamp from) && from < span.End
                && Timestamp.TryParse(s.Entry.To, out Timestamp to) && to > span.Start)
            .Select(s => all.Find(s.Entry.Id + ReconciliationSetup.End) is { IsComplete: true } end
                ? new ReconciledClaim(s.Entry, end.Entry.Decision, end.By)
                : new ReconciledClaim(s.Entry, s.Entry.Decision, s.By)),
    ];

    /// <summary>What a decision makes of a difference of <paramref name="delta"/>, theirs less ours.</summary>
    internal static (Amount Owed, Amount Held) After(string decision, Amount delta) => decision switch
    {
        "accepted" => (delta, Amount.Zero),
        "disputed" => delta.IsNegative ? (delta, -delta) : (Amount.Zero, delta),
        _ => (Amount.Zero, Amount.Zero),
    };

    private Amount Sum(Func<Amount, Amount> of) =>
        Entry.Differences.Aggregate(Amount.Zero, (sum, variance) => sum + of(Amount.Parse(variance.Amount)));
}
