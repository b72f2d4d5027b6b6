using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console.Data;

/// <summary>A row of the table.</summary>
/// <param name="Key">A value for each dimension.</param>
/// <param name="Sums">Its figures.</param>
/// <param name="Before">Those of the time before; null when it is not compared.</param>
internal sealed record UsageRow(IReadOnlyList<string> Key, Sums Sums, Sums? Before);

/// <summary>The answer to a question about usage.</summary>
internal sealed record UsageModel
{
    internal required UsageQuery Query { get; init; }

    /// <summary>Currency of the picture.</summary>
    internal required string Currency { get; init; }

    internal required IReadOnlyList<UsageRow> Rows { get; init; }

    internal required Sums Total { get; init; }

    internal required Sums? TotalBefore { get; init; }

    internal required ChartModel Chart { get; init; }

    internal required Report Report { get; init; }
}

/// <summary>Works answers about usage out.</summary>
internal static class UsageAnswer
{
    /// <summary>Series of a picture; the others are one.</summary>
    private const int Series = 8;

    internal static async Task<UsageModel> FindAsync(Visit visit, UsageQuery query)
    {
        bool heat = query.View == "heat";
        Bucket bucket = query.View == "share" ? Bucket.None : heat ? Bucket.Hour : query.Bucket;
        CancellationToken left = visit.Http.RequestAborted;
        Report report = await visit.Desk.ReportAsync(query.ToReport(visit, query.Span.Period, bucket), left);
        Report? before = query.Compares
            ? await visit.Desk.ReportAsync(query.ToReport(visit, query.Span.Before, bucket), left)
            : null;
        Dictionary<string, UsageRow> rows = Rows(report, bucket, before);
        string currency = visit.Query("currency") is { Length: > 0 } asked ? asked : Sums.Of(report).MainCurrency;
        Func<Sums, double> value = ValueOf(visit, query.Measure, currency);
        List<UsageRow> sorted = [.. rows.Values.OrderByDescending(r => value(r.Sums))
            .ThenBy(r => string.Join('\u0001', r.Key), StringComparer.Ordinal)];
        return new UsageModel
        {
            Query = query,
            Currency = currency,
            Rows = sorted,
            Total = Sums.Of(report),
            TotalBefore = before is null ? null : Sums.Of(before),
            Chart = heat ? Heat(visit, query, report, value, currency)
                : query.View == "share" ? Share(visit, query, sorted, value, currency)
                : Lines(visit, query, report, before, sorted, value, currency),
            Report = report,
        };
    }

    /// <summary>The value that a measure has.</summary>
    internal static Func<Sums, double> ValueOf(Visit visit, Measure measure, string currency) => measure switch
    {
        Measure.Input => s => (double)s.Input,
        Measure.Output => s => (double)s.Output,
        Measure.Standard => s => (double)s.Standard,
        Measure.Calls => s => (double)s.Calls,
        Measure.Failed => s => (double)s.Failed,
        Measure.Cut => s => (double)s.Cut,
        Measure.Cost => s => Units(s.Cost.GetValueOrDefault(currency)),
        Measure.Margin => s => Units(s.Margin(currency)),
        Measure.Money when visit.Scope.IsAll => s => Units(s.Income.GetValueOrDefault(currency)),
        Measure.Money => s => Units(s.Moved(currency)),
        _ => s => (double)s.Tokens,
    };

    private static double Units(Int128 pico) => (double)pico / Amount.PicoPerUnit;

    private static Dictionary<string, UsageRow> Rows(Report report, Bucket bucket, Report? before)
    {
        int skip = bucket == Bucket.None ? 0 : 1;
        var rows = new Dictionary<string, UsageRow>(StringComparer.Ordinal);
        UsageRow Row(ReportRow row)
        {
            string key = string.Join('\u0001', row.Key.Skip(skip));
            if (!rows.TryGetValue(key, out UsageRow? found))
            {
                found = new UsageRow([.. row.Key.Skip(skip)], new Sums(), before is null ? null : new Sums());
                rows[key] = found;
            }

            return found;
        }

        foreach (ReportRow row in report.Rows)
        {
            Row(row).Sums.Add(report, row);
        }

        foreach (ReportRow row in before?.Rows ?? [])
        {
            Row(row).Before!.Add(before!, row);
        }

        return rows;
    }

