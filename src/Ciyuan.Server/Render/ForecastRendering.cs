using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Render;

/// <summary>Writes margins and forecasts.</summary>
public static class ForecastRendering
{
    /// <summary>Margins in each format.</summary>
    public static Rendering Render(MarginReport report) => new(() => ToTable(report), json => WriteJson(json, report));

    /// <summary>Balances that run out, in each format.</summary>
    /// <param name="balances">The balances.</param>
    /// <param name="now">The moment.</param>
    /// <param name="days">Days looked back at.</param>
    public static Rendering Render(IReadOnlyList<BalanceForecast> balances, Timestamp now, int days) =>
        new(() => ToTable(balances, now, days), json => WriteJson(json, balances, now, days));

    /// <summary>Budgets in each format.</summary>
    public static Rendering Render(IReadOnlyList<BudgetForecast> budgets, Timestamp now) =>
        new(() => ToTable(budgets, now), json => WriteJson(json, budgets, now));

    private static Table ToTable(MarginReport report)
    {
        var table = new Table([
            .. report.Source.KeyColumns.Select(name => new TableColumn(name)), new("currency"),
            new("tokens", IsNumber: true), new("revenue", IsNumber: true), new("cost", IsNumber: true),
            new("margin", IsNumber: true), new("percent", IsNumber: true),
        ])
        {
            Scope = [
                $"Scope: event time {report.Source.Scope.Period}, zone {report.Source.Scope.Zone}; journal up to frame "
                    + $"{report.Source.Scope.DataToSeq}",
                "Amounts are exact. Nothing is converted: revenue and cost in different currencies stand in rows of "
                    + "their own",
            ],
            Notes = [.. report.Totals.Select(t => $"Total {t.Currency}: revenue {t.Revenue}, cost {t.Cost}, margin "
                + $"{t.Margin}{(t.Percent is { } p ? $" ({p} %)" : "")}")],
        };
        foreach (MarginRow row in report.Rows)
        {
            table.Add([.. row.Key, row.Currency.ToString(), row.Tokens.ToString(CultureInfo.InvariantCulture),
                row.Revenue.ToString(), row.Cost.ToString(), row.Margin.ToString(), row.Percent ?? ""]);
        }

        return table;
    }

    private static void WriteJson(Utf8JsonWriter json, MarginReport report)
    {
        json.WriteStartObject();
        Rendering.WriteBound(json, "from", report.Source.Scope.Period.Start);
        Rendering.WriteBound(json, "to", report.Source.Scope.Period.End);
        json.WriteString("zone", report.Source.Scope.Zone);
        json.WriteNumber("data_to_seq", report.Source.Scope.DataToSeq);
        foreach ((string name, IReadOnlyList<MarginRow> rows) in
            (IEnumerable<(string, IReadOnlyList<MarginRow>)>)[("rows", report.Rows), ("totals", report.Totals)])
        {
            json.WriteStartArray(name);
            foreach (MarginRow row in rows)
            {
                json.WriteStartObject();
                for (int i = 0; i < row.Key.Count; i++)
                {
                    json.WriteString(report.Source.KeyColumns[i], row.Key[i]);
                }

                json.WriteString("currency", row.Currency.ToString());
                json.WriteString("tokens", row.Tokens.ToString(CultureInfo.InvariantCulture));
                json.WriteString("revenue", row.Revenue.ToString());
                json.WriteString("cost", row.Cost.ToString());
                json.WriteString("margin", row.Margin.ToString());
                json.WriteString("percent", row.Percent);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static Table ToTable(IReadOnlyList<BalanceForecast> balances, Timestamp now, int days)
    {
        var table = new Table([
            new("party"), new("currency"), new("available", IsNumber: true), new("per_day", IsNumber: true),
            new("spread", IsNumber: true), new("runs_out"), new("earliest"), new("latest"), new("expires"),
        ])
        {
            Scope = [Rule(now, days)],
        };
        foreach (BalanceForecast f in balances)
        {
            table.Add(f.Party, f.Currency.ToString(), f.Available.ToString(), Short(f.Use.MeanPerDay),
                Short(f.Use.SpreadPerDay), Day(now, f.Use.Days) ?? "never", Day(now, f.Use.Earliest) ?? "",
                Day(now, f.Use.Latest) ?? "", f.Expires?.ToString() ?? "");
        }

        return table;
    }

    private static void WriteJson(
        Utf8JsonWriter json, IReadOnlyList<BalanceForecast> balances, Timestamp now, int days)
    {
        json.WriteStartObject();
        json.WriteString("at", now.ToString());
        json.WriteNumber("days", days);
        json.WriteString("rule", Rule(now, days));
        json.WriteStartArray("balances");
        foreach (BalanceForecast f in balances)
        {
            json.WriteStartObject();
            json.WriteString("party", f.Party);
            json.WriteString("currency", f.Currency.ToString());
            json.WriteString("available", f.Available.ToString());
            json.WriteString("per_day", Short(f.Use.MeanPerDay));
            json.WriteString("spread", Short(f.Use.SpreadPerDay));
            json.WriteString("runs_out", Day(now, f.Use.Days));
            json.WriteString("earliest", Day(now, f.Use.Earliest));
            json.WriteString("latest", Day(now, f.Use.Latest));
            json.WriteString("expires", f.Expires?.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static Table ToTable(IReadOnlyList<BudgetForecast> budgets, Timestamp now)
    {
        var table = new Table([
            new("budget"), new("party"), new("project"), new("key"), new("currency"), new("amount", IsNumber: true),
            new("spent", IsNumber: true), new("left", IsNumber: true), new("expected", IsNumber: true), new("until"),
        ])
        {
            Scope = [$"Spend at {now}; expected is what the period will have spent at the pace so far"],
        };
        foreach (BudgetForecast f in budgets)
        {
            table.Add(f.Budget.Id, f.Budget.Party, f.Budget.Project, f.Budget.Key, f.Budget.Currency, f.Budget.Amount,
                f.Spent.ToString(), f.Left.ToString(), f.Expected.ToString(),
                f.Period.End == Timestamp.MaxValue ? "" : f.Period.End.ToString());
        }

        return table;
    }

    private static void WriteJson(Utf8JsonWriter json, IReadOnlyList<BudgetForecast> budgets, Timestamp now)
    {
        json.WriteStartObject();
        json.WriteString("at", now.ToString());
        json.WriteStartArray("budgets");
        foreach (BudgetForecast f in budgets)
        {
            json.WriteStartObject();
            json.WriteString("budget", f.Budget.Id);
            json.WriteString("party", f.Budget.Party);
            json.WriteString("project", f.Budget.Project);
            json.WriteString("key", f.Budget.Key);
            json.WriteString("currency", f.Budget.Currency);
            json.WriteString("amount", f.Budget.Amount);
            json.WriteString("spent", f.Spent.ToString());
            json.WriteString("left", f.Left.ToString());
            json.WriteString("expected", f.Expected.ToString());
            Rendering.WriteBound(json, "from", f.Period.Start);
            Rendering.WriteBound(json, "to", f.Period.End);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Rule(Timestamp now, int days) =>
        $"From {now}, by the mean and spread of the {days} whole days before; nine cases of ten lie between earliest "
            + "and latest";

    private static string Short(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    // Beyond the years that a moment can have it is as good as never.
    private static string? Day(Timestamp now, double? days) => days is { } d && d < 36_500
        ? now.ToInstant().Plus(NodaTime.Duration.FromDays(d)).ToString("uuuu-MM-dd", CultureInfo.InvariantCulture)
        : null;
}
