using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>
/// The meters that one line of a price book prices: a unit such as <c>image</c>, one token class, one kind whatever the
/// modality (<c>input.*.cache_read</c>), or all classes below a front part of the name (<c>input.text</c>,
/// <c>output</c>).
/// </summary>
/// <remarks>Number, frozen: that of <see cref="Meter"/>; modality 7 and kind 15 stand for any.</remarks>
public readonly record struct MeterPattern(ushort Value)
{
    private const int AnyKind = 15;
    private const int AnyModality = 7;
    private const int AnyBits = (AnyModality << 4) | AnyKind;

    private bool IsAnyKind => Value < 256 && (Value & 15) == AnyKind;

    private bool IsAnyModality => Value < 256 && ((Value >> 4) & 7) == AnyModality;

    /// <summary>How narrow it is: 3 for a unit or a whole class name, 2 for direction and kind, 1 for direction and
    /// modality, 0 for a direction.</summary>
    public int Specificity => (IsAnyKind ? 0 : 2) + (IsAnyModality ? 0 : 1);

    /// <summary>Whether a meter is priced by it.</summary>
    public bool Matches(Meter meter) => Specificity == 3 ? meter.Value == Value
        : meter.Value < 256 && ((meter.Value ^ Value) & Told) == 0;

    /// <summary>Whether every meter of another pattern is one of this.</summary>
    public bool Contains(MeterPattern other) => Value == other.Value
        || (Value < 256 && other.Value < 256 && ((other.Value ^ Value) & Told) == 0 && (Told & ~other.Told) == 0);

    /// <summary>The meters that are those of both; null when there are none.</summary>
    public MeterPattern? Intersect(MeterPattern other)
    {
        if (Value >= 256 || other.Value >= 256)
        {
            return Value == other.Value ? this : null;
        }

        bool agree = ((Value ^ other.Value) & Told & other.Told) == 0;
        return agree ? new MeterPattern((ushort)((Value & Told) | (other.Value & other.Told)
            | (AnyBits & ~Told & ~other.Told))) : null;
    }

    // The bits that are told; those of what may be anything are all set.
    private int Told => Value >= 256 ? ushort.MaxValue : 128 | (IsAnyModality ? 0 : 112) | (IsAnyKind ? 0 : 15);

    /// <summary>Reads a name: three, two or one part of a class name, <c>*</c> for any modality before a kind, or a
    /// unit.</summary>
    public static bool TryParse(string name, out MeterPattern pattern)
    {
        string[] parts = name.Split('.');
        bool direction = parts[0] is "input" or "output";
        if (direction && parts is [_, "*", var kind]
            && TokenClass.TryParse($"{parts[0]}.text.{kind}", out TokenClass ofText))
        {
            pattern = new MeterPattern((ushort)(ofText.Value | (AnyModality << 4)));
            return true;
        }

        int modality = parts.Length == 2 ? TokenClass.Modalities.IndexOf(parts[1]) : AnyModality;
        if (direction && parts.Length < 3 && modality >= 0)
        {
            pattern = new MeterPattern((ushort)((parts[0] == "output" ? 128 : 0) | (modality << 4) | AnyKind));
            return true;
        }

        bool exact = Meter.TryParse(name, out Meter meter);
        pattern = new MeterPattern(meter.Value);
        return exact;
    }

    /// <summary>The name.</summary>
    public override string ToString()
    {
        string direction = (Value & 128) == 0 ? "input" : "output";
        return Specificity switch
        {
            3 => Meter.TryFromValue(Value, out Meter meter) ? meter.ToString() : $"meter {Value}",
            2 => TokenClass.TryFromValue((byte)(Value & ~(AnyModality << 4)), out TokenClass ofText)
                ? ofText.ToString().Replace(".text.", ".*.", StringComparison.Ordinal)
                : $"meter {Value}",
            1 => $"{direction}.{TokenClass.Modalities[(Value >> 4) & 7]}",
            _ => direction,
        };
    }
}

/// <summary>The price of one step (<see cref="Meter.StepsPerUnit"/>) of some meters.</summary>
/// <param name="Meters">What is priced.</param>
/// <param name="PerStep">0 or more; in the currency of the book.</param>
public readonly record struct MeterPrice(MeterPattern Meters, Amount PerStep);
