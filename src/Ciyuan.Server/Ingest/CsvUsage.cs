using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Server.Ingest;

/// <summary>A mapping bound to the columns of one file. Immutable: shared by the readers of several threads.</summary>
public sealed class CsvColumns
{
    private CsvColumns(
        CsvMapping mapping, int count, IReadOnlyList<CsvTarget> targets, IReadOnlyList<CsvTarget> constants)
    {
        Mapping = mapping;
        Count = count;
        Targets = targets;
        Constants = constants;
        HasId = targets.Concat(constants).Any(target => target.Field == UsageField.Id);
    }

    /// <summary>The mapping.</summary>
    public CsvMapping Mapping { get; }

    /// <summary>Columns in each row; 0 when not known.</summary>
    public int Count { get; }

    /// <summary>False when the ids are made from the rows' content.</summary>
    public bool HasId { get; }

    internal IReadOnlyList<CsvTarget> Targets { get; }

    internal IReadOnlyList<CsvTarget> Constants { get; }

    /// <summary>Finds the columns.</summary>
    /// <param name="mapping">The mapping.</param>
    /// <param name="header">The file's first row without its line break; empty when it has no header.</param>
    /// <param name="columns">The bound mapping; null when refused.</param>
    /// <param name="fault">What is wrong; null when nothing is.</param>
    public static bool TryBind(
        CsvMapping mapping, ReadOnlySpan<byte> header, [NotNullWhen(true)] out CsvColumns? columns, out string? fault)
    {
        columns = null;
        if (!TryReadHeader(mapping, header, out string[] names, out fault))
        {
            return false;
        }

        var targets = new List<CsvTarget>();
        foreach ((string field, string column) in mapping.Map.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            int at = FindColumn(mapping, names, column);
            if (at < 0)
            {
                fault = mapping.HasHeader
                    ? $"there is no column '{column}' for {field}; the header has {string.Join(", ", names)}"
                    : $"the column for {field} must be a number from 1 to {CsvRow.MaxColumns}, not '{column}'";
                return false;
            }

            if (!CsvTarget.TryFind(field, at, "", out CsvTarget? target, out fault))
            {
                return false;
            }

            targets.Add(target);
        }

        var constants = new List<CsvTarget>();
        foreach ((string field, string value) in mapping.Set)
        {
            if (!CsvTarget.TryFind(field, -1, value, out CsvTarget? target, out fault))
            {
                return false;
            }

            constants.Add(target);
        }

        columns = new CsvColumns(mapping, names.Length, targets, constants);
        return true;
    }

    private static bool TryReadHeader(
        CsvMapping mapping, ReadOnlySpan<byte> header, out string[] names, out string? fault)
    {
        names = [];
        fault = null;
        if (!mapping.HasHeader)
        {
            return true;
        }

        var row = new CsvRow(mapping.Separator);
        if (!row.TrySplit(header, out fault))
        {
            fault = $"the header {fault}";
            return false;
        }

        names = new string[row.Count];
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = Encoding.UTF8.GetString(row.Field(header, i)).Trim();
        }

        fault = names.Distinct(StringComparer.Ordinal).Count() < names.Length ? "the header names a column twice"
            : null;
        return fault is null;
    }

    private static int FindColumn(CsvMapping mapping, string[] names, string column)
    {
        if (mapping.HasHeader)
        {
            return Array.IndexOf(names, column);
        }

        bool whole = int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        return whole && number is >= 1 and <= CsvRow.MaxColumns ? number - 1 : -1;
    }
}

/// <summary>Where one column, or one constant, goes.</summary>
/// <param name="Field">The field, or the map that <paramref name="Entry"/> is in.</param>
/// <param name="Entry">Name within the map; empty for other fields.</param>
/// <param name="Column">From 0; -1 for a constant.</param>
/// <param name="Value">The constant.</param>
internal sealed record CsvTarget(UsageField Field, byte[] Entry, int Column, byte[] Value)
{
    internal static bool TryFind(
        string name, int column, string value, [NotNullWhen(true)] out CsvTarget? target, out string? fault)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        UsageField field = UsageNames.FindField(Encoding.UTF8.GetBytes(dot < 0 ? name : name[..dot]));
        string entry = dot < 0 ? "" : name[(dot + 1)..];
        bool isMap = field is UsageField.Counts or UsageField.Units or UsageField.Grades or UsageField.Tags;
        bool known = field != UsageField.None && isMap == entry.Length > 0;
        if (known && field is UsageField.Counts or UsageField.Units or UsageField.Grades)
        {
            known = UsageNames.TryFindMeter(Encoding.UTF8.GetBytes(entry), out Meter meter)
                && (field == UsageField.Grades || meter.IsTokens == (field == UsageField.Counts));
        }

