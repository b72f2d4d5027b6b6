using System.Globalization;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>
/// All cases that a line's rules tell apart. Each condition looks at one side of a case (its length, its day, a label,
/// …); for each value of a side that matters, one bit says for each rule whether that part of its condition holds. A
/// rule holds where all of its parts do, so the cases are the combinations, and few, since values with the same bits are
/// one.
/// </summary>
internal sealed class RuleGrid
{
    /// <summary>Most rules: one bit each.</summary>
    internal const int MaxRules = 64;

    /// <summary>Most combinations that are looked at; a line with more is not checked, and that is said.</summary>
    internal const int MaxCases = 1_000_000;

    private readonly List<Side> _sides = [];
    private readonly IReadOnlyList<RuleSetup> _rules;

    internal RuleGrid(IReadOnlyList<RuleSetup> rules)
    {
        _rules = rules;
        AddLengths("input tokens", w => (w.InputOver, w.InputUpTo));
        AddLengths("output tokens", w => (w.OutputOver, w.OutputUpTo));
        AddClock();
        AddDays();
        AddMoments();
        AddTags();
        foreach (string of in rules.Select(r => r.When.AnyTokensOf).OfType<string>().Distinct())
        {
            Add($"tokens of {of}", ["some", "none"], (w, value) => w.AnyTokensOf != of || value == "some");
        }
    }

    /// <summary>Whether the cases are few enough to look at each.</summary>
    internal bool IsSmall => _rules.Count <= MaxRules
        && _sides.Aggregate(1L, (product, side) => Math.Min(MaxCases + 1L, product * side.Values.Count)) <= MaxCases;

    /// <summary>Each case: which rules hold in it, and how to find it again.</summary>
    internal IEnumerable<(ulong Holds, int[] Values)> Cases()
    {
        int[] at = new int[_sides.Count];
        while (true)
        {
            ulong holds = ulong.MaxValue;
            for (int i = 0; i < at.Length; i++)
            {
                holds &= _sides[i].Values[at[i]].Holds;
            }

            yield return (holds, at);
            int side = 0;
            while (side < at.Length && ++at[side] == _sides[side].Values.Count)
            {
                at[side++] = 0;
            }

            if (side == at.Length)
            {
                yield break;
            }
        }
    }

    /// <summary>A case in words: the sides that matter.</summary>
    internal string Describe(int[] values) => string.Join(", ", _sides
        .Select((side, i) => side.Values.Count > 1 ? $"{side.Name} {side.Values[values[i]].Name}" : "")
        .Where(text => text.Length > 0));

    /// <summary>Whether a case is one that its rules leave open on purpose: longer than the last tier, or a label that no
    /// rule names.</summary>
    internal bool IsOpenEnd(int[] values) => _sides
        .Select((side, i) => side.OpenEnd is { } end && side.Values.Count > 1 && side.Values[values[i]].Name == end)
        .Any(open => open);

    private void AddLengths(string name, Func<WhenSetup, (long? Over, long? UpTo)> bounds)
    {
        long[] ends = [.. _rules.Select(r => bounds(r.When))
            .SelectMany(b => (long?[])[b.Over, b.UpTo]).OfType<long>().Append(0).Distinct().Order()];
        string[] values = [.. ends.Zip(ends.Skip(1), Span), $"over {Plain(ends[^1])}"];
        Add(name, values, (when, value) =>
        {
            (long? over, long? upTo) = bounds(when);
            long least = ends[System.Array.IndexOf(values, value)] + 1;
            return (over is null || least > over) && (upTo is null || least <= upTo);
        }, values[^1], keepsAll: true); // a hole is not the end, though no rule holds in either
    }

    private static string Span(long after, long end) => $"{Plain(after + 1)} to {Plain(end)}";

    private static string Plain(long value) => value.ToString(CultureInfo.InvariantCulture);

