using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace Ciyuan.Quantities;

/// <summary>An exact number of 0 or more, in lowest terms: what prices, factors and exchange rates are until they have
/// been multiplied together. For making rates and for words; charges are integers.</summary>
public readonly record struct Fraction
{
    /// <summary>Most characters of a number that is read: far beyond any price, and a bound on the work.</summary>
    public const int MaxLength = 60;

    private readonly BigInteger _denominator; // 0 in the default value, which stands for 0/1

    /// <summary>Makes a fraction in lowest terms.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below zero, or divided by less than one.</exception>
    public Fraction(BigInteger numerator, BigInteger denominator)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(numerator);
        ArgumentOutOfRangeException.ThrowIfLessThan(denominator, BigInteger.One);
        BigInteger common = BigInteger.GreatestCommonDivisor(numerator, denominator);
        Numerator = numerator / common;
        _denominator = denominator / common;
    }

    /// <summary>0 or more.</summary>
    public BigInteger Numerator { get; }

    /// <summary>1 or more.</summary>
    public BigInteger Denominator => _denominator.IsZero ? BigInteger.One : _denominator;

    /// <summary>1.</summary>
    public static Fraction One => new(1, 1);

    /// <summary>Exact product.</summary>
    public static Fraction operator *(Fraction left, Fraction right) =>
        new(left.Numerator * right.Numerator, left.Denominator * right.Denominator);

    /// <summary>Exact quotient.</summary>
    /// <exception cref="DivideByZeroException">Divided by zero.</exception>
    public static Fraction operator /(Fraction left, Fraction right) => right.Numerator.IsZero
        ? throw new DivideByZeroException()
        : new(left.Numerator * right.Denominator, left.Denominator * right.Numerator);

    /// <summary>Exact sum.</summary>
    public static Fraction operator +(Fraction left, Fraction right) => new(
        (left.Numerator * right.Denominator) + (right.Numerator * left.Denominator),
        left.Denominator * right.Denominator);

    /// <summary>Exact product.</summary>
    public static Fraction Multiply(Fraction left, Fraction right) => left * right;

    /// <summary>Exact quotient.</summary>
    public static Fraction Divide(Fraction left, Fraction right) => left / right;

    /// <summary>Exact sum.</summary>
    public static Fraction Add(Fraction left, Fraction right) => left + right;

    /// <summary>Reads <c>0.36</c>, or <c>0.36/3600</c>: a plain decimal of 0 or more, alone or divided by a whole
    /// number
    /// above zero.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Fraction value)
    {
        value = default;
        if (text is null || text.Length > MaxLength)
        {
            return false;
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        ReadOnlySpan<char> number = slash < 0 ? text : text.AsSpan(0, slash);
        BigInteger divisor = BigInteger.One;
        if (slash >= 0 && (!TryParseDigits(text.AsSpan(slash + 1), out divisor) || divisor.IsZero))
        {
            return false;
        }

        int point = number.IndexOf('.');
        ReadOnlySpan<char> whole = point < 0 ? number : number[..point];
        ReadOnlySpan<char> decimals = point < 0 ? "0" : number[(point + 1)..];
        if (!TryParseDigits(whole, out BigInteger units) || !TryParseDigits(decimals, out BigInteger part))
        {
            return false;
        }

        BigInteger scale = point < 0 ? 10 : BigInteger.Pow(10, decimals.Length);
        value = new Fraction((units * scale) + part, scale * divisor);
        return true;
    }

    /// <summary>The exact decimal where there is one, else numerator and denominator: <c>0.017</c>,
    /// <c>1/3</c>.</summary>
    public override string ToString()
    {
        int decimals = 0;
        BigInteger rest = Denominator;
        BigInteger scale = BigInteger.One;
        while (decimals < MaxLength && !(scale % rest).IsZero)
        {
            scale *= 10;
            decimals++;
        }

        if (!(scale % rest).IsZero)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Numerator}/{Denominator}");
        }

        string digits = (Numerator * (scale / rest)).ToString(CultureInfo.InvariantCulture)
            .PadLeft(decimals + 1, '0');
        return decimals == 0 ? digits : $"{digits[..^decimals]}.{digits[^decimals..]}";
    }

    private static bool TryParseDigits(ReadOnlySpan<char> text, out BigInteger value)
    {
        value = default;
        return !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9')
            && BigInteger.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
