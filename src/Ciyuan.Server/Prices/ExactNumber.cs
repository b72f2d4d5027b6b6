using System.Globalization;
using System.Numerics;

namespace Ciyuan.Server.Prices;

/// <summary>
/// A decimal of any size, exactly as a file writes it: digits times a power of ten. Catalogues write prices as JSON
/// numbers, <c>1.5e-07</c> too; read as binary floating point they would no longer be what was published.
/// </summary>
internal readonly record struct ExactNumber
{
    /// <summary>Largest power of ten, either way: prices are far within it, and nothing can be made to take long.</summary>
    internal const int MaxExponent = 60;

    private ExactNumber(BigInteger digits, int exponent)
    {
        while (!digits.IsZero && digits % 10 == 0)
        {
            digits /= 10;
            exponent++;
        }

        Digits = digits;
        Exponent = digits.IsZero ? 0 : exponent;
    }

    private BigInteger Digits { get; }

    private int Exponent { get; }

    internal bool IsZero => Digits.IsZero;

    internal bool IsNegative => Digits.Sign < 0;

    /// <summary>How many digits it has before trailing zeros.</summary>
    internal int Significant => BigInteger.Abs(Digits).ToString(CultureInfo.InvariantCulture).Length;

    /// <summary>Reads a decimal, with or without an exponent.</summary>
    internal static bool TryParse(string text, out ExactNumber number)
    {
        number = default;
        int e = text.AsSpan().IndexOfAny('e', 'E');
        ReadOnlySpan<char> mantissa = e < 0 ? text : text.AsSpan(0, e);
        int point = mantissa.IndexOf('.');
        string digits = point < 0 ? mantissa.ToString() : string.Concat(mantissa[..point], mantissa[(point + 1)..]);
        int exponent = 0;
        if (digits.Length > MaxExponent
            || !BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger n)
            || (e >= 0 && !int.TryParse(
                text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            || exponent is < -MaxExponent or > MaxExponent)
        {
            return false;
        }

        number = new ExactNumber(n, exponent - (point < 0 ? 0 : mantissa.Length - point - 1));
        return true;
    }

    /// <summary>Times a power of ten.</summary>
    internal ExactNumber Shifted(int by) => new(Digits, Exponent + by);

    /// <summary>With at most so many digits, half to even.</summary>
    internal ExactNumber Rounded(int significant)
    {
        int surplus = Significant - significant;
        if (surplus <= 0)
        {
            return this;
        }

        BigInteger unit = BigInteger.Pow(10, surplus);
        BigInteger whole = BigInteger.DivRem(BigInteger.Abs(Digits), unit, out BigInteger rest);
        int half = (rest * 2).CompareTo(unit);
        whole += half > 0 || (half == 0 && !whole.IsEven) ? 1 : 0;
        return new ExactNumber(whole * Digits.Sign, Exponent + surplus);
    }

    /// <summary>The decimal, without an exponent and without zeros at the end.</summary>
    public override string ToString()
    {
        string digits = BigInteger.Abs(Digits).ToString(CultureInfo.InvariantCulture);
        string sign = IsNegative ? "-" : "";
        if (Exponent >= 0)
        {
            return sign + digits + new string('0', Exponent);
        }

        digits = digits.PadLeft(1 - Exponent, '0');
        return $"{sign}{digits[..^-Exponent]}.{digits[^-Exponent..]}";
    }
}
