using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>
/// The meters that one line of a price book prices: a unit such as <c>image</c>, one token class, or all classes below
/// a front part of the name (<c>input.text</c>, <c>output</c>).
/// </summary>
/// <remarks>Number, frozen: that of <see cref="Meter"/>; for a front part, modality 7 and kind 15 stand for
/// any.</remarks>
public readonly record struct MeterPattern(ushort Value)
{
    private const int AnyKind = 15;
    private const int AnyModality = 7;

    /// <summary>How narrow it is: 2 for a unit or a whole class name, 1 for direction and modality, 0 for a
    /// direction.</summary>
    public int Specificity => Value >= 256 || (Value & 15) != AnyKind ? 2 : ((Value >> 4) & 7) != AnyModality ? 1 : 0;

    /// <summary>Whether a meter is priced by it.</summary>
    public bool Matches(Meter meter) => Specificity switch
    {
        2 => meter.Value == Value,
        1 => meter.Value < 256 && meter.Value >> 4 == Value >> 4,
        _ => meter.Value < 256 && meter.Value >> 7 == Value >> 7,
    };

    /// <summary>Whether every meter of another pattern is one of this.</summary>
    public bool Contains(MeterPattern other) => Value == other.Value || (other.Value < 256 && Specificity switch
    {
        2 => false,
        1 => other.Specificity > 0 && other.Value >> 4 == Value >> 4,
        _ => Value < 256 && other.Value >> 7 == Value >> 7,
    });

    /// <summary>Reads a name: three, two or one part of a class name, or a unit.</summary>
    public static bool TryParse(string name, out MeterPattern pattern)
    {
        string[] parts = name.Split('.');
        bool direction = parts[0] is "input" or "output";
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
            2 => Meter.TryFromValue(Value, out Meter meter) ? meter.ToString() : $"meter {Value}",
            1 => $"{direction}.{TokenClass.Modalities[(Value >> 4) & 7]}",
            _ => direction,
        };
    }
}

/// <summary>The price of one step (<see cref="Meter.StepsPerUnit"/>) of some meters.</summary>
/// <param name="Meters">What is priced.</param>
/// <param name="PerStep">0 or more; in the currency of the book.</param>
public readonly record struct MeterPrice(MeterPattern Meters, Amount PerStep);