        target = known ? new CsvTarget(field, Encoding.UTF8.GetBytes(entry), column, Encoding.UTF8.GetBytes(value))
            : null;
        fault = known ? null
            : $"'{name}' is not a field of a usage record; fields are named as in JSON, and those of maps "
            + "counts.input.text, units.second, grades.input.text, tags.NAME";
        return known;
    }
}

/// <summary>Reads usage records from the rows of a CSV file. Empty fields are absent.</summary>
/// <remarks>Not safe for several threads: each has its own.</remarks>
public sealed class CsvUsage
{
    /// <summary>The id that rows without one have until <see cref="CsvRowIds"/> gives them theirs.</summary>
    private const string NoId = "-";

    private readonly CsvColumns _columns;
    private readonly CsvRow _row;
    private readonly RecordBuilder _builder = new();
    private byte[] _hashed = new byte[1024];

    /// <summary>A reader.</summary>
    public CsvUsage(CsvColumns columns)
    {
        _columns = columns;
        _row = new CsvRow(columns.Mapping.Separator);
    }

    /// <summary>Reads one row.</summary>
    /// <param name="row">The row without its line break.</param>
    /// <param name="record">The record; null when refused. Without an id column its id is only a place holder.</param>
    /// <param name="content">Hash of the mapped columns as they are written; zero with an id column.</param>
    /// <param name="fault">Why it was refused.</param>
    /// <returns>False when refused.</returns>
    public bool TryParse(ReadOnlySpan<byte> row, out UsageRecord? record, out UInt128 content, out IngestFault fault)
    {
        record = null;
        content = 0;
        _builder.Reset();
        bool done = TrySplit(row) && TrySetAll(row) && TryBuild(row, out record, out content);
        fault = _builder.Fault;
        return done;
    }

    private bool TrySplit(ReadOnlySpan<byte> row)
    {
        if (row.Length > UsageJson.MaxBytes)
        {
            return _builder.Refuse(
                IngestCode.TooLong, "", $"a row has at most {UsageJson.MaxBytes} bytes, this has {row.Length}");
        }

        if (!_row.TrySplit(row, out string? fault))
        {
            return _builder.Refuse(IngestCode.NotCsv, "", fault!);
        }

        return _columns.Count == 0 || _row.Count == _columns.Count
            || _builder.Refuse(IngestCode.NotCsv, "", $"has {_row.Count} columns, the header has {_columns.Count}");
    }

    private bool TrySetAll(ReadOnlySpan<byte> row)
    {
        foreach (CsvTarget target in _columns.Constants)
        {
            if (!TrySet(target, target.Value))
            {
                return false;
            }
        }

        foreach (CsvTarget target in _columns.Targets)
        {
            if (target.Column >= _row.Count)
            {
                return _builder.Refuse(
                    IngestCode.NotCsv, target.Field.Name(), $"column {target.Column + 1} is not there");
            }

            if (!TrySet(target, _row.Field(row, target.Column)))
            {
                return false;
            }
        }

        return true;
    }

    private bool TrySet(CsvTarget target, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return true;
        }

