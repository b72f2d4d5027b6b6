using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Rating;

/// <summary>Reads and checks the condition of a rule or factor.</summary>
internal static class ReadCondition
{
    internal static readonly string[] KindNames = ["", "workday", "weekend", "holiday", "make_up_workday"];

    private static readonly LocalTimePattern[] ClockPatterns =
    [
        LocalTimePattern.CreateWithInvariantCulture("HH:mm"), LocalTimePattern.CreateWithInvariantCulture("HH:mm:ss"),
    ];

    internal static Condition Read(WhenSetup when, bool hasCalendar, string what, List<string> faults)
    {
        int kinds = ReadNames(when.DayKinds, KindNames, "day_kinds", what, faults);
        if (kinds != 0 && !hasCalendar)
        {
            faults.Add($"{what}: asks for kinds of days, so the book must name its 'calendar'");
        }

        CheckRange(when.InputOver, when.InputUpTo, "input", what, faults);
        CheckRange(when.OutputOver, when.OutputUpTo, "output", what, faults);
        MeterPattern pattern = default;
        if (when.AnyTokensOf is { } tokens
            && (!MeterPattern.TryParse(tokens, out pattern) || pattern.Value >= 256))
        {
            faults.Add($"{what}: any_tokens_of '{tokens}' is no token class such as output.text.reasoning, or front "
                + "part of one");
        }

        return new Condition
        {
            Within = Catalog.ReadValidity(when.From ?? "", when.To ?? "", what, faults),
            Days = when.Days is null ? 127 : ReadNames(when.Days, ReadCalendar.DayNames, "days", what, faults),
            DayKinds = kinds,
            Times = [.. (when.Times ?? []).Select(t => ReadTimes(t, what, faults))],
            InputOver = when.InputOver ?? -1,
            InputUpTo = when.InputUpTo ?? long.MaxValue,
            OutputOver = when.OutputOver ?? -1,
            OutputUpTo = when.OutputUpTo ?? long.MaxValue,
            Tags = ReadTags(when, what, faults),
            AnyTokensOf = when.AnyTokensOf is null ? null : pattern,
        };
    }

    private static int ReadNames(
        IReadOnlyList<string>? given, string[] known, string field, string what, List<string> faults)
    {
        int bits = 0;
        foreach (string name in given ?? [])
        {
            int at = name.Length == 0 ? -1 : Array.IndexOf(known, name);
            bits |= at < 0 ? 0 : 1 << at;
            if (at < 0)
            {
                faults.Add($"{what}: {field} has '{name}'; there are "
                    + string.Join(", ", known.Where(k => k.Length > 0)));
            }
        }

        if (given is { Count: 0 })
        {
            faults.Add($"{what}: {field} is empty, so the condition could never hold; leave it out");
        }

        return bits;
    }

    private static void CheckRange(long? over, long? upTo, string name, string what, List<string> faults)
    {
        if (over < 0 || upTo < 0 || over >= upTo)
        {
            faults.Add($"{what}: {name}_over {over} and {name}_up_to {upTo} leave no number between them");
        }
    }

    private static (long Start, long End) ReadTimes(string text, string what, List<string> faults)
    {
        string[] ends = text.Split('-');
        if (ends.Length == 2 && TryReadClock(ends[0], false, out long start)
            && TryReadClock(ends[1], true, out long end) && start != end)
        {
            return (start, end);
        }

        faults.Add($"{what}: times has '{text}'; write 09:00-12:00, with 24:00 as the end of the day");
        return default;
    }

    private static bool TryReadClock(string text, bool isEnd, out long nanoseconds)
    {
        nanoseconds = LocalClock.PerDay;
        if (isEnd && text == "24:00")
        {
            return true;
        }

        foreach (LocalTimePattern pattern in ClockPatterns)
        {
            ParseResult<LocalTime> parsed = pattern.Parse(text);
            if (parsed.Success)
            {
                nanoseconds = parsed.Value.NanosecondOfDay;
                return true;
            }
        }

        return false;
    }

    private static (string Name, string[] Values)[] ReadTags(WhenSetup when, string what, List<string> faults)
    {
        var tags = new List<(string Name, string[] Values)>();
        foreach ((string name, IReadOnlyList<string> values) in when.Tags
            ?? new Dictionary<string, IReadOnlyList<string>>())
        {
            if (name.Length is 0 or > 64 || values.Count == 0 || values.Any(v => v.Length > UsageRecord.MaxNameLength))
            {
                faults.Add($"{what}: tag '{name}' needs a name of 1 to 64 characters and one or more values");
            }

            tags.Add((name, [.. values]));
        }

        return [.. tags.OrderBy(t => t.Name, StringComparer.Ordinal)];
    }
}
