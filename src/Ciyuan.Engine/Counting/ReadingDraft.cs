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
    private readonly SortedDictionary<Meter, long> _counts = [];
    private readonly SortedDictionary<string, string> _tags = new(StringComparer.Ordinal);
    private readonly List<Finding> _findings = [];
    private readonly List<UsageReading> _others = [];
    private readonly bool[] _isLowered = new bool[2]; // by direction
    private EvidenceGrade _grade = EvidenceGrade.Reported;
    private bool _isRefused;

    internal ReadingOptions Options => options;

    internal string Model { get; set; } = "";

    internal string ResponseId { get; set; } = "";

    internal Timestamp? Created { get; set; }

    internal Outcome Outcome { get; set; }

    internal StatedCost? StatedCost { get; set; }

    internal void Remark(FindingCode code, string path, string text) =>
        _findings.Add(new Finding(code, FindingWeight.Remark, path, text));

    /// <summary>The counts (of one direction, or all) are bounded at best.</summary>
    internal void Lower(FindingCode code, string path, string text, Direction? direction = null)
    {
        _findings.Add(new Finding(code, FindingWeight.LowersGrade, path, text));
        if (direction is { } one)
        {
            _isLowered[(int)one] = true;
        }
        else
        {
            Lower(EvidenceGrade.Bounded);
        }
    }

    internal void Lower(EvidenceGrade grade) => _grade = grade > _grade ? grade : _grade;

    internal void Refuse(FindingCode code, string path, string text)
    {
        _findings.Add(new Finding(code, FindingWeight.Refuses, path, text));
        _isRefused = true;
    }

    internal void AddOther(UsageReading other) => _others.Add(other);

    /// <summary>A count in the meter's steps; further ones of the same meter add up.</summary>
    internal void Add(Meter meter, long steps)
    {
        long sum = _counts.GetValueOrDefault(meter) + steps;
        if (sum > UsageRecord.MaxSteps)
        {
            Refuse(FindingCode.TooLarge, "",
                $"{meter} adds up to {sum}: no call uses more than {UsageRecord.MaxSteps}");
            return;
        }

        _counts[meter] = sum;
    }

    /// <summary>Calls of a provider's own tools, searches and the like, which it charges by the call: counted as
    /// <see cref="Meter.Request"/>, and by name in the tag <c>tool_calls</c>. The tag <c>tool</c> names the one that is
    /// charged, for rules of prices; <c>several</c> when they are not all of one.</summary>
    internal void AddCalls(string name, long? calls, bool isCharged = true)
    {
        if (calls is > 0 and { } some)
        {
            _tags["tool_calls"] = (_tags.TryGetValue("tool_calls", out string? known) ? known + " " : "")
                + $"{name}={some}";
            if (isCharged)
            {
                Add(Meter.Request, some);
                _tags["tool"] = _tags.TryGetValue("tool", out string? other) && other != name ? "several" : name;
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
        if (value.Length > UsageRecord.MaxNameLength || value.Any(char.IsControl))
        {
            Remark(FindingCode.TextLeftOut, name, "is too long or has control characters, and was left out");
        }
        else if (value.Length > 0)
        {
            _tags[name] = value;
        }
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
        SideCounts[] sides = [.. new[] { input, output }.OfType<SideCounts>()];
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
            Array.ForEach(sides, side => side.Classes());
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

        Count[] counts = _isRefused ? [] : [.. _counts.Select(c => new Count(c.Key, GradeOf(c.Key), c.Value))];
        return new UsageReading
        {
            Counts = counts,
            Findings = _findings,
            Grade = counts.Length == 0 ? _grade : counts.Max(c => c.Grade),
            Model = Model,
            ResponseId = ResponseId,
            Created = Created,
            Outcome = Outcome,
            StatedCost = StatedCost,
            Tags = [.. _tags.Select(t => new Tag(t.Key, t.Value))],
            Others = _others,
        };
    }

    private EvidenceGrade GradeOf(Meter meter) =>
        meter.IsTokens && _isLowered[(int)meter.TokenClass.Direction] && _grade < EvidenceGrade.Bounded
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
        SidePart[] parts = [.. sides.SelectMany(s => s.Parts)
            .Where(p => p is { IsFixed: false, Count: > 0, Place: not Place.OutsideTotal })];
        long sum = Sum(sides);
        if (sum == total || parts.Length > 12)
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

    private static long Sum(SideCounts[] sides) => sides.Sum(s => s.Whole!.Value + s.SumOf(Place.Beside));
}