    private static ChartModel Share(
        Visit visit, UsageQuery query, List<UsageRow> rows, Func<Sums, double> value, string currency)
    {
        UsageRow[] shown = [.. rows.Take(2 * Series)];
        double rest = rows.Skip(shown.Length).Sum(r => value(r.Sums));
        IEnumerable<string> names = shown.Select(NameOf);
        IEnumerable<double> values = shown.Select(r => value(r.Sums));
        return new ChartModel(
            "share", TitleOf(visit, query), UnitOf(visit, query, currency),
            [.. rest > 0 ? names.Append(visit.T("usage.others")) : names],
            [new ChartSeries(TitleOf(visit, query), [.. rest > 0 ? values.Append(rest) : values])]);
    }

    private static ChartModel Lines(
        Visit visit, UsageQuery query, Report report, Report? before, List<UsageRow> rows, Func<Sums, double> value,
        string currency)
    {
        List<string> times = [.. report.Rows.Select(r => r.Key[0]).Distinct()];
        var places = times.Select((time, i) => (time, i)).ToDictionary(p => p.time, p => p.i, StringComparer.Ordinal);
        string[] top = [.. rows.Take(Series).Select(r => string.Join('\u0001', r.Key))];
        var series = new Dictionary<string, double[]>(StringComparer.Ordinal);
        foreach (ReportRow row in report.Rows)
        {
            string key = string.Join('\u0001', row.Key.Skip(1));
            string name = Array.IndexOf(top, key) >= 0 ? key : "\u0002";
            if (!series.TryGetValue(name, out double[]? values))
            {
                series[name] = values = new double[times.Count];
            }

            values[places[row.Key[0]]] += value(Sums.Of(report, [row]));
        }

        List<ChartSeries> shown = [.. top.Where(series.ContainsKey).Select(key => new ChartSeries(
            key.Length == 0 ? TitleOf(visit, query) : key.Replace("\u0001", " · ", StringComparison.Ordinal),
            series[key]))];
        if (series.TryGetValue("\u0002", out double[]? others))
        {
            shown.Add(new ChartSeries(visit.T("usage.others"), others));
        }

        if (before is not null)
        {
            shown.Add(new ChartSeries(visit.T("usage.before"), Whole(before, value), Dashed: true));
        }

        return new ChartModel(
            query.View, TitleOf(visit, query), UnitOf(visit, query, currency), [.. times.Select(ShortTime)], shown);
    }

    private static double[] Whole(Report report, Func<Sums, double> value) =>
        [.. report.Rows.GroupBy(r => r.Key[0]).Select(g => value(Sums.Of(report, g)))];

    private static ChartModel Heat(
        Visit visit, UsageQuery query, Report report, Func<Sums, double> value, string currency)
    {
        const int MostDays = 62; // more would be lines of two pixels
        var days = new SortedDictionary<string, double[]>(StringComparer.Ordinal);
        foreach (ReportRow row in report.Rows)
        {
            string day = row.Key[0][..10];
            if (!days.TryGetValue(day, out double[]? hours))
            {
                days[day] = hours = new double[24];
            }

            int hour = int.Parse(row.Key[0].AsSpan(11, 2), System.Globalization.CultureInfo.InvariantCulture);
            hours[hour] += value(Sums.Of(report, [row]));
        }

        return new ChartModel(
            "heat", TitleOf(visit, query), UnitOf(visit, query, currency),
            [.. Enumerable.Range(0, 24).Select(h => $"{h:00}")],
            [.. days.TakeLast(MostDays).Select(day => new ChartSeries(day.Key[5..], day.Value))]);
    }

    internal static string NameOf(UsageRow row) => string.Join(" · ", row.Key);

    internal static string TitleOf(Visit visit, UsageQuery query) => visit.T(MeasureText(visit, query.Measure));

    /// <summary>Name of the text of a measure.</summary>
    internal static string MeasureText(Visit visit, Measure measure) => measure switch
    {
        Measure.Money => visit.Scope.IsAll ? "f.income" : "f.moved",
        _ => "f." + measure.ToString().ToLowerInvariant(),
    };

    private static string UnitOf(Visit visit, UsageQuery query, string currency) => query.Measure switch
    {
        Measure.Money or Measure.Cost or Measure.Margin => currency,
        Measure.Calls or Measure.Failed or Measure.Cut => visit.T("unit.calls"),
        _ => visit.T("unit.tokens"),
    };

    private static string ShortTime(string time) => time.Length > 16 ? time[5..16].Replace('T', ' ')
        : time.Length == 10 ? time[5..]
        : time;
}
