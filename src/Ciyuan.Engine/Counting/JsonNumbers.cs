using System.Globalization;
using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>Why a number is no count.</summary>
internal enum NumberFault
{
    None,
    NotANumber,
    Negative,
    Fractional,
    TooLarge,
}

/// <summary>Reads numbers of JSON exactly: never through a floating-point number.</summary>
internal static class JsonNumbers
{
    private const int MaxTextLength = 64; // far above any count; what is longer is shown cut

    /// <summary>Reads a count in steps. 41.0 and 4.1e1 are 41: they are the same number. A text is read when it is
    /// nothing but a number.</summary>
    /// <param name="value">A value of any kind.</param>
    /// <param name="steps">Steps to one unit.</param>
    /// <param name="count">0 to <see cref="UsageRecord.MaxSteps"/>; the nearest step when <see
    /// cref="NumberFault.Fractional"/>.</param>
    internal static NumberFault TryRead(JsonElement value, long steps, out long count)
    {
        count = 0;
        if (steps == 1 && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long whole)
            && whole is >= 0 and <= UsageRecord.MaxSteps)
        {
            count = whole;
            return NumberFault.None;
        }

        if (!TryReadDecimal(value, out decimal number))
        {
            return value.ValueKind != JsonValueKind.Number ? NumberFault.NotANumber
                : value.GetRawText()[0] == '-' ? NumberFault.Negative
                : NumberFault.TooLarge;
        }

        if (number < 0)
        {
            return NumberFault.Negative;
        }

        if (number > UsageRecord.MaxSteps / steps)
        {
            return NumberFault.TooLarge;
        }

        decimal scaled = number * steps;
        count = (long)decimal.Round(scaled);
        return scaled == decimal.Truncate(scaled) ? NumberFault.None : NumberFault.Fractional;
    }

    /// <summary>Reads an exact decimal from a number, or from a text that is nothing but a number.</summary>
    internal static bool TryReadDecimal(JsonElement value, out decimal number)
    {
        number = 0;
        return value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetDecimal(out number),
            JsonValueKind.String => value.GetString() is { Length: > 0 and <= MaxTextLength } text
                && decimal.TryParse(
                    text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                    out number),
            _ => false,
        };
    }

    internal static FindingCode Code(NumberFault fault) => fault switch
    {
        NumberFault.Negative => FindingCode.Negative,
        NumberFault.Fractional => FindingCode.Fractional,
        NumberFault.TooLarge => FindingCode.TooLarge,
        _ => FindingCode.NotANumber,
    };

    internal static string Describe(NumberFault fault, JsonElement value)
    {
        string text = value.GetRawText();
        text = text.Length > MaxTextLength ? text[..MaxTextLength] + "…" : text;
        return fault switch
        {
            NumberFault.Negative => $"is {text}: a count is never below zero",
            NumberFault.Fractional => $"is {text}: a count is whole",
            NumberFault.TooLarge => $"is {text}: no call uses more than {UsageRecord.MaxSteps}",
            _ => $"is {text}, not a number",
        };
    }
}
