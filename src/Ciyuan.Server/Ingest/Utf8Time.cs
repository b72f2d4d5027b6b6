using System.Text;
using Ciyuan.Quantities;

namespace Ciyuan.Server.Ingest;

/// <summary>Reads times from UTF-8 bytes without making strings, for the shapes that programs write.</summary>
public static class Utf8Time
{
    private const int MaxLength = 64; // far above any time with nine decimals and a zone

    private static ReadOnlySpan<int> NanosecondsPerDigit =>
        [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

    /// <summary>
    /// Reads RFC 3339 with 0 to 9 decimals and <c>Z</c> or <c>±hh:mm</c>, years 1678 to 2261; whatever else looks
    /// unusual is left to <see cref="Timestamp.TryParse"/>, so the two never differ.
    /// </summary>
    public static bool TryParseRfc3339(ReadOnlySpan<byte> text, out Timestamp time)
    {
        if (TryParseLocal(text, (byte)'T', out long nanoseconds, out int length)
            && TryParseZone(text[length..], out long offsetSeconds))
        {
            time = new Timestamp(nanoseconds - (offsetSeconds * Timestamp.PerSecond));
            return true;
        }

        time = default;
        return text.Length is > 0 and <= MaxLength && Timestamp.TryParse(Encoding.UTF8.GetString(text), out time);
    }

    /// <summary>
    /// Reads <c>yyyy-MM-dd HH:mm:ss[.fffffffff]</c> with the given separator between day and time.
    /// </summary>
    /// <param name="text">The bytes; what follows the time is left over.</param>
    /// <param name="separator">Between day and time.</param>
    /// <param name="nanoseconds">Since 1970-01-01 by the same clock.</param>
    /// <param name="length">How many bytes were read.</param>
    internal static bool TryParseLocal(ReadOnlySpan<byte> text, byte separator, out long nanoseconds, out int length)
    {
        nanoseconds = 0;
        length = 19;
        if (text.Length < 19 || text[4] != '-' || text[7] != '-' || text[10] != separator || text[13] != ':'
            || text[16] != ':' || !TwoDigits(text, 0, out int century) || !TwoDigits(text, 2, out int year)
            || !TwoDigits(text, 5, out int month)
            || !TwoDigits(text, 8, out int day) || !TwoDigits(text, 11, out int hour)
            || !TwoDigits(text, 14, out int minute)
            || !TwoDigits(text, 17, out int second))
        {
            return false;
        }

        year += century * 100;
        if (year is < 1678 or > 2261 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)
            || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        int fraction = 0;
        if (text.Length > 19 && text[19] == '.' && !TryParseFraction(text[20..], out fraction, out length))
        {
            return false;
        }

        long seconds = (DaysSince1970(year, month, day) * 86_400L) + (hour * 3600) + (minute * 60) + second;
        nanoseconds = (seconds * Timestamp.PerSecond) + fraction;
        return true;
    }

    private static bool TryParseFraction(ReadOnlySpan<byte> text, out int nanoseconds, out int length)
    {
        nanoseconds = 0;
        int digits = 0;
        for (; digits < text.Length && digits < 10 && text[digits] is >= (byte)'0' and <= (byte)'9'; digits++)
        {
            nanoseconds = digits < 9 ? (nanoseconds * 10) + (text[digits] - '0') : nanoseconds;
        }

        length = 20 + digits;
        if (digits is 0 or > 9)
        {
            return false;
        }

        nanoseconds *= NanosecondsPerDigit[digits];
        return true;
    }

    private static bool TryParseZone(ReadOnlySpan<byte> zone, out long seconds)
    {
        seconds = 0;
        if (zone.Length == 1)
        {
            return zone[0] == 'Z';
        }

        if (zone.Length != 6 || zone[0] is not ((byte)'+' or (byte)'-') || zone[3] != ':'
            || !TwoDigits(zone, 1, out int hours) || !TwoDigits(zone, 4, out int minutes) || hours > 17 || minutes > 59)
        {
            return false;
        }

        seconds = ((hours * 3600) + (minutes * 60)) * (zone[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool TwoDigits(ReadOnlySpan<byte> text, int at, out int value)
    {
        uint high = unchecked((uint)(text[at] - '0'));
        uint low = unchecked((uint)(text[at + 1] - '0'));
        value = unchecked((int)((high * 10) + low));
        return high <= 9 && low <= 9;
    }

    // Days from civil date with March as the first month of the year, so that the leap day comes last.
    private static int DaysSince1970(int year, int month, int day)
    {
        const int DaysFromYear0ToEpoch = 719_468;
        int y = month <= 2 ? year - 1 : year;
        int dayOfYear = ((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5 + day - 1;
        return (y * 365) + (y / 4) - (y / 100) + (y / 400) + dayOfYear - DaysFromYear0ToEpoch;
    }
}
