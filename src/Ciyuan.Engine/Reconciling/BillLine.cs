using System.Globalization;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Reconciling;

/// <summary>
/// What a line of a bill is for: a meter; all tokens of a direction, or all tokens, where the bill tells no more; or
/// everything.
/// </summary>
/// <param name="Value">The meter's number, or one of those above all meters.</param>
public readonly record struct BillClass(int Value) : IComparable<BillClass>
{
    private const int InputValue = 1_000;
    private const int OutputValue = 1_001;
    private const int TokensValue = 1_002;
    private const int AllValue = 1_003;

    /// <summary>All input tokens.</summary>
    public static BillClass Input => new(InputValue);

    /// <summary>All output tokens.</summary>
    public static BillClass Output => new(OutputValue);

    /// <summary>All tokens.</summary>
    public static BillClass Tokens => new(TokensValue);

    /// <summary>Everything: amounts that no meter explains, and bills that tell no classes.</summary>
    public static BillClass All => new(AllValue);

    /// <summary>The class of a meter.</summary>
    public static BillClass Of(Meter meter) => new(meter.Value);

    /// <summary>True when it is tokens, so that a count can have moved from it to another.</summary>
    public bool IsTokens => Value is < 256 or InputValue or OutputValue or TokensValue;

    /// <summary>The classes that can hold a meter, the narrowest first.</summary>
    public static IEnumerable<BillClass> Holding(BillClass narrow)
    {
        yield return narrow;
        if (narrow.Value < 256)
        {
            yield return narrow.Value < 128 ? Input : Output; // the highest bit of a token class is its direction
            yield return Tokens;
        }

        yield return All;
    }

    /// <summary>Reads a meter's name, <c>input</c>, <c>output</c>, <c>tokens</c> or <c>all</c>.</summary>
    public static bool TryParse(string? text, out BillClass value)
    {
        bool isMeter = Meter.TryParse(text, out Meter meter);
        value = text switch
        {
            "input" => Input,
            "output" => Output,
            "tokens" => Tokens,
            "all" => All,
            _ => isMeter ? Of(meter) : default,
        };
        return isMeter || text is "input" or "output" or "tokens" or "all";
    }

    /// <summary>How many steps make one unit of the quantity that people read.</summary>
    public long StepsPerUnit => Meter.TryFromValue(Value, out Meter meter) ? meter.StepsPerUnit : 1;

    /// <inheritdoc/>
    public int CompareTo(BillClass other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value switch
    {
        InputValue => "input",
        OutputValue => "output",
        TokensValue => "tokens",
        AllValue => "all",
        _ => Meter.TryFromValue(Value, out Meter meter) ? meter.ToString()
            : Value.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Order of the numbers.</summary>
    public static bool operator <(BillClass left, BillClass right) => left.Value < right.Value;

    /// <summary>Order of the numbers.</summary>
    public static bool operator >(BillClass left, BillClass right) => left.Value > right.Value;

    /// <summary>Order of the numbers.</summary>
    public static bool operator <=(BillClass left, BillClass right) => left.Value <= right.Value;

    /// <summary>Order of the numbers.</summary>
    public static bool operator >=(BillClass left, BillClass right) => left.Value >= right.Value;
}

/// <summary>A line of the other side's bill or usage export.</summary>
/// <param name="Id">Id of the call; empty where the bill has none.</param>
/// <param name="Time">When the call was, or the first moment of the line's time; null where the bill has none.</param>
/// <param name="HasTimeOfDay">False when <paramref name="Time"/> is the start of a day that stands for the whole of
/// it.</param>
/// <param name="Model">The model as we call it; empty where the bill has none.</param>
/// <param name="Class">What it is for.</param>
/// <param name="Steps">Quantity in steps; null where the bill has none.</param>
/// <param name="Amount">Amount; null where it is a usage export.</param>
public readonly record struct BillLine(
    string Id, Timestamp? Time, bool HasTimeOfDay, string Model, BillClass Class, Int128? Steps, Amount? Amount);

/// <summary>One side's sum for a class.</summary>
/// <param name="Class">The class.</param>
/// <param name="Steps">Quantity; null where a bill has none.</param>
/// <param name="Amount">Amount; null where a bill has none.</param>
/// <param name="Lines">Lines that it is made of.</param>
public readonly record struct SideSum(BillClass Class, Int128? Steps, Amount? Amount, int Lines = 1);
