using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <content>
/// The one place where counts become an amount: rating, what token packs leave over, corrections and statistics all ask
/// here.
/// </content>
public sealed partial record Rate
{
    /// <summary>Largest numerator that a price times a count may reach: 2¹²⁰, of which the most counts that a record
    /// has (64) still fit 127 bits.</summary>
    private static readonly Int128 MostProduct = (Int128)1 << 120;

    private short[]? _table;

    /// <summary>By meter number: place of its price + 1, or −1 − place of its curve; 0 without a price.</summary>
    private short[] Table => _table ??= MakeTable();

    /// <summary>
    /// The amount of a charge for some counts: Σ steps × price, divided once by the formula's divisor, half to even;
    /// plus what each curve over a period adds to what it had counted; at least the minimum. It does not depend on the
    /// order of the counts, and nothing is allocated.
    /// </summary>
    /// <param name="counts">The counts, each meter at most once.</param>
    /// <param name="before">Steps counted before by each of <see cref="RateFormula.Running"/>.</param>
    /// <param name="amount">The amount, in the rate's currency.</param>
    /// <returns><see cref="SuspenseReason.NoClassPrice"/> when a count above zero has no price,
    /// <see cref="SuspenseReason.Overflow"/> when the amount is beyond <see cref="Amount.Most"/>, else none.</returns>
    public SuspenseReason AmountOf(ReadOnlySpan<Count> counts, ReadOnlySpan<Int128> before, out Amount amount)
    {
        amount = default;
        short[] table = Table;
        RateFormula? formula = Formula;
        long divisor = formula?.Divisor ?? 1;
        bool billable = formula is { Billable.Length: > 0 };
        Int128 sum = 0;
        foreach (ref readonly Count count in counts)
        {
            int at = table[count.Meter.Value];
            long steps = count.Steps;
            if (at <= 0 || steps == 0)
            {
                if (at == 0 && steps != 0)
                {
                    return SuspenseReason.NoClassPrice;
                }

                continue;
            }

            steps = billable ? formula!.BillableSteps(count.Meter, steps) : steps;
            if (!TryAdd(ref sum, Prices[at - 1].PerStep.Pico, steps, divisor))
            {
                return SuspenseReason.Overflow;
            }
        }

        if (formula is not null && formula.Finish(this, counts, before, ref sum) != SuspenseReason.None)
        {
            return SuspenseReason.Overflow;
        }

        amount = new Amount(sum);
        return amount > Amount.Most || amount < -Amount.Most ? SuspenseReason.Overflow : SuspenseReason.None;
    }

    /// <summary>
    /// As <see cref="AmountOf(ReadOnlySpan{Count}, ReadOnlySpan{Int128}, out Amount)"/>, of what token packs left over.
    /// When they paid for everything, nothing is left to charge, a minimum neither.
    /// </summary>
    public SuspenseReason AmountOf(Count[] counts, Count[]? covered, Int128[]? before, out Amount amount)
    {
        if (covered is null)
        {
            return AmountOf(counts, before, out amount);
        }

        Count[] rest = Rest(counts, covered);
        amount = default;
        return rest.Length == 0 ? SuspenseReason.None : AmountOf(rest, before, out amount);
    }

    /// <summary>What is left of counts when some of them are covered; counts of which nothing is left are left
    /// out.</summary>
    public static Count[] Rest(Count[] counts, Count[] covered) => [.. counts
        .Select(c => c with { Steps = c.Steps - Array.Find(covered, o => o.Meter == c.Meter).Steps })
        .Where(c => c.Steps > 0)];

    /// <summary>Steps of some counts that a curve of this rate prices, taken up to what is billable.</summary>
    public Int128 StepsOf(int curve, ReadOnlySpan<Count> counts)
    {
        Int128 steps = 0;
        foreach (ref readonly Count count in counts)
        {
            steps += Table[count.Meter.Value] == -1 - curve ? Formula!.BillableSteps(count.Meter, count.Steps) : 0;
        }

        return steps;
    }

    /// <summary>Pico times the divisor for a step of a meter; null when a curve prices it, or nothing.</summary>
    internal Int128? FindNumerator(Meter meter) =>
        Table[meter.Value] is var at and > 0 ? Prices[at - 1].PerStep.Pico : null;

    private static bool TryAdd(ref Int128 sum, Int128 price, long steps, long divisor)
    {
        if (price <= long.MaxValue)
        {
            // Up to 2⁶³ × 10¹⁵ a product can't overflow, nor can the sum of all counts' products.
            long high = Math.BigMul((long)price, steps, out long low);
            sum += new Int128(unchecked((ulong)high), unchecked((ulong)low));
            return true;
        }

        bool fits = price <= MostProductOf(divisor) / steps;
        sum += fits ? price * steps : 0;
        return fits;
    }

    private static Int128 MostProductOf(long divisor)
    {
        Int128 most = Amount.Most.Pico;
        return divisor > MostProduct / most ? MostProduct : most * divisor;
    }

    private short[] MakeTable()
    {
        var table = new short[Meter.Values];
        for (int value = 0; value < table.Length; value++)
        {
            table[value] = Meter.TryFromValue(value, out Meter meter) ? PlaceOf(meter) : (short)0;
        }

        return table;
    }

    /// <summary>As the table says, without one: rates that were read from the journal are asked a few times and
    /// forgotten.</summary>
    private short PlaceOf(Meter meter)
    {
        int curvesAt = Formula is { Curves.Length: > 0 } ? Formula.RulePrices : -1;
        for (int i = 0; i <= Prices.Length; i++)
        {
            for (int curve = 0; i == curvesAt && curve < Formula!.Curves.Length; curve++)
            {
                if (Formula.Curves[curve].Prices(meter))
                {
                    return (short)(-1 - curve);
                }
            }

            if (i < Prices.Length && Prices[i].Meters.Matches(meter))
            {
                return checked((short)(i + 1));
            }
        }

        return 0;
    }
}
