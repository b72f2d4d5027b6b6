using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>A charge that all records of a group were given, or that was taken back from all of them.</summary>
/// <param name="Rate">How.</param>
/// <param name="Listed">True when the amount of each record stands in <see cref="CorrectedGroup.Amounts"/>; else it
/// follows from the rate and the record's counts (<see cref="CountedAmount"/>).</param>
/// <param name="Total">Sum over the records; below zero when taken back.</param>
/// <param name="Debit">Account debited with the total; null when the total is zero.</param>
/// <param name="Credit">Account credited with it; likewise.</param>
public readonly record struct GroupCharge(
    Rate Rate, bool Listed, Amount Total, AccountName? Debit, AccountName? Credit);

/// <summary>
/// Records of one frame whose charges a correction changed in the same way: from the same rates and accounts to the
/// same. It posts once for each rate; what it made of each record can be told from it exactly.
/// </summary>
public sealed class CorrectedGroup
{
    /// <summary>The frame of the records.</summary>
    public required long Seq { get; init; }

    /// <summary>How many of <see cref="Charges"/>, from the first, are taken back.</summary>
    public required int Reversed { get; init; }

    /// <summary>The charges taken back, then those made anew.</summary>
    public required GroupCharge[] Charges { get; init; }

    /// <summary>What each record counted, in its order; steps are 0.</summary>
    public required Count[] Counted { get; init; }

    /// <summary>Places of the records in their frame, rising.</summary>
    public required int[] Indices { get; init; }

    /// <summary>The context of each, as it is rated now.</summary>
    public required UsageContext[] Contexts { get; init; }

    /// <summary>The event time of each, in nanoseconds.</summary>
    public required long[] Times { get; init; }

    /// <summary>Steps of each: those of a record side by side, in the order of <see cref="Counted"/>.</summary>
    public required long[] Steps { get; init; }

    /// <summary>Amounts of the listed charges in pico: those of a record side by side; below zero when taken
    /// back.</summary>
    public required long[] Amounts { get; init; }

    /// <summary>Number of records.</summary>
    public int Records => Indices.Length;

    /// <summary>What was posted: one posting for each charge with a total.</summary>
    public Posting[] Postings() =>
    [
        .. Charges.Where(c => !c.Total.IsZero)
            .Select(c => new Posting(c.Debit!, c.Credit!, new Amount(Int128.Abs(c.Total.Pico)))),
    ];

    /// <summary>What a record counted.</summary>
    /// <param name="record">From 0, below <see cref="Records"/>.</param>
    public Count[] CountsOf(int record)
    {
        var counts = (Count[])Counted.Clone();
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = counts[i] with { Steps = Steps[(record * counts.Length) + i] };
        }

