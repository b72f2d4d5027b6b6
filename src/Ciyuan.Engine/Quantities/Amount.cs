using System.Globalization;

namespace Ciyuan.Quantities;

/// <summary>
/// An amount of some currency as an exact integer of 10⁻¹² of its unit ("pico"). A cached token at 0.0075 per million
/// costs 7 500 pico, so nothing that vendors charge is too small to be held exactly.
/// </summary>
/// <remarks>
/// Range ±1.7·10²⁶ units. Every operation throws <see cref="OverflowException"/> instead of wrapping. There is no
/// rounding here: see <see cref="Rounding"/>. The currency stands beside the amount (on the account, the rate, the
/// statement) and is never mixed. The default value is zero.
/// </remarks>
public readonly record struct Amount(Int128 Pico) : IComparable<Amount>
{
    /// <summary>How many pico make one unit of a currency: 10¹².</summary>
    public const long PicoPerUnit = 1_000_000_000_000;

    /// <summary>Decimal places of one pico.</summary>
    public const int Decimals = 12;

    /// <summary>
    /// The largest amount of one charge, transfer or hold: 10¹⁵ units. 10¹¹ of them still fit a balance, so a balance
    /// can't overflow within the life of a ledger, and one that does is a broken invariant.
    /// </summary>
    public static Amount Most { get; } = FromUnits(1_000_000_000_000_000);

    /// <summary>Nothing.</summary>
    public static Amount Zero => default;

    /// <summary>True below zero.</summary>
    public bool IsNegative => Int128.IsNegative(Pico);

    /// <summary>True for exactly zero.</summary>
    public bool IsZero => Pico == 0;

    /// <summary>A whole number of units, such as tokens in a token account.</summary>
    public static Amount FromUnits(long units) => new(checked((Int128)units * PicoPerUnit));

    /// <inheritdoc/>
    public int CompareTo(Amount other) => Pico.CompareTo(other.Pico);

    /// <summary>Sum; throws on overflow.</summary>
    public static Amount operator +(Amount left, Amount right) => new(checked(left.Pico + right.Pico));

    /// <summary>Difference; throws on overflow.</summary>
    public static Amount operator -(Amount left, Amount right) => new(checked(left.Pico - right.Pico));

    /// <summary>Negation; throws on overflow.</summary>
    public static Amount operator -(Amount value) => new(checked(-value.Pico));

    /// <summary>Exact product with a count; throws on overflow.</summary>
    public static Amount operator *(Amount value, long count) => new(checked(value.Pico * (Int128)count));

    /// <summary>Less than.</summary>
    public static bool operator <(Amount left, Amount right) => left.Pico < right.Pico;

    /// <summary>Greater than.</summary>
    public static bool operator >(Amount left, Amount right) => left.Pico > right.Pico;

    /// <summary>Less than or equal.</summary>
    public static bool operator <=(Amount left, Amount right) => left.Pico <= right.Pico;

    /// <summary>Greater than or equal.</summary>
    public static bool operator >=(Amount left, Amount right) => left.Pico >= right.Pico;

    /// <summary>The smaller of two.</summary>
    public static Amount Min(Amount left, Amount right) => left < right ? left : right;

    /// <summary>
    /// Reads a plain decimal such as <c>-12.0075</c>: an optional sign, digits, at most 12 decimal places, no exponent
    /// and no grouping. Nothing is rounded: more places than 12 (zeros at the end aside) are an error.
    /// </summary>
    /// <returns>False when the text is not such a number or is out of range.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out Amount amount)
    {
        amount = default;
        if (!TryParseScaled(text, Decimals, out Int128 pico))
        {
            return false;
        }

        amount = new Amount(pico);
        return true;
    }

    /// <summary>As <see cref="TryParse"/>.</summary>
    /// <exception cref="FormatException">The text is not a decimal with at most 12 places, or is out of
    /// range.</exception>
    public static Amount Parse(ReadOnlySpan<char> text) => TryParse(text, out Amount amount)
        ? amount
        : throw new FormatException($"'{text}' is not an amount: write a plain decimal with at most 12 places.");

    /// <summary>The exact decimal, without zeros at the end: <c>0.0000000075</c>, <c>-3</c>.</summary>
    public override string ToString()
    {
        if (Pico == 0)
        {
            return "0";
        }

        UInt128 magnitude = Magnitude;
        UInt128 units = magnitude / PicoPerUnit;
        var fraction = (long)(magnitude % PicoPerUnit);
        string sign = IsNegative ? "-" : "";
        return fraction == 0
            ? sign + units.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{sign}{units}.{fraction:D12}").TrimEnd('0');
    }

    private UInt128 Magnitude => Int128.IsNegative(Pico) ? unchecked((UInt128)(-Pico)) : (UInt128)Pico;

    /// <summary>Reads a decimal as an integer of 10^-<paramref name="decimals"/>; false on bad text or
    /// overflow.</summary>
    internal static bool TryParseScaled(ReadOnlySpan<char> text, int decimals, out Int128 scaled)
    {
        scaled = 0;
        bool negative = text.Length > 0 && text[0] == '-';
        ReadOnlySpan<char> digits = negative || (text.Length > 0 && text[0] == '+') ? text[1..] : text;
        int point = digits.IndexOf('.');
        ReadOnlySpan<char> whole = point < 0 ? digits : digits[..point];
        ReadOnlySpan<char> fraction = point < 0 ? default : digits[(point + 1)..].TrimEnd('0');
        bool pointWithoutDigits = point >= 0 && digits.Length == point + 1;
        if (whole.IsEmpty || pointWithoutDigits || fraction.Length > decimals
            || whole.ContainsAnyExceptInRange('0', '9') || fraction.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        whole = whole.TrimStart('0');
        if (whole.Length + decimals > 39)
        {
            return false;
        }

        // Built up below zero, where there is room for one more: 38 digits stay within
        // 10³⁸ < 2¹²⁷, only the last can go beyond.
        Int128 value = 0;
        for (int i = 0; i < whole.Length + decimals; i++)
        {
            int at = i - whole.Length;
            int digit = at < 0 ? whole[i] - '0' : at < fraction.Length ? fraction[at] - '0' : 0;
            if (i == 38 && value < (Int128.MinValue + digit) / 10)
            {
                return false;
            }

            value = (value * 10) - digit;
        }

        scaled = negative ? value : value == Int128.MinValue ? 0 : -value;
        return negative || value != Int128.MinValue;
    }
}
