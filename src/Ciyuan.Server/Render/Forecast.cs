using System.Globalization;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Gateway;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Render;

/// <summary>What a consumer has left in a currency, and when it runs out.</summary>
/// <param name="Party">The consumer.</param>
/// <param name="Currency">The currency; TOK for packs.</param>
/// <param name="Available">What can still be drawn, of all its funding.</param>
/// <param name="Use">How much a day uses, and when it runs out.</param>
/// <param name="Expires">When the first of the funding expires; null when none does.</param>
public sealed record BalanceForecast(
    string Party, Currency Currency, Amount Available, RunOut Use, Timestamp? Expires);

/// <summary>Spend against a budget.</summary>
/// <param name="Budget">The budget.</param>
/// <param name="Period">Its present period.</param>
/// <param name="Spent">What is spent of it.</param>
/// <param name="Expected">What will be by the end of the period, if the days to come are like those before; the same as
/// spent for a budget without end.</param>
public sealed record BudgetForecast(BudgetSetup Budget, Period Period, Amount Spent, Amount Expected)
{
    /// <summary>What is left; below zero when it is exceeded.</summary>
    public Amount Left => Amount.Parse(Budget.Amount) - Spent;
}

/// <summary>Looks ahead: balances that run out, and budgets.</summary>
public static class Forecast
{
    /// <summary>Days that are looked back at unless told otherwise: four weeks, so that each weekday counts as
    /// often.</summary>
    public const int DefaultDays = 28;

    /// <summary>Most days looked back at.</summary>
    public const int MostDays = 366;

    private static readonly string[] Kinds =
        [.. Enum.GetNames<FundingKind>().Select(kind => kind.ToLowerInvariant())];

    /// <summary>Each consumer's funding, by currency, those that run out first first.</summary>
    /// <param name="facts">The facts.</param>
    /// <param name="accounts">The accounts now.</param>
    /// <param name="now">The moment; its day is not looked at, since it is not over.</param>
    /// <param name="days">Days looked back at; 1 to <see cref="MostDays"/>.</param>
    /// <param name="zone">Zone of the days.</param>
    public static IReadOnlyList<BalanceForecast> Balances(
        FactStore facts, IReadOnlyList<AccountView> accounts, Timestamp now, int days, DateTimeZone zone)
    {
        Period past = DaysBefore(now, days, zone);
        Report report = facts.Run(new ReportQuery
        {
            Period = past,
            Zone = zone,
            Bucket = Bucket.Day,
            GroupBy = [Dimension.Party],
        });
        var funding = accounts
            .Select(a => (Account: a, Parts: a.Name.Path.Split('/')))
            .Where(a => a.Parts.Length == 3 && Kinds.Contains(a.Parts[1]) && a.Account.Available is not null
                && (a.Account.Expires is not { } end || end > now))
            .GroupBy(a => (Party: a.Parts[0], a.Account.Name.Currency));
        return [.. funding.Select(group =>
        {
            Amount left = group.Aggregate(Amount.Zero, (sum, a) => sum + a.Account.Available!.Value);
            var use = RunOut.Estimate(
                Number(left.Pico), UsePerDay(report, group.Key.Party, group.Key.Currency, days));
            Timestamp[] ends = [.. group.Select(a => a.Account.Expires).OfType<Timestamp>()];
            return new BalanceForecast(
                group.Key.Party, group.Key.Currency, left, use, ends.Length == 0 ? null : ends.Min());
        }).OrderBy(f => f.Use.Days ?? double.MaxValue).ThenBy(f => f.Party, StringComparer.Ordinal)];
    }

    /// <summary>Each budget of the gateway.</summary>
    public static IReadOnlyList<BudgetForecast> Budgets(FactStore facts, Catalog catalog, Timestamp now) =>
    [
        .. catalog.Gateway.Budgets.Select(budget =>
        {
            Period period = BudgetLoad.PeriodOf(budget, now);
            Amount spent = BudgetLoad.ReadSpent(facts, budget, period);
            bool ends = period.End != Timestamp.MaxValue;
            Amount expected = !ends || now <= period.Start ? spent : Rounding.Proportion(
                spent, (Int128)period.End.UnixNanoseconds - period.Start.UnixNanoseconds,
                (Int128)now.UnixNanoseconds - period.Start.UnixNanoseconds);
            return new BudgetForecast(budget, period, spent, expected);
        }),
    ];

    private static Period DaysBefore(Timestamp now, int days, DateTimeZone zone)
    {
        LocalDate today = now.ToInstant().InZone(zone).Date;
        Timestamp At(LocalDate day) => Timestamp.FromInstant(zone.AtStartOfDay(day).ToInstant());
        return new Period(At(today.PlusDays(-days)), At(today));
    }

    private static double[] UsePerDay(Report report, string party, Currency currency, int days)
    {
        var used = new double[days];
        int at = 0;
        foreach (ReportRow row in report.Rows.Where(r => r.Key[1] == party))
        {
            // Packs are used by the token, money by what is charged.
            used[at++] = currency == Currency.Tok
                ? Number(report.Value(row, "pack_tokens") * Amount.PicoPerUnit)
                : Number(report.Value(row, $"income_{currency}") + report.Value(row, $"between_{currency}"));
        }

        return used;
    }

    private static double Number(Int128 pico) => (double)pico / Amount.PicoPerUnit;
}