        return counts;
    }

    /// <summary>The amount of one charge of one record, in pico; below zero when taken back.</summary>
    /// <param name="record">From 0, below <see cref="Records"/>.</param>
    /// <param name="charge">Place in <see cref="Charges"/>.</param>
    public Int128 AmountOf(int record, int charge)
    {
        if (Charges[charge].Listed)
        {
            return Amounts[(record * ListedBefore(Charges.Length)) + ListedBefore(charge)];
        }

        Int128 amount = CountedAmount.Of(
            Charges[charge].Rate, Counted, Steps.AsSpan(record * Counted.Length, Counted.Length));
        return charge < Reversed ? -amount : amount;
    }

    /// <summary>What a record was charged, with its part of the postings.</summary>
    /// <param name="record">From 0, below <see cref="Records"/>.</param>
    public (Charge[] Charges, Posting[] Postings) ChargesOf(int record)
    {
        var charges = new Charge[Charges.Length];
        var postings = new List<Posting>(Charges.Length);
        for (int i = 0; i < charges.Length; i++)
        {
            GroupCharge charge = Charges[i];
            var amount = new Amount(AmountOf(record, i));
            charges[i] = new Charge(charge.Rate, amount, amount.IsZero ? 0 : 1);
            if (!amount.IsZero)
            {
                postings.Add(new Posting(charge.Debit!, charge.Credit!, new Amount(Int128.Abs(amount.Pico))));
            }
        }

        return (charges, [.. postings]);
    }

    /// <summary>How many of the first charges are listed.</summary>
    internal int ListedBefore(int charge)
    {
        int listed = 0;
        for (int i = 0; i < charge; i++)
        {
            listed += Charges[i].Listed ? 1 : 0;
        }

        return listed;
    }

    /// <summary>Whether the totals are the sums of the records' amounts; a frame in which they are not is
    /// damaged.</summary>
    internal bool AddsUp()
    {
        for (int i = 0; i < Charges.Length; i++)
        {
            Int128 sum = 0;
            if (Charges[i].Listed)
            {
                int listed = ListedBefore(Charges.Length);
                for (int at = ListedBefore(i); at < Amounts.Length; at += listed)
                {
                    sum += Amounts[at];
                }
            }
            else
            {
                Count[] counts = Counted.Length == 0 ? [] : CountsOf(0);
                for (int c = 0; c < counts.Length; c++)
                {
                    Int128 steps = 0;
                    for (int at = c; at < Steps.Length; at += counts.Length)
                    {
                        steps += Steps[at];
                    }

                    sum += CountedAmount.PerStep(Charges[i].Rate, counts[c].Meter) * steps;
                }

                sum += Charges[i].Rate.Method == RateMethod.PerCall ? Charges[i].Rate.PerCall.Pico * Records : 0;
                sum = i < Reversed ? -sum : sum;
            }

            if (Charges[i].Total.Pico != sum)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>The one place that says which amounts follow from a rate and a record's counts alone.</summary>
public static class CountedAmount
{
    /// <summary>Whether amounts under a rate follow from counts: plain prices, and fixed amounts per call.</summary>
    public static bool Follows(Rate rate) => rate.Method is RateMethod.Prices or RateMethod.PerCall;

    /// <summary>The amount in pico under a rate that an amount follows from.</summary>
    /// <param name="rate">The rate.</param>
    /// <param name="counted">What was counted.</param>
    /// <param name="steps">Steps of each.</param>
    public static Int128 Of(Rate rate, ReadOnlySpan<Count> counted, ReadOnlySpan<long> steps)
    {
        Int128 sum = rate.PerCall.Pico;
        for (int i = 0; i < counted.Length && rate.Method == RateMethod.Prices; i++)
        {
            sum += PerStep(rate, counted[i].Meter) * steps[i];
        }

        return sum;
    }

    /// <summary>What one step of a meter adds to it, in pico.</summary>
    public static Int128 PerStep(Rate rate, Meter meter) =>
        rate.Method == RateMethod.Prices && rate.TryGetPrice(meter, out Amount price) ? price.Pico : 0;
}

/// <summary>The amounts of a group's charges, record by record, with the prices looked up once.</summary>
/// <exception cref="OverflowException">A price or an amount is beyond 63 bits, as in no group that the engine
/// made.</exception>
internal sealed class GroupAmounts
{
    private readonly CorrectedGroup _group;
    private readonly long[][] _perStep;
    private readonly int[] _listedAt;
    private readonly int _listed;

    public GroupAmounts(CorrectedGroup group)
    {
        _group = group;
        _listed = group.ListedBefore(group.Charges.Length);
        _listedAt = [.. Enumerable.Range(0, group.Charges.Length).Select(group.ListedBefore)];
        _perStep = Array.ConvertAll(
            group.Charges, c => Array.ConvertAll(group.Counted, m => (long)CountedAmount.PerStep(c.Rate, m.Meter)));
    }

    /// <summary>As <see cref="CorrectedGroup.AmountOf"/>.</summary>
    public long Of(int record, int charge)
    {
        ref readonly GroupCharge of = ref _group.Charges[charge];
        if (of.Listed)
        {
            return _group.Amounts[(record * _listed) + _listedAt[charge]];
        }

        long sum = (long)of.Rate.PerCall.Pico;
        long[] perStep = _perStep[charge];
        ReadOnlySpan<long> steps = _group.Steps.AsSpan(record * perStep.Length, perStep.Length);
        for (int i = 0; i < perStep.Length; i++)
        {
            sum += perStep[i] * steps[i];
        }

        return charge < _group.Reversed ? -sum : sum;
    }
}
