using System.Globalization;
using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Server.Ingest;
using Ciyuan.Statistics;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Server.Reconciling;

/// <summary>A bill can't be read; the message names the line and what is wrong.</summary>
public sealed class BillException(string message) : Exception(message);

/// <summary>A mapping bound to the header of a file: makes lines of rows.</summary>
internal sealed class BillColumns
{
    private static readonly LocalDatePattern Dashed = LocalDatePattern.CreateWithInvariantCulture("uuuu-M-d");
    private static readonly LocalDatePattern Compact = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");

    private readonly BillMapping _mapping;
    private readonly DateTimeZone _zone;
    private readonly Dictionary<string, (int Column, int Part, string Constant)> _fields = [];
    private readonly List<(int Column, Filter Pattern)> _only = [];
    private readonly List<(BillClass Class, string Quantity, string Amount)> _classes = [];
    private readonly List<(Filter Pattern, string Name)> _models = [];
    private readonly List<(Filter Pattern, string Class)> _classNames = [];
    private readonly Dictionary<string, string> _foundModels = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BillClass?> _foundClasses = new(StringComparer.Ordinal);

    internal BillColumns(BillMapping mapping, string[] header, DateTimeZone zone)
    {
        (_mapping, _zone) = (mapping, mapping.Zone ?? zone);
        foreach ((string field, string column) in mapping.Map)
        {
            (int at, int part) = Find(column, header);
            if (at >= 0)
            {
                _fields[field] = (at, part, "");
            }
            else if (field is not ("day" or "time" or "currency" or "unit" or "id"))
            {
                throw new BillException($"there is no column '{column}' for {field}; the header has "
                    + string.Join(", ", header));
            }
        }

        foreach ((string field, string value) in mapping.Set)
        {
            _fields[field] = (-1, 0, value);
        }

        foreach ((string column, string pattern) in mapping.Only)
        {
            (int at, _) = Find(column, header);
            _only.Add(at >= 0 ? (at, Pattern(pattern)) : throw new BillException(
                $"there is no column '{column}', by which rows are chosen; the header has "
                    + string.Join(", ", header)));
        }

        _models.AddRange(mapping.Models.Select(m => (Pattern(m.Key), m.Value)));
        _classNames.AddRange(mapping.Classes.Select(c => (Pattern(c.Key), c.Value)));
        ReadClassColumns();
    }

    internal bool HasId => _fields.ContainsKey("id");

    /// <summary>Most decimals of the amounts read so far.</summary>
    internal int Decimals { get; private set; }

    /// <summary>Makes the lines of a row.</summary>
    /// <exception cref="BillException">The row can't be read.</exception>
    internal void Read(string[] row, string currency, List<BillLine> lines)
    {
        if (!_only.TrueForAll(o => o.Pattern.Matches(row[o.Column])))
        {
            return;
        }

        string stated = Text("currency", row);
        if (stated.Length > 0 && !CurrencyIs(stated, currency))
        {
            throw new BillException($"is in {stated}, the agreement in {currency}");
        }

        (Timestamp? time, bool hasTimeOfDay) = ReadTime(row);
        string id = Text("id", row);
        string model = ModelOf(Text("model", row));
        foreach ((BillClass of, string quantityField, string amountField) in _classes)
        {
            AddLine(of, quantityField, amountField);
        }

        if (_classes.Count == 0 && ClassOf(Text("class", row)) is { } single)
        {
            AddLine(single, "quantity", "amount");
        }

        void AddLine(BillClass of, string quantityField, string amountField)
        {
            Int128? steps = ReadSteps(Text(quantityField, row), Text("unit", row), of);
            Amount? amount = ReadAmount(Text(amountField, row));
            bool isNothing = _classes.Count > 0 && (steps ?? 0) == 0 && (amount ?? Amount.Zero).IsZero;
            if (!isNothing)
            {
                lines.Add(new BillLine(id, time, hasTimeOfDay, model, of, steps, amount));
            }
        }
    }

    private void ReadClassColumns()
    {
        string[] names = [.. _fields.Keys.Where(f => f.Contains('.', StringComparison.Ordinal))
            .Select(f => f.Split('.', 2)[1]).Distinct()];
        foreach (string name in names)
        {
            if (BillClass.TryParse(name, out BillClass of))
            {
                _classes.Add((of, $"quantity.{name}", $"amount.{name}"));
            }
        }

        if (_classes.Count > 0 && _fields.ContainsKey("amount"))
        {
            _classes.Add((BillClass.All, "", "amount")); // one amount for all classes of the row
        }
    }

    private string Text(string field, string[] row)
    {
        if (!_fields.TryGetValue(field, out (int Column, int Part, string Constant) at))
        {
            return "";
        }

        if (at.Column < 0)
        {
            return at.Constant;
        }

        string text = row[at.Column].Trim();
        if (at.Part == 0)
        {
            return text;
        }

        string[] parts = text.Split(_mapping.PartSeparator);
        return at.Part <= parts.Length ? parts[at.Part - 1].Trim() : "";
    }

