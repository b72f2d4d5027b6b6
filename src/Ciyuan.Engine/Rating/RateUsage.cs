using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>What one line of a plan makes of one record.</summary>
/// <param name="Line">The line.</param>
/// <param name="Rate">Its rate, or the one under which it goes to suspense.</param>
/// <param name="Amount">The amount; zero in suspense.</param>
public record struct RatedLine(PlanLine Line, Rate Rate, Amount Amount)
{
    /// <summary>Counts that token packs pay for; null when none.</summary>
    public Count[]? Covered { get; set; }

    /// <summary>What the curves over a period had counted before; null without any.</summary>
    public Int128[]? Before { get; set; }

    /// <summary>True when it is in suspense.</summary>
    public readonly bool IsSuspended => Rate.Method == RateMethod.Suspense;
}

/// <summary>Step 5, Rate 计价: from a record and its plan to amounts. Exact integers; no price is never zero.</summary>
public static class RateUsage
{
    private const int MostOnStack = 64;

    /// <summary>
    /// Rates a record: fills <paramref name="rated"/> with a line for each agreement that bills it, shares still at
    /// zero (see <see cref="Share"/>), and with suspense where no agreement covers its consumer or its provider.
    /// </summary>
    /// <param name="plan">Its plan.</param>
    /// <param name="plans">Makes the rates of suspense.</param>
    /// <param name="record">The record.</param>
    /// <param name="rated">Receives the lines.</param>
    /// <param name="running">What curves over a period have counted; null: nothing yet.</param>
    public static void Rate(
        RatingPlan plan, RatingPlans plans, UsageRecord record, List<RatedLine> rated,
        RunningQuantities? running = null)
    {
        rated.Clear();
        bool income = false;
        bool cost = plan.NoCost is null;
        foreach (PlanLine line in plan.Lines)
        {
            if (!CarriesTags(record.Tags, line.Agreement!.Tags))
            {
                continue;
            }

            // An agreement that does not bill this outcome covers the record all the same: it is free under it.
            income |= line.OfConsumer;
            cost |= line.OfProvider;
            if (line.Agreement.Bills((int)record.Outcome))
            {
                rated.Add(RateLine(line, plans, record, running));
            }
        }

        RemoveBaseless(rated);
        if (!income)
        {
            rated.Add(new RatedLine(plan.NoIncome, plan.NoIncome.Rate, default));
        }

        if (!cost)
        {
            rated.Add(new RatedLine(plan.NoCost!, plan.NoCost!.Rate, default));
        }
    }

    /// <summary>
    /// Fills in the shares: those of one base are cut from its amount by largest remainder, the part that nobody asks
    /// for being a share like the others, so that shares of 100 % add up to the base exactly.
    /// </summary>
    public static void Share(RatingPlans plans, List<RatedLine> rated)
    {
        if (!rated.Exists(r => r.Rate.Method == RateMethod.Share))
        {
            return;
        }

        for (int i = 0; i < rated.Count; i++)
        {
            if (rated[i].Rate.Method != RateMethod.Share)
            {
                ShareOut(plans, rated, rated[i]);
            }
        }
    }

    private static RatedLine RateLine(
        PlanLine line, RatingPlans plans, UsageRecord record, RunningQuantities? running)
    {
        Rate rate = line.Rate;
        if (line.Sheet is { } sheet)
        {
            if (sheet.Find(record, out SuspenseReason why) is not { } found)
            {
                return new RatedLine(line, plans.Suspended(rate, why), default);
            }

            rate = found;
        }

        switch (rate.Method)
        {
            case RateMethod.Prices or RateMethod.Formula:
                Int128[]? before = rate.Formula is { Running.Length: > 0 }
                    ? RunningQuantities.Before(running, rate, record.EventTime)
                    : null;
                SuspenseReason reason = rate.AmountOf(record.Counts, before, out Amount amount);
                return reason == SuspenseReason.None
                    ? new RatedLine(line, rate, amount) { Before = before }
                    : new RatedLine(line, plans.Suspended(rate, reason), default);
            case RateMethod.PerCall:
                return new RatedLine(line, rate, rate.PerCall);
            default: // a share is filled in later; suspense has no amount
                return new RatedLine(line, rate, default);
        }
    }

    /// <summary>Whether an agreement's labels are all among a record's.</summary>
    internal static bool CarriesTags(ReadOnlySpan<Tag> tags, KeyValuePair<string, string>[] wanted)
    {
        foreach ((string name, string value) in wanted)
        {
            if (!tags.Contains(new Tag(name, value)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes out shares of agreements that bill nothing here: there is nothing to share, so nothing is
    /// owed.</summary>
    private static void RemoveBaseless(List<RatedLine> rated)
    {
        for (int i = rated.Count - 1; i >= 0; i--)
        {
            if (rated[i].Rate.Method == RateMethod.Share && !IsRated(rated, rated[i].Line.Base))
            {
                rated.RemoveAt(i);
            }
        }
    }

    private static bool IsRated(List<RatedLine> rated, PlanLine? line)
    {
        foreach (RatedLine other in rated)
        {
            if (line is not null && ReferenceEquals(other.Line, line))
            {
                return true;
            }
        }

        return false;
    }

    private static void ShareOut(RatingPlans plans, List<RatedLine> rated, RatedLine basis)
    {
        Span<int> places = rated.Count <= MostOnStack ? stackalloc int[MostOnStack] : new int[rated.Count];
        Span<long> weights = rated.Count <= MostOnStack ? stackalloc long[MostOnStack + 1] : new long[rated.Count + 1];
        int n = 0;
        long rest = 1_000_000;
        for (int i = 0; i < rated.Count; i++)
        {
            if (rated[i].Rate.Method == RateMethod.Share && ReferenceEquals(rated[i].Line.Base, basis.Line))
            {
                places[n] = i;
                weights[n++] = rated[i].Rate.SharePpm;
                rest -= rated[i].Rate.SharePpm;
            }
        }

        if (n == 0)
        {
            return;
        }

        Span<Amount> shares = n < MostOnStack ? stackalloc Amount[n + 1] : new Amount[n + 1];
        weights[n] = Math.Max(rest, 0);
        if (rest >= 0)
        {
            Rounding.Split(basis.Amount, weights[..(n + 1)], shares);
        }

        SuspenseReason reason = basis.IsSuspended ? SuspenseReason.NoBase : SuspenseReason.SharesExceedBase;
        for (int k = 0; k < n; k++)
        {
            RatedLine line = rated[places[k]];
            rated[places[k]] = rest < 0 || basis.IsSuspended
                ? line with { Rate = plans.Suspended(line.Rate, reason) }
                : line with { Amount = shares[k] };
        }
    }
}
