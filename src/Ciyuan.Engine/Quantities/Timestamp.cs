using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Quantities;

/// <summary>A moment in UTC, as nanoseconds since 1970-01-01T00:00:00Z; leap seconds are not counted.</summary>
/// <remarks>Range 1677-09-21 to 2262-04-11. The default value is the epoch. Naming a zone happens only where people
/// read or write days and months: see <see cref="Period"/>.</remarks>
public readonly record struct Timestamp(long UnixNanoseconds) : IComparable<Timestamp>
{
    /// <summary>Nanoseconds in a second.</summary>
    public const long PerSecond = 1_000_000_000;

    /// <summary>The earliest moment; stands for "always" as the start of a validity.</summary>
    public static Timestamp MinValue => new(long.MinValue);

    /// <summary>The latest moment; stands for "without end" as the end of a validity.</summary>
    public static Timestamp MaxValue => new(long.MaxValue);

    /// <inheritdoc/>
    public int CompareTo(Timestamp other) => UnixNanoseconds.CompareTo(other.UnixNanoseconds);

    /// <summary>From a NodaTime instant.</summary>
    /// <exception cref="OverflowException">Outside 1677 to 2262.</exception>
    public static Timestamp FromInstant(Instant instant) =>
        new((instant - NodaConstants.UnixEpoch).ToInt64Nanoseconds());

    /// <summary>From a .NET moment; exact, since its ticks are 100 ns.</summary>
    public static Timestamp FromDateTimeOffset(DateTimeOffset moment) =>
        new(checked((moment.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) * 100));

    /// <summary>As a NodaTime instant.</summary>
    public Instant ToInstant() => Instant.FromUnixTimeTicks(Math.DivRem(UnixNanoseconds, 100, out long rest))
        .PlusNanoseconds(rest);

    /// <summary>Later by some nanoseconds; throws on overflow.</summary>
    public Timestamp PlusNanoseconds(long nanoseconds) => new(checked(UnixNanoseconds + nanoseconds));

    /// <summary>Reads RFC 3339, such as <c>2026-11-01T08:00:00.5+08:00</c>; a zone or <c>Z</c> is required.</summary>
    public static bool TryParse(string text, out Timestamp timestamp)
    {
        timestamp = default;
        ParseResult<OffsetDateTime> parsed = OffsetDateTimePattern.Rfc3339.Parse(text);
        if (!parsed.Success)
        {
            return false;
        }

        Instant instant = parsed.Value.ToInstant();
        if (instant < MinValue.ToInstant() || instant > MaxValue.ToInstant())
        {
            return false;
        }

        timestamp = FromInstant(instant);
        return true;
    }

    /// <summary>RFC 3339 in UTC with as many decimals as needed: <c>2026-11-01T00:00:00.5Z</c>.</summary>
    public override string ToString() => InstantPattern.ExtendedIso.Format(ToInstant());

    /// <summary>Earlier.</summary>
    public static bool operator <(Timestamp left, Timestamp right) => left.UnixNanoseconds < right.UnixNanoseconds;

    /// <summary>Later.</summary>
    public static bool operator >(Timestamp left, Timestamp right) => left.UnixNanoseconds > right.UnixNanoseconds;

    /// <summary>Not later.</summary>
    public static bool operator <=(Timestamp left, Timestamp right) => left.UnixNanoseconds <= right.UnixNanoseconds;

    /// <summary>Not earlier.</summary>
    public static bool operator >=(Timestamp left, Timestamp right) => left.UnixNanoseconds >= right.UnixNanoseconds;
}
