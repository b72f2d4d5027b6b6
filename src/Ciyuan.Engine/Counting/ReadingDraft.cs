using System.Numerics;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>
/// A reading while it is made: readers state what they find, <see cref="Settle"/> checks it against the totals and
/// makes disjoint classes, <see cref="Finish"/> gives the reading.
/// </summary>
internal sealed class ReadingDraft(ReadingOptions options)
{
    // Each call of the gateway is read, so a reading allocates little: the few counts and tags are found in lists.
    private readonly List<(Meter Meter, long Steps)> _counts = new(4);
    private readonly List<Tag> _tags = new(4);
    private List<Finding>? _findings;
    private List<UsageReading>? _others;
    private uint _lowered; // a bit for each direction
    private EvidenceGrade _grade = EvidenceGrade.Reported;
    private bool _isRefused;

    internal ReadingOptions Options => options;

    internal string Model { get; set; } = "";

    internal string ResponseId { get; set; } = "";

    internal Timestamp? Created { get; set; }

    internal Outcome Outcome { get; set; }

    internal StatedCost? StatedCost { get; set; }

    internal void Remark(FindingCode code, string path, string text) =>
        Note(new Finding(code, FindingWeight.Remark, path, text));

    /// <summary>The counts (of one direction, or all) are bounded at best.</summary>
    internal void Lower(FindingCode code, string path, string text, Direction? direction = null)
    {
        Note(new Finding(code, FindingWeight.LowersGrade, path, text));
        if (direction is { } one)
        {
            _lowered |= 1u << (int)one;
        }
        else
        {
            Lower(EvidenceGrade.Bounded);
        }
    }

    internal void Lower(EvidenceGrade grade) => _grade = grade > _grade ? grade : _grade;

    internal void Refuse(FindingCode code, string path, string text)
    {
        Note(new Finding(code, FindingWeight.Refuses, path, text));
        _isRefused = true;
    }

    internal void AddOther(UsageReading other) => (_others ??= []).Add(other);

    /// <summary>A count in the meter's steps; further ones of the same meter add up.</summary>
    internal void Add(Meter meter, long steps)
    {
        int at = _counts.FindIndex(c => c.Meter == meter);
        long sum = (at < 0 ? 0 : _counts[at].Steps) + steps;
        if (sum > UsageRecord.MaxSteps)
        {
            Refuse(FindingCode.TooLarge, "",
                $"{meter} adds up to {sum}: no call uses more than {UsageRecord.MaxSteps}");
            return;
        }

        if (at < 0)
        {
            _counts.Add((meter, sum));
        }
        else
        {
            _counts[at] = (meter, sum);
        }
    }

    /// <summary>Calls of a provider's own tools, searches and the like, which it charges by the call: counted as
    /// <see cref="Meter.Request"/>, and by name in the tag <c>tool_calls</c>. The tag <c>tool</c> names the one that is
    /// charged, for rules of prices; <c>several</c> when they are not all of one.</summary>
    internal void AddCalls(string name, long? calls, bool isCharged = true)
    {
        if (calls is > 0 and { } some)
        {
            SetTag("tool_calls", (FindTag("tool_calls") is { } known ? known + " " : "") + $"{name}={some}");
            if (isCharged)
            {
                Add(Meter.Request, some);
                SetTag("tool", FindTag("tool") is { } other && other != name ? "several" : name);
            }
        }
    }

    /// <summary>What the provider says that it costs.</summary>
    internal void StateCost(decimal? cost, Currency currency, string path)
    {
        if (cost is null)
        {
            return;
        }

        string text = cost.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (Amount.TryParse(text, out Amount amount))
        {
            StatedCost = new StatedCost(amount, currency);
        }
        else
        {
            Remark(FindingCode.NotANumber, path, $"is {text}, which is no amount; left out");
        }
    }

    /// <summary>A well-known tag; empty values say nothing.</summary>
    internal void Tag(string name, string value)
    {
        if (value.Length > UsageRecord.MaxNameLength || HasControl(value))
        {
            Remark(FindingCode.TextLeftOut, name, "is too long or has control characters, and was left out");
        }
        else if (value.Length > 0)
        {
            SetTag(name, value);
        }
    }