    private void AddClock()
    {
        int[] minutes = [.. _rules.SelectMany(r => r.When.Times ?? []).SelectMany(Ends).Append(0).Distinct().Order()];
        string[] values = [.. minutes.Select(Clock)];
        Add("from", values, (when, value) => when.Times is null
            || when.Times.Any(time => Contains(time, minutes[System.Array.IndexOf(values, value)])));
    }

    private static int[] Ends(string time) => time.Split('-') is [var a, var b] && Minute(a) is int start
        && Minute(b) is int end ? [start, end % (24 * 60)] : [];

    private static bool Contains(string time, int minute) => time.Split('-') is [var a, var b]
        && Minute(a) is int start && Minute(b) is int end
        && (start <= end ? minute >= start && minute < end : minute >= start || minute < end);

    // 24:00 is the end of a day.
    private static int? Minute(string clock) => clock.Trim().Split(':') is [var h, var m, ..]
        && int.TryParse(h, NumberStyles.None, CultureInfo.InvariantCulture, out int hour)
        && int.TryParse(m, NumberStyles.None, CultureInfo.InvariantCulture, out int minute)
            ? (hour * 60) + minute
            : null;

    private static string Clock(int minute) =>
        string.Create(CultureInfo.InvariantCulture, $"{minute / 60:00}:{minute % 60:00}");

    private void AddDays()
    {
        string[] days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        string[] values = [.. days.SelectMany((day, i) => i < 5
            ? (string[])[$"{day} workday", $"{day} holiday"]
            : [$"{day} weekend", $"{day} holiday", $"{day} make_up_workday"])];
        Add("on", values, (when, value) => value.Split(' ') is [var day, var kind]
            && (when.Days is null || when.Days.Contains(day))
            && (when.DayKinds is null || when.DayKinds.Contains(kind)));
    }

    private void AddMoments()
    {
        DateTimeOffset[] moments = [.. _rules.SelectMany(r => (string?[])[r.When.From, r.When.To])
            .Select(Moment).OfType<DateTimeOffset>().Distinct().Order()];
        string[] values = ["before", .. moments.Select(m => $"since {m.ToString("O", CultureInfo.InvariantCulture)}")];
        Add("time", values, (when, value) =>
        {
            int at = System.Array.IndexOf(values, value) - 1;
            return (Moment(when.From) is not { } from || (at >= 0 && moments[at] >= from))
                && (Moment(when.To) is not { } to || at < 0 || moments[at] < to);
        });
    }

    internal static DateTimeOffset? Moment(string? text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment)
            ? moment.ToUniversalTime()
            : null;

    private void AddTags()
    {
        const string Other = "(another)";
        foreach (string tag in _rules.SelectMany(r => r.When.Tags?.Keys ?? []).Distinct(StringComparer.Ordinal))
        {
            string[] values = [.. _rules
                .SelectMany(r => r.When.Tags?.GetValueOrDefault(tag) ?? []).Append("").Distinct(), Other];
            Add($"label {tag}", [.. values.Select(v => v.Length == 0 ? "(none)" : v)],
                (when, value) => when.Tags?.GetValueOrDefault(tag) is not { } wanted
                    || wanted.Contains(value == "(none)" ? "" : value), Other);
        }
    }

    private void Add(
        string name, string[] values, Func<WhenSetup, string, bool> holds, string? openEnd = null,
        bool keepsAll = false)
    {
        var side = new Side(name, [], openEnd);
        foreach (string value in values)
        {
            ulong bits = 0;
            for (int i = 0; i < Math.Min(MaxRules, _rules.Count); i++)
            {
                bits |= holds(_rules[i].When, value) ? 1UL << i : 0;
            }

            int same = side.Values.FindIndex(v => v.Holds == bits);
            if (same < 0 || keepsAll)
            {
                side.Values.Add((value, bits));
            }
            else if (value == openEnd)
            {
                side.Values[same] = (value, bits); // it stands for all of its kind
            }
        }

        _sides.Add(side);
    }

    private sealed record Side(string Name, List<(string Name, ulong Holds)> Values, string? OpenEnd);
}