    private (Timestamp? Time, bool HasTimeOfDay) ReadTime(string[] row)
    {
        string time = Text("time", row);
        if (time.Length > 0)
        {
            Timestamp? read = ParseTime(time);
            return (read ?? throw new BillException($"has no time '{time}' in the format that is said"), true);
        }

        string day = Text("day", row);
        if (day.Length == 0)
        {
            return (null, false);
        }

        string plain = day.Split(' ', 'T')[0].Replace('/', '-'); // a time behind the day is not of it
        ParseResult<LocalDate> date =
            plain.Contains('-', StringComparison.Ordinal) ? Dashed.Parse(plain) : Compact.Parse(plain);
        return date.Success ? (Timestamp.FromInstant(_zone.AtStartOfDay(date.Value).ToInstant()), false)
            : throw new BillException($"has no day '{day}', such as 2026-11-01");
    }

    private Timestamp? ParseTime(string text)
    {
        switch (_mapping.TimeFormat)
        {
            case CsvTimeFormat.UnixSeconds or CsvTimeFormat.UnixMilliseconds:
                bool whole = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number);
                long scale = _mapping.TimeFormat == CsvTimeFormat.UnixSeconds ? 1_000_000_000 : 1_000_000;
                return whole && number < long.MaxValue / scale ? new Timestamp(number * scale) : null;
            case CsvTimeFormat.Rfc3339:
                return Timestamp.TryParse(text, out Timestamp time) ? time : null;
            case CsvTimeFormat.Local:
                byte[] bytes = Encoding.UTF8.GetBytes(text.Replace('T', ' '));
                return Utf8Time.TryParseLocal(bytes, (byte)' ', out long local, out int length)
                    && length == bytes.Length ? InZone(new Timestamp(local)) : null;
            default:
                ParseResult<LocalDateTime> parsed = _mapping.TimePattern!.Parse(text);
                return parsed.Success ? Timestamp.FromInstant(parsed.Value.InZoneLeniently(_zone).ToInstant()) : null;
        }
    }

    private Timestamp InZone(Timestamp local) => Timestamp.FromInstant(
        local.ToInstant().InUtc().LocalDateTime.InZoneLeniently(_zone).ToInstant());

    private Int128? ReadSteps(string text, string unit, BillClass of)
    {
        if (text.Length == 0)
        {
            return null;
        }

        if (!_mapping.Units.TryGetValue(unit, out string? per) && unit.Length > 0)
        {
            throw new BillException($"has the unit '{unit}', of which the mapping does not say how much it is (units)");
        }

        if (!Amount.TryParse(Plain(text), out Amount quantity) || !Amount.TryParse(per ?? "1", out Amount scale))
        {
            throw new BillException($"has no quantity '{text}'");
        }

        // To the nearest step: an export may add thousands of tokens up as binary fractions.
        Int128 scaled = checked(quantity.Pico * of.StepsPerUnit) * (scale.Pico / 1_000_000);
        return Rounding.Divide(scaled, Amount.PicoPerUnit * 1_000_000L);
    }

    private Amount? ReadAmount(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        string plain = Plain(text);
        int point = plain.IndexOf('.', StringComparison.Ordinal);
        Decimals = Math.Max(Decimals, point < 0 ? 0 : plain.Length - point - 1);
        return Amount.TryParse(plain, out Amount amount) ? amount : throw new BillException($"has no amount '{text}'");
    }

    // Grouping and signs of currencies are for people.
    private static string Plain(string text) =>
        text.Replace(",", "", StringComparison.Ordinal).TrimStart('¥', '￥', '$', ' ');

    private string ModelOf(string theirs)
    {
        if (!_foundModels.TryGetValue(theirs, out string? ours))
        {
            ours = _models.Find(m => m.Pattern.Matches(theirs)).Name ?? theirs;
            _foundModels.Add(theirs, ours);
        }

        return ours;
    }

    // Null for what the mapping leaves out on purpose ('-').
    private BillClass? ClassOf(string theirs)
    {
        if (_foundClasses.TryGetValue(theirs, out BillClass? found))
        {
            return found;
        }

        string? name = theirs.Length == 0 ? "all" : _classNames.Find(c => c.Pattern.Matches(theirs)).Class ?? theirs;
        found = name == "-" ? null : BillClass.TryParse(name, out BillClass of) ? of
            : throw new BillException(
                $"has the class '{theirs}', of which the mapping does not say what it is (classes)");
        _foundClasses.Add(theirs, found);
        return found;
    }

    private static bool CurrencyIs(string stated, string currency) =>
        stated.Equals(currency, StringComparison.OrdinalIgnoreCase)
        || (currency == "CNY" && stated is "人民币" or "元" or "RMB");

    private static Filter Pattern(string text) => new(Dimension.Model, [text]);

    private static (int At, int Part) Find(string column, string[] header)
    {
        foreach (string name in column.Split('|'))
        {
            int hash = name.LastIndexOf('#');
            int part = 0;
            bool isPart = hash > 0
                && int.TryParse(name[(hash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out part);
            int at = Array.IndexOf(header, isPart ? name[..hash] : name);
            if (at >= 0)
            {
                return (at, isPart ? part : 0);
            }
        }

        return (-1, 0);
    }
}
