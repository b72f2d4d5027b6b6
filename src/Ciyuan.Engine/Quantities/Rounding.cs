using System.Numerics;

namespace Ciyuan.Quantities;

/// <summary>
/// The one place where amounts lose digits, and the one place where an amount is divided. Rounding happens on a
/// statement, where its difference is a line of its own, and in a charge whose prices are finer than a pico a step;
/// division hands out every pico.
/// </summary>
public static class Rounding
{
    /// <summary>
    /// Rounds half to even to the currency's minor unit (a fen, a cent, a whole token).
    /// <c>Rounded = exact + Difference</c>, so the difference can be posted.
    /// </summary>
    public static (Amount Rounded, Amount Difference) ToMinorUnit(Amount exact, Currency currency)
    {
        Int128 step = MinorStep(currency);
        (Int128 quotient, Int128 rest) = Int128.DivRem(exact.Pico, step);
        Int128 twice = Int128.Abs(rest) * 2;
        if (twice > step || (twice == step && Int128.IsOddInteger(quotient)))
        {
            quotient += Int128.Sign(exact.Pico);
        }

        var rounded = new Amount(checked(quotient * step));
        return (rounded, rounded - exact);
    }

    /// <summary>
    /// Takes a gross amount of whole minor units apart (价税分离): net = gross ÷ (1 + rate) to the minor unit, halves away
    /// from zero as tax is rounded, and tax = gross − net, so that the two are always the gross.
    /// </summary>
    /// <param name="gross">Whole minor units; may be negative.</param>
    /// <param name="ppm">The rate in millionths, 0 or more.</param>
    /// <param name="currency">Currency.</param>
    public static (Amount Net, Amount Tax) SplitTax(Amount gross, int ppm, Currency currency)
    {
        Int128 step = MinorStep(currency);
        var net = new Amount(DivideAway(gross.Pico / step * 1_000_000, 1_000_000 + (Int128)ppm) * step);
        return (net, gross - net);
    }

    /// <summary>The tax on a net amount of whole minor units: net × rate to the minor unit, halves away from
    /// zero.</summary>
    /// <param name="net">Whole minor units; may be negative.</param>
    /// <param name="ppm">The rate in millionths, 0 or more.</param>
    /// <param name="currency">Currency.</param>
    public static Amount TaxOn(Amount net, int ppm, Currency currency)
    {
        Int128 step = MinorStep(currency);
        return new Amount(DivideAway(net.Pico / step * ppm, 1_000_000) * step);
    }

    /// <summary>One minor unit of a currency in pico.</summary>
    public static Int128 MinorStep(Currency currency)
    {
        Int128 step = Amount.PicoPerUnit;
        for (int i = 0; i < currency.MinorDigits; i++)
        {
            step /= 10;
        }

        return step;
    }

    private static Int128 DivideAway(Int128 numerator, Int128 divisor)
    {
        (Int128 quotient, Int128 rest) = Int128.DivRem(numerator, divisor);
        return Int128.Abs(rest) * 2 >= divisor ? quotient + Int128.Sign(numerator) : quotient;
    }

    /// <summary>The quotient, half to even: an amount whose prices stand for <paramref name="divisor"/>
    /// steps.</summary>
    /// <param name="numerator">Pico times the divisor; may be negative.</param>
    /// <param name="divisor">1 or more.</param>
    public static Int128 Divide(Int128 numerator, long divisor)
    {
        if (divisor == 1)
        {
            return numerator;
        }

        (Int128 quotient, Int128 rest) = Int128.DivRem(numerator, divisor);
        Int128 twice = Int128.Abs(rest) * 2;
        return twice > divisor || (twice == divisor && Int128.IsOddInteger(quotient))
            ? quotient + Int128.Sign(numerator)
            : quotient;
    }

    /// <summary>The amount in another unit, half to even: for what is shown beside a charge, such as its price before
    /// the exchange.</summary>
    /// <param name="amount">May be negative.</param>
    /// <param name="by">How much of the amount's unit is one of the other; above zero.</param>
    public static Amount Divide(Amount amount, Fraction by)
    {
        BigInteger size = DivideEven(BigInteger.Abs(amount.Pico) * by.Denominator, by.Numerator);
        return new Amount((Int128)(amount.IsNegative ? -size : size));
    }

