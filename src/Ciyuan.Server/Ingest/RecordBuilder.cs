using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>
/// Gathers the fields of one usage record as UTF-8 and makes the record. All readers go through it, so that a rule
/// about a field stands in one place. Each <c>Set</c> and <c>Add</c> says whether the value is taken; if not, <see
/// cref="Fault"/>
/// says why.
/// </summary>
internal sealed class RecordBuilder
{
    /// <summary>Most bytes of a name: 256 UTF-16 code units are at most 768 bytes.</summary>
    private const int MaxNameBytes = UsageRecord.MaxNameLength * 3;

    private const int MaxKeptTexts = 4_096; // tag names and values seen before; at most 768 bytes each, 3 MB

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly UsageContexts _contexts = new();
    private readonly ByteTable<UsageContext> _contextsByBytes = new(UsageContexts.MaxKept);
    private readonly ByteTable<string> _texts = new(MaxKeptTexts);

    // The parts as they came, and (in Build) the same in their order, each after its length: what contexts are kept by.
    private readonly byte[] _partBytes = new byte[UsageContext.Parts * MaxNameBytes];
    private readonly (int Offset, int Length)[] _parts = new (int, int)[UsageContext.Parts];
    private readonly byte[] _contextKey = new byte[UsageContext.Parts * (MaxNameBytes + 2)];
    private readonly Count[] _counts = new Count[UsageRecord.MaxCounts];
    private readonly Count[] _grades = new Count[UsageRecord.MaxCounts];
    private readonly Tag[] _tags = new Tag[UsageRecord.MaxTags];
    private int _partBytesUsed;
    private int _countCount;
    private int _gradeCount;
    private int _tagCount;
    private uint _given;
    private Timestamp _time;
    private Outcome _outcome;
    private int? _latencyMs;
    private EvidenceGrade _grade;
    private string _id = "";
    private string _hold = "";

    /// <summary>Why the last value was not taken.</summary>
    internal IngestFault Fault { get; private set; }

    internal void Reset()
    {
        Array.Clear(_parts);
        _partBytesUsed = _countCount = _gradeCount = _tagCount = 0;
        _given = 0;
        _outcome = Outcome.Ok;
        _latencyMs = null;
        _grade = EvidenceGrade.Reported;
        _id = _hold = "";
        Fault = default;
    }

    internal bool IsGiven(UsageField field) => (_given & (1u << (int)field)) != 0;

    internal bool Refuse(IngestCode code, string field, string reason)
    {
        Fault = new IngestFault(code, field, reason);
        return false;
    }

    /// <summary>Notes that a field is there; refused the second time.</summary>
    internal bool TryTake(UsageField field)
    {
        uint bit = 1u << (int)field;
        if ((_given & bit) != 0)
        {
            return Refuse(IngestCode.Duplicate, field.Name(), "is given twice");
        }

        _given |= bit;
        return true;
    }

    /// <summary>Takes back that a field is there: null is as good as absent.</summary>
    internal bool Forget(UsageField field)
    {
        // The bit of the time stands for its value. Other fields keep theirs, so that null twice is twice all the same.
        _given &= field == UsageField.Time ? ~(1u << (int)field) : uint.MaxValue;
        return true;
    }

    /// <summary>Sets a field that is a text: a part of the context, id, time, outcome, grade or hold.</summary>
    internal bool TrySetText(UsageField field, ReadOnlySpan<byte> value)
    {
        if (field < UsageField.Id)
        {
            return TrySetPart(field, value);
        }

        switch (field)
        {
            case UsageField.Id:
                return TryDecode(field, value, out _id);
            case UsageField.Hold:
                return TryDecode(field, value, out _hold);
            case UsageField.Time:
                return Utf8Time.TryParseRfc3339(value, out _time) || Refuse(IngestCode.BadValue, "time",
                    "must be RFC 3339 with a zone, from 1678 to 2261, such as 2026-11-01T08:00:00Z");
            case UsageField.Outcome:
                return UsageNames.TryFindOutcome(value, out _outcome)
                    || Refuse(IngestCode.BadValue, "outcome", "must be ok, failed or cut");
            case UsageField.Grade:
                return TryFindGrade("grade", value, out _grade);
            default:
                return Refuse(IngestCode.BadValue, field.Name(), "takes no text");
        }
    }

    internal void SetTime(Timestamp time)
    {
        _time = time;
        _given |= 1u << (int)UsageField.Time;
    }

    internal void SetId(string id) => _id = id;

    internal void SetOutcome(Outcome outcome) => _outcome = outcome;

    internal bool TrySetLatency(long milliseconds)
    {
        if (milliseconds is < 0 or > int.MaxValue)
        {
            return Refuse(IngestCode.BadValue, "latency_ms", $"must be a whole number from 0 to {int.MaxValue}");
        }

        _latencyMs = (int)milliseconds;
        return true;
    }

