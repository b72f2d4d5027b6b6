using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>Reads quantities from UTF-8 digits, exactly.</summary>
internal static class Utf8Decimal
{
    private const int MaxDigits = 18; // 10¹⁸ is below 2⁶³, so nothing overflows before the range is checked

    /// <summary>
    /// Reads a plain decimal of 0 or more as an integer of 10^-<paramref name="places"/>, at most
    /// <see cref="UsageRecord.MaxSteps"/>. No sign, exponent or grouping; more places than those, zeros at the end
    /// aside, are refused: nothing is rounded.
    /// </summary>
    internal static bool TryParseSteps(ReadOnlySpan<byte> text, int places, out long steps)
    {
        steps = 0;
        int point = text.IndexOf((byte)'.');
        ReadOnlySpan<byte> whole = point < 0 ? text : text[..point];
        ReadOnlySpan<byte> fraction = point < 0 ? default : text[(point + 1)..];
        if (whole.IsEmpty || whole.Length > MaxDigits || (point >= 0 && fraction.IsEmpty))
        {
            return false;
        }

        if (point >= 0)
        {
            fraction = fraction.TrimEnd((byte)'0');
        }

        if (fraction.Length > places || (places > 0 && whole.Length + places > MaxDigits)
            || !TryAddDigits(whole, ref steps))
        {
            return false;
        }

        for (int i = 0; i < places; i++)
        {
            int digit = i < fraction.Length ? fraction[i] - '0' : 0;
            if (digit is < 0 or > 9)
            {
                return false;
            }

            steps = (steps * 10) + digit;
        }

        return steps <= UsageRecord.MaxSteps;
    }

    private static bool TryAddDigits(ReadOnlySpan<byte> digits, ref long value)
    {
        foreach (byte character in digits)
        {
            int digit = character - '0';
            if (digit is < 0 or > 9)
            {
                return false;
            }

            value = (value * 10) + digit;
        }

        return true;
    }
}