    internal static bool HasControl(string text)
    {
        foreach (char c in text)
        {
            if (char.IsControl(c))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Step 3: count. Places all parts so that they add up to the stated total if they can, and makes disjoint classes.
    /// </summary>
    /// <param name="input">The input side; null when the convention has none.</param>
    /// <param name="output">The output side; null when the convention has none.</param>
    /// <param name="total">The stated total of both; null when there is none.</param>
    /// <param name="totalPath">Where it was stated.</param>
    internal void Settle(SideCounts? input, SideCounts? output, long? total, string totalPath)
    {
        SideCounts[] sides = (input, output) switch
        {
            (not null, not null) => [input, output],
            (not null, null) => [input],
            (null, not null) => [output],
            _ => [],
        };
        foreach (SideCounts side in sides)
        {
            CompleteWhole(side, sides, total, totalPath);
        }

        if (_isRefused)
        {
            return;
        }

        if (total is { } stated)
        {
            PlaceByTotal(sides, stated, totalPath);
        }

        foreach (SideCounts side in sides)
        {
            side.PlaceByPossibility();
        }

        if (!_isRefused)
        {
            CheckTotal(sides, total, totalPath);
            foreach (SideCounts side in sides)
            {
                side.Classes();
            }
        }
    }

    /// <summary>Notes what looks like a count and was not read. Even where the total holds, such tokens may be in
    /// another class than they should.</summary>
    internal void NoteUnread(UsageObject usage)
    {
        foreach ((string path, long count) in usage.Unread())
        {
            string text = $"is {count}; this convention has no such count, and it was not read";
            if (path.Contains("token", StringComparison.OrdinalIgnoreCase))
            {
                Lower(FindingCode.UnreadCount, path, text);
            }
            else
            {
                Remark(FindingCode.UnreadCount, path, text);
            }
        }
    }

    internal UsageReading Finish()
    {
        if (_counts.Count == 0 && !_isRefused)
        {
            Refuse(FindingCode.NoUsage, "", "nothing in the response counts anything");
        }

        Count[] counts = MakeCounts();
        _tags.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new UsageReading
        {
            Counts = counts,
            Findings = _findings ?? [],
            Grade = WorstOf(counts),
            Model = Model,
            ResponseId = ResponseId,
            Created = Created,
            Outcome = Outcome,
            StatedCost = StatedCost,
            Tags = [.. _tags],
            Others = _others ?? [],
        };
    }

    private Count[] MakeCounts()
    {
        if (_isRefused)
        {
            return [];
        }

        _counts.Sort(static (a, b) => a.Meter.CompareTo(b.Meter));
        var counts = new Count[_counts.Count];
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = new Count(_counts[i].Meter, GradeOf(_counts[i].Meter), _counts[i].Steps);
        }

        return counts;
    }

    private EvidenceGrade WorstOf(Count[] counts)
    {
        EvidenceGrade worst = counts.Length == 0 ? _grade : EvidenceGrade.Exact;
        foreach (Count count in counts)
        {
            worst = count.Grade > worst ? count.Grade : worst;
        }

        return worst;
    }

    private void Note(Finding finding) => (_findings ??= []).Add(finding);

    private string? FindTag(string name)
    {
        int at = _tags.FindIndex(t => t.Name == name);
        return at < 0 ? null : _tags[at].Value;
    }

    private void SetTag(string name, string value)
    {
        for (int i = 0; i < _tags.Count; i++)
        {
            if (_tags[i].Name == name)
            {
                _tags[i] = new Tag(name, value);
                return;
            }
        }

        _tags.Add(new Tag(name, value));
    }

    private EvidenceGrade GradeOf(Meter meter) =>
        meter.IsTokens && (_lowered & (1u << (int)meter.TokenClass.Direction)) != 0 && _grade < EvidenceGrade.Bounded
            ? EvidenceGrade.Bounded
            : _grade;

    private void CompleteWhole(SideCounts side, SideCounts[] sides, long? total, string totalPath)
    {
        if (side.Whole is not null || _isRefused)
        {
            return;
        }

        SideCounts? other = Array.Find(sides, s => s != side);
        if (side.HasModalities)
        {
            side.Whole = side.ModalitySum;
        }
        else if (side.MayBeMissing)
        {
            side.Whole = 0;
        }
        else if (total is { } stated && other?.Whole is { } known
            && stated - known - other.SumOf(Place.Beside) - side.SumOf(Place.Beside) is >= 0 and var rest)
        {
            side.Whole = rest;
            Lower(FindingCode.MissingCount, side.Path, $"is missing; {rest} is what {totalPath} {stated} leaves");
        }
        else
        {
            Refuse(FindingCode.MissingCount, side.Path, "is missing");
        }
    }

    // Moves as few parts as possible, within or beside, so that all add up to the total; only one such way counts.
    private void PlaceByTotal(SideCounts[] sides, long total, string totalPath)
    {
        long sum = Sum(sides);
        if (sum == total)
        {
            return;
        }

        SidePart[] parts = [.. sides.SelectMany(s => s.Parts)
            .Where(p => p is { IsFixed: false, Count: > 0, Place: not Place.OutsideTotal })];
        if (parts.Length > 12)
        {
            return;
        }

        uint found = 0;
        for (uint flipped = 1; flipped < 1u << parts.Length; flipped++)
        {
            long change = 0;
            for (int i = 0; i < parts.Length; i++)
            {
                bool isFlipped = (flipped & (1u << i)) != 0;
                change += !isFlipped ? 0 : parts[i].Place == Place.Within ? parts[i].Count : -parts[i].Count;
            }

            if (sum + change == total
                && (found == 0 || BitOperations.PopCount(flipped) < BitOperations.PopCount(found)))
            {
                found = flipped;
            }
        }

        for (int i = 0; i < parts.Length && found != 0; i++)
        {
            if ((found & (1u << i)) != 0)
            {
                Flip(parts[i], total, totalPath);
            }
        }
    }

    private void Flip(SidePart part, long total, string totalPath)
    {
        bool beside = part.Place == Place.Within;
        part.Place = beside ? Place.Beside : Place.Within;
        FindingCode code = part.IsCache ? beside ? FindingCode.CacheBeside : FindingCode.CacheWithin
            : part.Kind == TokenKind.Reasoning ? beside ? FindingCode.ReasoningBeside : FindingCode.ReasoningWithin
            : FindingCode.ToolUsePlaced;
        Lower(code, part.Path, $"is {part.Count}; {totalPath} {total} adds up only when it stands "
            + (beside ? "beside what it is usually within: somebody has already subtracted it"
                : "within what it is usually beside"));
    }

    private void CheckTotal(SideCounts[] sides, long? total, string totalPath)
    {
        long sum = Sum(sides);
        if (total is { } stated && stated != sum)
        {
            Lower(FindingCode.TotalDiffers, totalPath,
                $"is {stated}, but the classes add up to {sum} ({stated - sum:+0;-0}); the classes were taken");
        }
    }

    private static long Sum(SideCounts[] sides)
    {
        long sum = 0;
        foreach (SideCounts side in sides)
        {
            sum += side.Whole!.Value + side.SumOf(Place.Beside);
        }

        return sum;
    }
}