    /// <summary>A count of tokens: digits only.</summary>
    internal bool TryAddCount(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!UsageNames.TryFindMeter(name, out Meter meter) || !meter.IsTokens)
        {
            return Refuse(IngestCode.UnknownField, Field("counts", name), meter.Value >= 256
                ? "is not a token class: put it under units"
                : "is not a token class, such as input.text or output.text.reasoning");
        }

        return Utf8Decimal.TryParseSteps(value, 0, out long steps)
            ? TryAddCount(meter, steps)
            : Refuse(
                IngestCode.BadValue, Field("counts", name), $"must be a whole number from 0 to {UsageRecord.MaxSteps}");
    }

    /// <summary>A quantity of another meter: a decimal with no more places than the meter has.</summary>
    internal bool TryAddUnit(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!UsageNames.TryFindMeter(name, out Meter meter) || meter.IsTokens)
        {
            bool isClass = UsageNames.TryFindMeter(name, out _);
            return Refuse(IngestCode.UnknownField, Field("units", name), isClass
                ? "is a token class: put it under counts"
                : $"is not a unit: {string.Join(", ", Meter.OtherUnits)}");
        }

        int places = meter.StepsPerUnit == 1 ? 0 : 6;
        return Utf8Decimal.TryParseSteps(value, places, out long steps)
            ? TryAddCount(meter, steps)
            : Refuse(IngestCode.BadValue, Field("units", name), places == 0
                ? $"must be a whole number from 0 to {UsageRecord.MaxSteps}"
                : $"must be a plain decimal from 0 to {UsageRecord.MaxSteps / meter.StepsPerUnit}, "
                    + $"with at most {places} places");
    }

    /// <summary>A count in the meter's steps, which are within range.</summary>
    internal bool TryAddCount(Meter meter, long steps)
    {
        int at = _countCount;
        while (at > 0 && _counts[at - 1].Meter >= meter)
        {
            if (_counts[--at].Meter == meter)
            {
                return Refuse(
                    IngestCode.Duplicate, meter.ToString(), "is counted twice; a token counts in one class only");
            }
        }

        if (_countCount == _counts.Length)
        {
            return Refuse(IngestCode.Limit, "counts", $"at most {UsageRecord.MaxCounts} counts");
        }

        Array.Copy(_counts, at, _counts, at + 1, _countCount - at);
        _counts[at] = new Count(meter, EvidenceGrade.Reported, steps);
        _countCount++;
        return true;
    }

    /// <summary>The grade of one meter's count, which may come before or after it.</summary>
    internal bool TryAddGrade(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!UsageNames.TryFindMeter(name, out Meter meter))
        {
            return Refuse(IngestCode.UnknownField, Field("grades", name), "is neither a token class nor a unit");
        }

        foreach (Count earlier in _grades.AsSpan(0, _gradeCount))
        {
            if (earlier.Meter == meter)
            {
                return Refuse(IngestCode.Duplicate, Field("grades", name), "is given twice");
            }
        }

        return TryFindGrade(Field("grades", name), value, out EvidenceGrade grade) && TryAddGrade(meter, grade);
    }

    /// <summary>The grade of a meter that has none yet.</summary>
    internal bool TryAddGrade(Meter meter, EvidenceGrade grade)
    {
        if (_gradeCount == _grades.Length)
        {
            return Refuse(IngestCode.Limit, "grades", $"at most {UsageRecord.MaxCounts} grades");
        }

        _grades[_gradeCount++] = new Count(meter, grade, 0);
        return true;
    }

    internal bool TryAddTag(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (HasControl(name))
        {
            return Refuse(IngestCode.BadValue, "tags", "has a control character in a name");
        }

        if (!TryKeepText("tags", name, out string label) || !TryKeepText("tags", value, out string text))
        {
            return false;
        }

        int at = _tagCount;
        while (at > 0 && string.CompareOrdinal(_tags[at - 1].Name, label) >= 0)
        {
            if (_tags[--at].Name == label)
            {
                return Refuse(IngestCode.Duplicate, $"tags.{label}", "is given twice");
            }
        }

        if (_tagCount == _tags.Length)
        {
            return Refuse(IngestCode.Limit, "tags", $"at most {UsageRecord.MaxTags} tags");
        }

        Array.Copy(_tags, at, _tags, at + 1, _tagCount - at);
        _tags[at] = new Tag(label, text);
        _tagCount++;
        return true;
    }

    // Step 4: record. What the readers gathered becomes the immutable usage record.
    internal bool TryBuild(out UsageRecord? record)
    {
        record = null;
        if (!IsGiven(UsageField.Time))
        {
            return Refuse(IngestCode.Missing, "time", "is missing; it says which prices apply");
        }

        if (!TryFindContext(out UsageContext? context) || !TryGradeCounts())
        {
            return false;
        }

        record = new UsageRecord
        {
            Id = _id,
            Context = context!,
            EventTime = _time,
            Outcome = _outcome,
            LatencyMs = _latencyMs,
            Counts = _counts.AsSpan(0, _countCount).ToArray(),
            Tags = _tagCount == 0 ? [] : _tags.AsSpan(0, _tagCount).ToArray(),
            Hold = _hold,
        };
        return record.FindFault() is not { } fault || RefuseFault(fault, out record);
    }

    private bool RefuseFault(string fault, out UsageRecord? record)
    {
        record = null;
        IngestCode code = _id.Length == 0 || _parts[0].Length == 0 ? IngestCode.Missing : IngestCode.Limit;
        int colon = fault.IndexOf(": ", StringComparison.Ordinal);
        return colon > 0 ? Refuse(code, fault[..colon], fault[(colon + 2)..]) : Refuse(code, "", fault);
    }

    private bool TrySetPart(UsageField field, ReadOnlySpan<byte> value)
    {
        if (value.Length > MaxNameBytes)
        {
            return Refuse(IngestCode.Limit, field.Name(), $"has at most {UsageRecord.MaxNameLength} characters");
        }

        value.CopyTo(_partBytes.AsSpan(_partBytesUsed));
        _parts[(int)field] = (_partBytesUsed, value.Length);
        _partBytesUsed += value.Length;
        return true;
    }

    /// <summary>The text of a part as it was set.</summary>
    internal ReadOnlySpan<byte> Part(UsageField field) =>
        _partBytes.AsSpan(_parts[(int)field].Offset, _parts[(int)field].Length);

    internal string Id => _id;

    /// <summary>The tags so far, sorted by name.</summary>
    internal ReadOnlySpan<Tag> Tags => _tags.AsSpan(0, _tagCount);

    internal Timestamp Time => _time;

    private bool TryFindContext(out UsageContext? context)
    {
        int length = 0;
        foreach ((int offset, int partLength) in _parts)
        {
            _contextKey[length++] = (byte)(partLength >> 8);
            _contextKey[length++] = unchecked((byte)partLength);
            _partBytes.AsSpan(offset, partLength).CopyTo(_contextKey.AsSpan(length));
            length += partLength;
        }

        ReadOnlySpan<byte> key = _contextKey.AsSpan(0, length);
        return _contextsByBytes.TryGet(key, out context!) || TryMakeContext(key, out context);
    }

    private bool TryMakeContext(ReadOnlySpan<byte> key, out UsageContext? context)
    {
        context = null;
        var parts = new string[UsageContext.Parts];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!TryDecode((UsageField)i, Part((UsageField)i), out parts[i]))
            {
                return false;
            }
        }

        context = _contexts.Intern(UsageContext.FromParts(parts));
        _contextsByBytes.Add(key, context);
        return true;
    }

    private bool TryGradeCounts()
    {
        for (int i = 0; i < _countCount; i++)
        {
            _counts[i] = _counts[i] with { Grade = _grade };
        }

        foreach (Count grade in _grades.AsSpan(0, _gradeCount))
        {
            int at = _counts.AsSpan(0, _countCount).BinarySearch(grade, ByMeter.Instance);
            if (at < 0)
            {
                return Refuse(IngestCode.BadValue, $"grades.{grade.Meter}", "grades a count that is not there");
            }

            _counts[at] = _counts[at] with { Grade = grade.Grade };
        }

        return true;
    }

    private bool TryFindGrade(string field, ReadOnlySpan<byte> value, out EvidenceGrade grade) =>
        UsageNames.TryFindGrade(value, out grade)
        || Refuse(IngestCode.BadValue, field, "must be exact, reported, bounded, partial or estimated");

    private bool TryKeepText(string field, ReadOnlySpan<byte> value, out string text)
    {
        if (_texts.TryGet(value, out text))
        {
            return true;
        }

        if (!TryDecode(field, value, out text))
        {
            return false;
        }

        _texts.Add(value, text);
        return true;
    }

    // Control characters are refused: a zero byte is what separates source and id in the digest of an id.
    private bool TryDecode(UsageField field, ReadOnlySpan<byte> value, out string text)
    {
        text = "";
        return HasControl(value)
            ? Refuse(IngestCode.BadValue, field.Name(), "has a control character in it")
            : TryDecode(field.Name(), value, out text);
    }

    private static bool HasControl(ReadOnlySpan<byte> text) => text.ContainsAnyInRange((byte)0, (byte)31);

    private bool TryDecode(string field, ReadOnlySpan<byte> value, out string text)
    {
        text = "";
        if (value.Length > MaxNameBytes)
        {
            return Refuse(IngestCode.Limit, field, $"has at most {UsageRecord.MaxNameLength} characters");
        }

        try
        {
            text = StrictUtf8.GetString(value);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return Refuse(IngestCode.BadValue, field, "is not UTF-8");
        }
    }

    private static string Field(string group, ReadOnlySpan<byte> name) =>
        $"{group}.{Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)])}";

    private sealed class ByMeter : IComparer<Count>
    {
        internal static readonly ByMeter Instance = new();

        public int Compare(Count x, Count y) => x.Meter.CompareTo(y.Meter);
    }
}
