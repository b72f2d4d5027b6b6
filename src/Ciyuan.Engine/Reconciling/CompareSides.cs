using Ciyuan.Quantities;

namespace Ciyuan.Reconciling;

/// <summary>How a bill is rounded.</summary>
/// <param name="PerLine">Most that the amount of one line may be off by rounding.</param>
public readonly record struct BillTolerance(Amount PerLine)
{
    /// <summary>Half of the last decimal that the bill's amounts have; none when they have all 12.</summary>
    public static BillTolerance OfDecimals(int decimals)
    {
        Int128 unit = Amount.PicoPerUnit;
        for (int i = 0; i < decimals; i++)
        {
            unit /= 10;
        }

        return new BillTolerance(new Amount(unit / 2));
    }
}

/// <summary>
/// Says why the two sides of one call, or of one model on one day, differ. For each class, with quantities q and
/// amounts a, of us (o) and them (t):
/// <list type="number">
/// <item>what is there on one side alone is missing on the other, whole;</item>
/// <item>lines that repeat what one of them alone would settle are duplicates;</item>
/// <item>a<sub>o</sub> × (q<sub>t</sub> − q<sub>o</sub>) / q<sub>o</sub> is for the quantity: of class when tokens only
/// moved between classes (their sums agree), else of count;</item>
/// <item>the rest is rounding while it is within the tolerance of the lines, else price.</item>
/// </list>
/// The parts add up to a<sub>t</sub> − a<sub>o</sub> by construction: the last is what the others leave.
/// </summary>
public static class CompareSides
{
    /// <summary>The differences between the sides; none when they agree.</summary>
    /// <param name="ours">Our sums, each class once.</param>
    /// <param name="theirs">Lines of the bill.</param>
    /// <param name="tolerance">How the bill is rounded.</param>
    /// <param name="add">Receives class of difference, class of usage, both sides, and the part of the
    /// difference.</param>
    public static void Run(
        IReadOnlyList<SideSum> ours, IReadOnlyList<SideSum> theirs, BillTolerance tolerance,
        Action<DifferenceClass, BillClass, SideSum?, SideSum?, Amount> add)
    {
        var folded = ours.Count == 0 ? [] : Fold(ours, theirs);
        List<SideSum> billed = AddUp(theirs, folded, add);
        bool moved = HasMoved(folded, billed);
        foreach (BillClass of in folded.Select(s => s.Class).Union(billed.Select(s => s.Class)).Order())
        {
            SideSum? here = Find(folded, of);
            SideSum? there = Find(billed, of);
            if (ours.Count == 0)
            {
                add(DifferenceClass.MissingHere, of, null, there, there!.Value.Amount ?? Amount.Zero);
            }
            else if (theirs.Count == 0)
            {
                add(DifferenceClass.MissingThere, of, here, null, -here!.Value.Amount!.Value);
            }
            else
            {
                CompareClass(of, here, there, moved, tolerance, add);
            }
        }
    }

    /// <summary>Our sums in the classes that the bill tells: what it tells no class for stays on its own.</summary>
    public static List<SideSum> Fold(IReadOnlyList<SideSum> ours, IReadOnlyList<SideSum> theirs)
    {
        var folded = new List<SideSum>();
        foreach (SideSum sum in ours)
        {
            BillClass into = sum.Class;
            foreach (BillClass wide in BillClass.Holding(sum.Class))
            {
                if (Find(theirs, wide) is not null)
                {
                    into = wide;
                    break;
                }
            }

            Merge(folded, sum with { Class = into });
        }

        return folded;
    }

