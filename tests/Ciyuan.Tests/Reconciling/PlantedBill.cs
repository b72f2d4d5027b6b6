using System.Globalization;
using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Reconciling;

/// <summary>
/// Writes a provider's bill of calls as CSV, from records alone: it has its own list of prices and its own arithmetic,
/// and knows nothing of charges. Differences are planted from a seed, each on a call of its own, and remembered.
/// </summary>
internal sealed class PlantedBill(IEnumerable<UsageRecord> records, Period period, int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<Row> _rows = [];
    private long _ahead;

    internal sealed record Row(string Id, Timestamp Time, string Model, string Class, decimal Quantity, decimal Amount);

    /// <summary>What must be found: id and class of difference, and its amount.</summary>
    internal List<(string Id, DifferenceClass Class, decimal Delta)> Planted { get; } = [];

    internal decimal Total => _rows.Sum(r => r.Amount);

    internal IReadOnlyList<Row> Rows => _rows;

    /// <summary>The provider's prices: per token, or per second.</summary>
    private static decimal PriceOf(string model, string of, Timestamp time) => (model, of) switch
    {
        ("gpt-5", "input.text.fresh") => 1.25m / 1_000_000,
        ("gpt-5", "input.text.cache_read") => 0.125m / 1_000_000,
        ("gpt-5", _) => 10m / 1_000_000,
        ("whisper", _) => 0.0001m,
        (_, "output.text.fresh") => 8m / 1_000_000,
        // The list of mid-November has no price for cached tokens: they cost what input does.
        _ => (time.UnixNanoseconds >= 1_794_672_000L * Timestamp.PerSecond ? 2.5m
            : of == "input.text.cache_read" ? 0.4m : 2m) / 1_000_000,
    };

    /// <summary>Lists the calls of the period by a clock that is ahead of ours by some hours.</summary>
    internal PlantedBill Write(int hoursAhead = 0, int decimals = 12)
    {
        _ahead = hoursAhead * 3_600L * Timestamp.PerSecond;
        foreach (UsageRecord record in records)
        {
            Timestamp time = record.EventTime.PlusNanoseconds(_ahead);
            bool isBilled = record.Outcome == Outcome.Ok && record.Context.ModelAsked != "unknown";
            foreach (Count count in isBilled && period.Contains(time) ? record.Counts : [])
            {
                string of = count.Meter.ToString();
                decimal quantity = count.Meter.IsTokens ? count.Steps : count.Steps / 1_000_000m;
                decimal price = PriceOf(record.Context.ModelAsked, of, record.EventTime);
                decimal amount = decimal.Round(quantity * price, decimals);
                _rows.Add(new Row(record.Id, time, record.Context.ModelAsked, of, quantity, amount));
            }
        }

        return this;
    }

    internal PlantedBill Plant(int times)
    {
        for (int i = 0; i < times; i++)
        {
            PlantMissing(i);
            PlantCount();
            PlantClass();
            PlantPrice();
            PlantDuplicate();
        }

        return this;
    }

    internal string ToCsv()
    {
        var text = new StringBuilder("id,time,model,class,quantity,amount,currency\r\n");
        foreach (Row r in _rows)
        {
            text.Append(string.Create(CultureInfo.InvariantCulture,
                $"{r.Id},{r.Time},{r.Model},{r.Class},{r.Quantity:0.######},{r.Amount:0.############},USD\r\n"));
        }

        return text.ToString();
    }

    private void PlantMissing(int i)
    {
        int at = Pick(r => period.Contains(r.Time.PlusNanoseconds(-_ahead))); // what we have in the period, too
        foreach (Row row in _rows.FindAll(r => r.Id == _rows[at].Id))
        {
            Planted.Add((row.Id, DifferenceClass.MissingThere, -row.Amount));
            _rows.Remove(row);
        }

        var extra = new Row($"extra-{i}", period.Start.PlusNanoseconds(_random.NextInt64(Timestamp.PerSecond << 20)),
            "gpt-5", "output.text.fresh", _random.Next(1, 900), _random.Next(1, 9_000) / 1_000_000m);
        _rows.Insert(_random.Next(_rows.Count), extra);
        Planted.Add((extra.Id, DifferenceClass.MissingHere, extra.Amount));
    }

    private void PlantCount()
    {
        int at = Pick(_ => true);
        Row row = _rows[at];
        decimal more = row.Quantity + _random.Next(1, 500);
        decimal price = PriceOf(row.Model, row.Class, row.Time);
        _rows[at] = row with { Quantity = more, Amount = more * price };
        Planted.Add((row.Id, DifferenceClass.Count, (more - row.Quantity) * price));
    }

    // Cached tokens billed as fresh ones.
    private void PlantClass()
    {
        int at = Pick(r => r.Class == "input.text.cache_read");
        Row cached = _rows[at];
        int to = _rows.FindIndex(r => r.Id == cached.Id && r.Class == "input.text.fresh");
        int moved = _random.Next(1, (int)cached.Quantity + 1);
        foreach ((int place, int change) in (IEnumerable<(int, int)>)[(at, -moved), (to, moved)])
        {
            Row row = _rows[place];
            decimal price = PriceOf(row.Model, row.Class, row.Time);
            _rows[place] = row with { Quantity = row.Quantity + change, Amount = (row.Quantity + change) * price };
            Planted.Add((row.Id, DifferenceClass.TokenClass, change * price));
        }
    }

    private void PlantPrice()
    {
        int at = Pick(r => r.Amount > 0.0001m);
        Row row = _rows[at];
        _rows[at] = row with { Amount = row.Amount * 1.1m };
        Planted.Add((row.Id, DifferenceClass.Price, row.Amount * 0.1m));
    }

    private void PlantDuplicate()
    {
        Row row = _rows[Pick(_ => true)];
        _rows.Insert(_random.Next(_rows.Count), row);
        Planted.Add((row.Id, DifferenceClass.Duplicate, row.Amount));
    }

    private int Pick(Func<Row, bool> fits)
    {
        while (true)
        {
            int at = _random.Next(_rows.Count);
            if (fits(_rows[at]) && Planted.TrueForAll(p => p.Id != _rows[at].Id))
            {
                return at;
            }
        }
    }
}
