using Ciyuan.Quantities;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Api;

/// <summary>Reads periods and zones as people write them.</summary>
internal static class ApiTime
{
    /// <summary>Zone when none is named.</summary>
    internal const string DefaultZone = "UTC";

    /// <summary>A zone by its IANA name; null when there is none.</summary>
    internal static DateTimeZone? FindZone(string? name) =>
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(string.IsNullOrEmpty(name) ? DefaultZone : name);

    /// <summary>A period from a calendar period, or from bounds of which either may be left out; all time without
    /// any.</summary>
    internal static (Period Period, string? Fault) ParsePeriod(
        string? period, string? from, string? to, string? zoneName)
    {
        if (FindZone(zoneName) is not { } zone)
        {
            return (default, "zone: write the IANA name of a time zone, such as Asia/Shanghai");
        }

        bool hasBounds = !string.IsNullOrEmpty(from) || !string.IsNullOrEmpty(to);
        if (!string.IsNullOrEmpty(period))
        {
            bool read = Period.TryParse(period, zone, out Period calendar) && !hasBounds;
            return (calendar, read ? null : "period: write a year, a month or a day, such as 2026-11, without from "
                + "and to");
        }

        Timestamp start = Timestamp.MinValue;
        Timestamp end = Timestamp.MaxValue;
        if ((!string.IsNullOrEmpty(from) && !Period.TryParseBound(from, zone, out start))
            || (!string.IsNullOrEmpty(to) && !Period.TryParseBound(to, zone, out end)) || end < start)
        {
            return (default, "from, to: write a day, month or year in the zone, or RFC 3339; to is not before from");
        }

        return (new Period(start, end), null);
    }
}
