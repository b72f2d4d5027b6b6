using System.Collections.Concurrent;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Budgets of parties, projects and keys. What is spent is read from the statistics when a period begins or the server
/// starts, and kept in memory from then on: each call reserves its most and settles for what it cost, so calls through
/// this gateway never exceed a budget together. What others post for the same consumer is seen at the next reading.
/// </summary>
internal sealed class Budgets(Shard shard)
{
    private readonly ConcurrentDictionary<string, BudgetLoad> _loads = new(StringComparer.Ordinal);

    /// <summary>Reserves money in each budget that a call falls under.</summary>
    /// <param name="policy">The budgets in force.</param>
    /// <param name="key">Who calls.</param>
    /// <param name="most">Most that the call can cost.</param>
    /// <param name="now">The time.</param>
    /// <param name="reserved">Receives the loads in which it is reserved; empty when it is refused.</param>
    /// <returns>Null, or the refusal.</returns>
    internal GatewayRefusal? Reserve(
        ShardPolicy policy, KeySetup key, Money most, Timestamp now, List<BudgetLoad> reserved)
    {
        foreach (BudgetSetup budget in policy.Catalog.Gateway.Budgets)
        {
            if (!Covers(budget, key, most.Currency))
            {
                continue;
            }

            BudgetLoad load = _loads.AddOrUpdate(
                budget.Id,
                _ => new BudgetLoad(budget, shard),
                (_, old) => old.Budget == budget ? old : new BudgetLoad(budget, shard));
            if (!load.TryReserve(most.Amount, now))
            {
                reserved.ForEach(r => r.Settle(most.Amount, Amount.Zero));
                reserved.Clear();
                return new GatewayRefusal(RefusalKind.Funds,
                    $"Budget '{budget.Id}' of {budget.Amount} {budget.Currency} does not leave the {most.Amount} "
                    + $"{most.Currency} that this call can cost at most. Ask for a shorter answer, or raise the "
                    + "budget.");
            }

            reserved.Add(load);
        }

        return null;
    }

    private static bool Covers(BudgetSetup budget, KeySetup key, Quantities.Currency currency) =>
        budget.Party == key.Party
        && (budget.Project.Length == 0 || budget.Project == key.Project)
        && (budget.Key.Length == 0 || budget.Key == key.Id)
        && budget.Currency == currency.ToString();
}

/// <summary>What one budget has spent and reserved in its present period.</summary>
internal sealed class BudgetLoad(BudgetSetup budget, Shard shard)
{
    private readonly Lock _lock = new();
    private readonly Amount _most = Amount.Parse(budget.Amount);
    private Period _period = new(Timestamp.MinValue, Timestamp.MinValue);
    private Amount _spent;
    private Amount _reserved;

    /// <summary>The budget.</summary>
    internal BudgetSetup Budget => budget;

    /// <summary>Reserves an amount; false when there is not so much left.</summary>
    internal bool TryReserve(Amount amount, Timestamp now)
    {
        lock (_lock)
        {
            if (!_period.Contains(now))
            {
                _period = PeriodOf(budget, now);
                _spent = ReadSpent(shard.Facts, budget, _period);
            }

            if (_spent + _reserved + amount > _most)
            {
                return false;
            }

            _reserved += amount;
            return true;
        }
    }

    /// <summary>Ends a reservation: what the call cost is spent, the rest is free again.</summary>
    internal void Settle(Amount reserved, Amount cost)
    {
        lock (_lock)
        {
            _reserved -= reserved;
            _spent += cost;
        }
    }

    /// <summary>The period of a budget that a moment lies in.</summary>
    internal static Period PeriodOf(BudgetSetup budget, Timestamp now)
    {
        if (budget.Period == BudgetPeriod.Total)
        {
            return Period.Always;
        }

        DateTimeZone zone = budget.Zone.Length == 0
            ? DateTimeZone.Utc
            : DateTimeZoneProviders.Tzdb[budget.Zone];
        LocalDate day = now.ToInstant().InZone(zone).Date;
        LocalDate first = budget.Period == BudgetPeriod.Day ? day : day.With(DateAdjusters.StartOfMonth);
        LocalDate next = budget.Period == BudgetPeriod.Day ? first.PlusDays(1) : first.PlusMonths(1);
        return new Period(Start(first), Start(next));

        Timestamp Start(LocalDate date) => Timestamp.FromInstant(zone.AtStartOfDay(date).ToInstant());
    }

    /// <summary>What is spent of a budget in a period.</summary>
    internal static Amount ReadSpent(FactStore facts, BudgetSetup budget, Period period)
    {
        var filters = new List<Filter> { new(Dimension.Party, [budget.Party]) };
        if (budget.Project.Length > 0)
        {
            filters.Add(new Filter(Dimension.Project, [budget.Project]));
        }

        if (budget.Key.Length > 0)
        {
            filters.Add(new Filter(Dimension.Key, [budget.Key]));
        }

        Report report = facts.Run(new ReportQuery { Period = period, Filters = filters });
        return new Amount(report.Value(report.Total, "income_" + budget.Currency));
    }
}