        switch (target.Field)
        {
            case UsageField.Counts:
                return _builder.TryAddCount(target.Entry, value);
            case UsageField.Units:
                return _builder.TryAddUnit(target.Entry, value);
            case UsageField.Grades:
                return _builder.TryAddGrade(target.Entry, value);
            case UsageField.Tags:
                return _builder.TryAddTag(target.Entry, value);
            case UsageField.LatencyMs:
                return _builder.TrySetLatency(
                    Utf8Decimal.TryParseSteps(value, 0, out long milliseconds) ? milliseconds : -1);
            case UsageField.Time:
                return TrySetTime(value);
            default:
                return _builder.TryTake(target.Field) && _builder.TrySetText(target.Field, value);
        }
    }

    private bool TrySetTime(ReadOnlySpan<byte> value)
    {
        CsvMapping mapping = _columns.Mapping;
        LocalDateTime local = default;
        switch (mapping.TimeFormat)
        {
            case CsvTimeFormat.Rfc3339:
                return _builder.TryTake(UsageField.Time) && _builder.TrySetText(UsageField.Time, value);
            case CsvTimeFormat.UnixSeconds or CsvTimeFormat.UnixMilliseconds:
                return TrySetUnixTime(
                    value, mapping.TimeFormat == CsvTimeFormat.UnixSeconds ? 1_000_000_000 : 1_000_000);
            case CsvTimeFormat.Local:
                byte separator = value.Length > 10 && value[10] == 'T' ? (byte)'T' : (byte)' ';
                if (!Utf8Time.TryParseLocal(value, separator, out long nanoseconds, out int length)
                    || length != value.Length)
                {
                    return RefuseTime("must be yyyy-MM-dd HH:mm:ss with up to nine decimals");
                }

                if (ReferenceEquals(mapping.Zone, DateTimeZone.Utc))
                {
                    _builder.SetTime(new Timestamp(nanoseconds));
                    return true;
                }

                local = new Timestamp(nanoseconds).ToInstant().InUtc().LocalDateTime;
                break;
            default:
                ParseResult<LocalDateTime> parsed = mapping.TimePattern!.Parse(Encoding.UTF8.GetString(value));
                if (!parsed.Success)
                {
                    return RefuseTime($"must be like the pattern {mapping.TimePattern.PatternText}");
                }

                local = parsed.Value;
                break;
        }

        return TrySetLocalTime(local, mapping.Zone);
    }

    private bool TrySetLocalTime(LocalDateTime local, DateTimeZone zone)
    {
        NodaTime.TimeZones.ZoneLocalMapping instants = zone.MapLocal(local);
        if (instants.Count != 1 || local.Year is < 1678 or > 2261)
        {
            return RefuseTime(instants.Count == 0
                ? $"there is no such time in {zone.Id}: clocks went forward over it"
                : $"there are two such times in {zone.Id}, or none that can be held: "
                    + "write times with a zone (rfc3339)");
        }

        _builder.SetTime(Timestamp.FromInstant(instants.Single().ToInstant()));
        return true;
    }

    private bool TrySetUnixTime(ReadOnlySpan<byte> value, long nanosecondsPerStep)
    {
        // Within MaxSteps seconds a product could overflow; 2⁶³ ns end in 2262.
        if (!Utf8Decimal.TryParseSteps(value, 0, out long steps) || steps > long.MaxValue / nanosecondsPerStep)
        {
            return RefuseTime("must be a whole number of seconds or milliseconds since 1970");
        }

        _builder.SetTime(new Timestamp(steps * nanosecondsPerStep));
        return true;
    }

    private bool RefuseTime(string reason) => _builder.Refuse(IngestCode.BadValue, "time", reason);

    private bool TryBuild(ReadOnlySpan<byte> row, out UsageRecord? record, out UInt128 content)
    {
        content = 0;
        if (!_columns.HasId)
        {
            content = HashMapped(row);
            _builder.SetId(NoId);
        }

        return _builder.TryBuild(out record);
    }

    // Each mapped column, in the order of the fields' names, after its length: columns added to the file or moved in
    // it, and other constants, leave the hash as it is.
    private UInt128 HashMapped(ReadOnlySpan<byte> row)
    {
        int used = 0;
        foreach (CsvTarget target in _columns.Targets)
        {
            ReadOnlySpan<byte> value = _row.Field(row, target.Column);
            if (_hashed.Length < used + 4 + value.Length)
            {
                Array.Resize(ref _hashed, 2 * (used + 4 + value.Length)); // rows are bounded, and so is this
            }

            BinaryPrimitives.WriteInt32LittleEndian(_hashed.AsSpan(used), value.Length);
            value.CopyTo(_hashed.AsSpan(used + 4));
            used += 4 + value.Length;
        }

        return XxHash128.HashToUInt128(_hashed.AsSpan(0, used));
    }
}