    // Lines of a class together, but for those that bill again what one of them settles.
    private static List<SideSum> AddUp(
        IReadOnlyList<SideSum> theirs, List<SideSum> ours,
        Action<DifferenceClass, BillClass, SideSum?, SideSum?, Amount> add)
    {
        var billed = new List<SideSum>();
        foreach (BillClass of in theirs.Select(s => s.Class).Distinct())
        {
            SideSum[] lines = [.. theirs.Where(s => s.Class == of)];
            bool repeats = lines.Length > 1 && lines.All(l => l.Steps == lines[0].Steps && l.Amount == lines[0].Amount)
                && lines[0].Lines == 1 && lines[0].Steps is { } steps && Find(ours, of) is { } here
                && here.Steps == steps;
            foreach (SideSum again in repeats ? lines[1..] : [])
            {
                add(DifferenceClass.Duplicate, of, Find(ours, of), again, again.Amount ?? Amount.Zero);
            }

            foreach (SideSum line in repeats ? lines[..1] : lines)
            {
                Merge(billed, line);
            }
        }

        return billed;
    }

    private static void CompareClass(
        BillClass of, SideSum? here, SideSum? there, bool moved, BillTolerance tolerance,
        Action<DifferenceClass, BillClass, SideSum?, SideSum?, Amount> add)
    {
        Int128 ourSteps = here?.Steps ?? 0;
        Int128 theirSteps = there is { Steps: null } ? ourSteps : there?.Steps ?? 0;
        Amount ourAmount = here?.Amount ?? Amount.Zero;
        Amount counted = ForQuantity(ourSteps, theirSteps, ourAmount, there?.Amount ?? Amount.Zero);
        // A usage export says nothing of money: what it counts is valued at our prices.
        Amount theirAmount = there is { Amount: null } ? ourAmount + counted : there?.Amount ?? Amount.Zero;
        if (ourSteps != theirSteps)
        {
            DifferenceClass why = moved && of.IsTokens ? DifferenceClass.TokenClass : DifferenceClass.Count;
            add(why, of, here, there, counted);
        }

        Amount rest = theirAmount - ourAmount - counted;
        if (!rest.IsZero)
        {
            Int128 most = tolerance.PerLine.Pico * Math.Max(there?.Lines ?? 1, 1);
            bool isRounding = Int128.Abs(rest.Pico) <= most;
            add(isRounding ? DifferenceClass.Rounding : DifferenceClass.Price, of, here, there, rest);
        }
    }

    private static Amount ForQuantity(Int128 ours, Int128 theirs, Amount ourAmount, Amount theirAmount)
    {
        if (ours == theirs)
        {
            return Amount.Zero;
        }

        // Without a price of our own, what they ask for it is all for the quantity.
        return ours == 0 || ourAmount.IsZero ? (ours == 0 ? theirAmount : Amount.Zero)
            : Rounding.Proportion(ourAmount, theirs - ours, ours);
    }

    private static bool HasMoved(List<SideSum> ours, List<SideSum> theirs)
    {
        Int128 sum = 0;
        bool any = false;
        foreach (BillClass of in ours.Select(s => s.Class).Union(theirs.Select(s => s.Class)).Where(c => c.IsTokens))
        {
            SideSum? there = Find(theirs, of);
            Int128 here = Find(ours, of)?.Steps ?? 0;
            Int128 delta = there is { Steps: null } ? 0 : (there?.Steps ?? 0) - here;
            sum += delta;
            any |= delta != 0;
        }

        return any && sum == 0;
    }

    private static SideSum? Find(IReadOnlyList<SideSum> sums, BillClass of)
    {
        foreach (SideSum sum in sums)
        {
            if (sum.Class == of)
            {
                return sum;
            }
        }

        return null;
    }

    private static void Merge(List<SideSum> sums, SideSum more)
    {
        int at = sums.FindIndex(s => s.Class == more.Class);
        if (at < 0)
        {
            sums.Add(more);
            return;
        }

        SideSum old = sums[at];
        sums[at] = new SideSum(old.Class, old.Steps is null && more.Steps is null ? null
            : (old.Steps ?? 0) + (more.Steps ?? 0), old.Amount is null && more.Amount is null ? null
            : (old.Amount ?? Amount.Zero) + (more.Amount ?? Amount.Zero), old.Lines + more.Lines);
    }
}