    /// <summary>The part of an amount that belongs to a part of its quantity, half to even: for telling how much of a
    /// difference is one of quantity.</summary>
    /// <param name="amount">May be negative.</param>
    /// <param name="part">May be negative, or more than the whole.</param>
    /// <param name="whole">Not 0.</param>
    public static Amount Proportion(Amount amount, Int128 part, Int128 whole)
    {
        BigInteger product = (BigInteger)amount.Pico * part;
        bool isNegative = (product.Sign < 0) != Int128.IsNegative(whole);
        BigInteger size = DivideEven(BigInteger.Abs(product), BigInteger.Abs(whole));
        return new Amount((Int128)(isNegative ? -size : size));
    }

    private static BigInteger DivideEven(BigInteger numerator, BigInteger divisor)
    {
        BigInteger quotient = BigInteger.DivRem(numerator, divisor, out BigInteger rest);
        int half = (rest * 2).CompareTo(divisor);
        return quotient + (half > 0 || (half == 0 && !quotient.IsEven) ? 1 : 0);
    }

    /// <summary>
    /// Splits an amount by integer weights so that the shares add up to it exactly (largest remainder, known as the
    /// Hamilton method): each share is rounded towards zero, and what is left is given one pico at a time to the
    /// largest remainders, the earlier share first where they are equal.
    /// </summary>
    /// <param name="total">What is split; may be negative.</param>
    /// <param name="weights">Weights of 0 or more, with a positive sum of at most 10⁹.</param>
    /// <param name="shares">Receives one share for each weight.</param>
    /// <exception cref="ArgumentException">The weights are not of that kind, or the lengths differ.</exception>
    public static void Split(Amount total, ReadOnlySpan<long> weights, Span<Amount> shares)
    {
        const long MaxSum = 1_000_000_000;
        long sum = 0;
        foreach (long weight in weights)
        {
            sum = weight is < 0 or > MaxSum ? MaxSum + 1 : Math.Min(sum + weight, MaxSum + 1);
        }

        if (sum is 0 or > MaxSum || shares.Length != weights.Length)
        {
            throw new ArgumentException(
                "Weights must be 0 or more with a sum of 1 to 10^9, a share for each.", nameof(weights));
        }

        Span<long> remainders = weights.Length <= 64 ? stackalloc long[weights.Length] : new long[weights.Length];
        // Amounts of one call nearly always fit 64 bits, where dividing is ten times as fast.
        long left = total.Pico == unchecked((long)total.Pico)
            ? Cut((long)total.Pico, weights, sum, shares, remainders)
            : Cut(total.Pico, weights, sum, shares, remainders);
        for (; left != 0; left -= Math.Sign(left))
        {
            int largest = 0;
            for (int i = 1; i < remainders.Length; i++)
            {
                largest = remainders[i] > remainders[largest] ? i : largest;
            }

            shares[largest] = new Amount(shares[largest].Pico + Math.Sign(left));
            remainders[largest] = -1;
        }
    }

    /// <summary>Cuts shares towards zero; gives what is left, less than one for each share. A share is value × weight ÷
    /// sum, its remainder the size of what is left of it in units of 1/sum.</summary>
    private static long Cut(
        long value, ReadOnlySpan<long> weights, long sum, Span<Amount> shares, Span<long> remainders)
    {
        // value = whole·sum + part, so a share is whole·weight + part·weight/sum and every product stays in range.
        long left = value;
        (long whole, long part) = Math.DivRem(value, sum);
        for (int i = 0; i < weights.Length; i++)
        {
            (long quotient, long rest) = Math.DivRem(part * weights[i], sum);
            long share = (whole * weights[i]) + quotient;
            remainders[i] = Math.Abs(rest);
            shares[i] = new Amount(share);
            left -= share;
        }

        return left;
    }

    private static long Cut(
        Int128 value, ReadOnlySpan<long> weights, long sum, Span<Amount> shares, Span<long> remainders)
    {
        Int128 left = value;
        (Int128 whole, Int128 part) = Int128.DivRem(value, sum);
        for (int i = 0; i < weights.Length; i++)
        {
            (Int128 quotient, Int128 rest) = Int128.DivRem(part * weights[i], sum);
            Int128 share = (whole * weights[i]) + quotient;
            remainders[i] = (long)Int128.Abs(rest);
            shares[i] = new Amount(share);
            left -= share;
        }

        return (long)left;
    }
}
