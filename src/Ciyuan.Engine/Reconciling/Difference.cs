using Ciyuan.Quantities;

namespace Ciyuan.Reconciling;

/// <summary>Why a bill and our records differ. Numbers are written into results: never change or reuse one.</summary>
public enum DifferenceClass : byte
{
    /// <summary>They bill what we have no charge for (我方缺失).</summary>
    MissingHere = 1,

    /// <summary>We have a charge that they don't bill (对方缺失).</summary>
    MissingThere = 2,

    /// <summary>The same usage with another quantity (数量差异).</summary>
    Count = 3,

    /// <summary>The same quantity, in other token classes (类别差异).</summary>
    TokenClass = 4,

    /// <summary>The same quantity at another price (价格差异).</summary>
    Price = 5,

    /// <summary>The same usage in another day or month, as the other side's clock is in another zone (时区差异).</summary>
    ZoneShift = 6,

    /// <summary>Not more than rounding can bring about (舍入差异).</summary>
    Rounding = 7,

    /// <summary>They bill the same usage again (重复计费).</summary>
    Duplicate = 8,
}

/// <summary>Something of note about a difference.</summary>
public enum DifferenceRemark : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The call is recorded here, and this agreement does not charge it (a failed call, another
    /// agreement).</summary>
    NotCharged = 1,

    /// <summary>It is charged here in the period before or after.</summary>
    OtherPeriod = 2,
}

/// <summary>One difference. A line whose quantity and price both differ is two of them.</summary>
/// <param name="Class">Why.</param>
/// <param name="Id">Id of the call; empty when matched by day.</param>
/// <param name="Time">Its time here, else there; or the start of the day; null when the bill has no time.</param>
/// <param name="Model">The model.</param>
/// <param name="Of">The token class or other meter.</param>
/// <param name="Here">Our quantity and amount; null without a charge.</param>
/// <param name="There">Theirs; null without a line.</param>
/// <param name="Delta">What it adds to theirs less ours.</param>
/// <param name="Remark">Something of note.</param>
public sealed record Difference(
    DifferenceClass Class, string Id, Timestamp? Time, string Model, BillClass Of, SideSum? Here, SideSum? There,
    Amount Delta, DifferenceRemark Remark = DifferenceRemark.None);

/// <summary>The differences of a class together.</summary>
/// <param name="Class">The class.</param>
/// <param name="Count">How many.</param>
/// <param name="Delta">Their sum: theirs less ours.</param>
public sealed record DifferenceSum(DifferenceClass Class, long Count, Amount Delta);
