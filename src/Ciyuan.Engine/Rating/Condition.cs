using System.Runtime.InteropServices;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>What conditions ask of a moment and a record. Made once for a record and line.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly ref struct RecordFacts
{
    /// <summary>What the conditions of a line ask of a record, and no more.</summary>
    internal RecordFacts(UsageRecord record, PriceLine line, LocalClock clock, DayCalendar? calendar)
        : this(record.EventTime, record.Counts, record.Tags, line, clock, calendar)
    {
    }

    /// <summary>The same, of a record's parts.</summary>
    internal RecordFacts(
        Timestamp moment, ReadOnlySpan<Count> counts, ReadOnlySpan<Tag> tags, PriceLine line, LocalClock clock,
        DayCalendar? calendar)
    {
        Moment = moment;
        Counts = counts;
        Tags = tags;
        Calendar = calendar;
        if (line.AsksClock)
        {
            (Day, Clock) = clock.At(moment);
        }

        if (line.AsksLengths)
        {
            foreach (ref readonly Count count in Counts)
            {
                Input += count.Meter.Value < 128 ? count.Steps : 0;
                Output += count.Meter.Value is >= 128 and < 256 ? count.Steps : 0;
            }
        }
    }

    internal Timestamp Moment { get; }

    internal ReadOnlySpan<Count> Counts { get; }

    internal ReadOnlySpan<Tag> Tags { get; }

    /// <summary>Local day since 1970-01-01.</summary>
    internal int Day { get; }

    /// <summary>Nanoseconds since local midnight.</summary>
    internal long Clock { get; }

    internal DayCalendar? Calendar { get; }

    /// <summary>All input tokens.</summary>
    internal long Input { get; }

    /// <summary>All output tokens.</summary>
    internal long Output { get; }
}

/// <summary>A part of a condition, for words.</summary>
internal enum ConditionPart
{
    None,
    From,
    To,
    Days,
    Times,
    Input,
    Output,
    Tags,
    Tokens,
    DayKinds,
}

/// <summary>When a rule or factor holds, read and checked: all parts that are given must hold.</summary>
internal sealed class Condition
{
    internal Period Within { get; init; } = Period.Always;

    /// <summary>Bits by weekday, Monday first.</summary>
    internal int Days { get; init; } = 127;

    /// <summary>Bits by <see cref="DayKind"/>; 0 when it does not matter.</summary>
    internal int DayKinds { get; init; }

    /// <summary>Clock times in nanoseconds since midnight; a start at or after the end spans midnight.</summary>
    internal (long Start, long End)[] Times { get; init; } = [];

    internal long InputOver { get; init; } = -1;

    internal long InputUpTo { get; init; } = long.MaxValue;

    internal long OutputOver { get; init; } = -1;

    internal long OutputUpTo { get; init; } = long.MaxValue;

    /// <summary>Each label must have one of the values; an empty value stands for no such label.</summary>
    internal (string Name, string[] Values)[] Tags { get; init; } = [];

    internal MeterPattern? AnyTokensOf { get; init; }

    internal bool AsksClock => Days != 127 || Times.Length > 0 || DayKinds != 0;

    internal bool AsksLengths => InputOver >= 0 || InputUpTo < long.MaxValue || OutputOver >= 0
        || OutputUpTo < long.MaxValue;

    /// <summary>
    /// The first part that does not hold; none when all hold. The kind of the day is asked last, so a calendar that
    /// does
    /// not cover it matters only when it decides: then the part is <see cref="ConditionPart.DayKinds"/> and
    /// <paramref name="unknown"/> is set.
    /// </summary>
    internal ConditionPart FindFailing(in RecordFacts facts, out bool unknown)
    {
        unknown = false;
        if (!Within.Contains(facts.Moment))
        {
            return facts.Moment < Within.Start ? ConditionPart.From : ConditionPart.To;
        }

        if (facts.Input <= InputOver || facts.Input > InputUpTo)
        {
            return ConditionPart.Input;
        }

        if (facts.Output <= OutputOver || facts.Output > OutputUpTo)
        {
            return ConditionPart.Output;
        }

        if ((Days & (1 << LocalClock.Weekday(facts.Day))) == 0)
        {
            return ConditionPart.Days;
        }

        if (Times.Length > 0 && !IsIn(Times, facts.Clock))
        {
            return ConditionPart.Times;
        }

        ConditionPart failing = FindFailingInRecord(facts);
        if (failing != ConditionPart.None || DayKinds == 0)
        {
            return failing;
        }

        DayKind kind = facts.Calendar?[facts.Day] ?? DayKind.Unknown;
        unknown = kind == DayKind.Unknown;
        return (DayKinds & (1 << (int)kind)) == 0 ? ConditionPart.DayKinds : ConditionPart.None;
    }

    private ConditionPart FindFailingInRecord(in RecordFacts facts)
    {
        foreach ((string name, string[] values) in Tags)
        {
            if (!Carries(facts.Tags, name, values))
            {
                return ConditionPart.Tags;
            }
        }

        return AnyTokensOf is { } pattern && !HasTokens(facts.Counts, pattern)
            ? ConditionPart.Tokens
            : ConditionPart.None;
    }

    private static bool IsIn((long Start, long End)[] times, long clock)
    {
        foreach ((long start, long end) in times)
        {
            if (start < end ? clock >= start && clock < end : clock >= start || clock < end)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Carries(ReadOnlySpan<Tag> tags, string name, string[] values)
    {
        string value = "";
        foreach (ref readonly Tag tag in tags)
        {
            if (tag.Name == name)
            {
                value = tag.Value;
                break;
            }
        }

        return Array.IndexOf(values, value) >= 0;
    }

    private static bool HasTokens(ReadOnlySpan<Count> counts, MeterPattern pattern)
    {
        foreach (ref readonly Count count in counts)
        {
            if (count.Steps > 0 && pattern.Matches(count.Meter))
            {
                return true;
            }
        }

        return false;
    }
}
