using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Server.Gateway;

/// <summary>An amount and its currency.</summary>
/// <param name="Amount">The amount.</param>
/// <param name="Currency">Its currency.</param>
internal readonly record struct Money(Amount Amount, Currency Currency);

/// <summary>How much of everything a call can use at most.</summary>
/// <param name="Input">Tokens in.</param>
/// <param name="Output">Tokens out.</param>
/// <param name="Images">Pictures made.</param>
/// <param name="Characters">Characters read.</param>
/// <param name="Seconds">Seconds of sound.</param>
internal readonly record struct MostUsage(long Input, long Output, long Images, long Characters, long Seconds);

/// <summary>
/// What calls cost a consumer, by the agreements in force: at most before the call, exactly after it. Rates as Step 5
/// does, over the same code, but decides nothing: what is charged is what the journal says.
/// </summary>
internal sealed class Pricing
{
    private readonly Lock _lock = new();
    private readonly RatingPlans _plans = new();
    private readonly List<RatedLine> _rated = [];
    private ShardPolicy? _policy;

    /// <summary>The most that a call can cost its consumer; null when no agreement prices it.</summary>
    internal Money? FindMost(ShardPolicy policy, UsageContext context, Timestamp now, MostUsage most)
    {
        lock (_lock)
        {
            RatingPlan plan = Find(policy, context, now);
            Money? sum = null;
            foreach (PlanLine line in plan.Lines)
            {
                if (!line.OfConsumer || line.Rate.Method == RateMethod.Share)
                {
                    continue;
                }

                if (line.Rate.Method == RateMethod.Suspense)
                {
                    return null;
                }

                Amount amount = MostOf(line, most);
                sum = sum is null ? new Money(amount, line.Rate.Currency)
                    : sum.Value.Currency == line.Rate.Currency
                        ? new Money(sum.Value.Amount + amount, line.Rate.Currency)
                        : sum;
            }

            return sum;
        }
    }

    /// <summary>Whether the consumer's agreement has a price for a model.</summary>
    internal bool HasPrice(ShardPolicy policy, UsageContext context, Timestamp now)
    {
        lock (_lock)
        {
            RatingPlan plan = Find(policy, context, now);
            return Array.Exists(plan.Lines, l => l.OfConsumer)
                && !Array.Exists(plan.Lines, l => l.OfConsumer && l.Rate.Method == RateMethod.Suspense);
        }
    }

    /// <summary>What a record costs its consumer; null when it is in suspense or covered by no agreement.</summary>
    internal Money? FindCost(ShardPolicy policy, UsageRecord record)
    {
        lock (_lock)
        {
            RatingPlan plan = Find(policy, record.Context, record.EventTime);
            RateUsage.Rate(plan, _plans, record, _rated);
            RateUsage.Share(_plans, _rated);
            Money? sum = null;
            foreach (RatedLine line in _rated)
            {
                if (!line.Line.OfConsumer)
                {
                    continue;
                }

                if (line.IsSuspended)
                {
                    return null;
                }

                sum = sum is null ? new Money(line.Amount, line.Rate.Currency)
                    : sum.Value.Currency == line.Rate.Currency
                        ? new Money(sum.Value.Amount + line.Amount, line.Rate.Currency)
                        : sum;
            }

            return sum ?? (plan.Lines.FirstOrDefault(l => l.OfConsumer) is { } free
                ? new Money(Amount.Zero, free.Rate.Currency)
                : null);
        }
    }

    /// <summary>What a thousand tokens each way cost the platform at a provider; null when nothing says so.</summary>
    internal Money? FindPurchase(ShardPolicy policy, UsageContext context, Timestamp now)
    {
        lock (_lock)
        {
            RatingPlan plan = Find(policy, context, now);
            PlanLine? line = Array.Find(plan.Lines, l => l.OfProvider && l.Rate.Side == Side.Cost
                && l.Rate.Method is RateMethod.Prices or RateMethod.PerCall);
            return line is null
                ? null
                : new Money(MostOf(line, new MostUsage(1_000, 1_000, 0, 0, 0)), line.Rate.Currency);
        }
    }

    // Plans remember themselves on a context, and the shard does so too: this one has contexts of its own.
    private RatingPlan Find(ShardPolicy policy, UsageContext context, Timestamp now)
    {
        if (!ReferenceEquals(policy, _policy))
        {
            _plans.Use(policy.Catalog, policy.Books);
            _policy = policy;
        }

        return _plans.Find(context with { Source = "pricing" }, now);
    }

    private static Amount MostOf(PlanLine line, MostUsage most)
    {
        if (line.Rate.Method != RateMethod.Prices)
        {
            return line.Rate.PerCall;
        }

        Int128[] prices = line.PerStep;
        return (Highest(prices, 0, 128) * most.Input) + (Highest(prices, 128, 256) * most.Output)
            + (Price(prices, Meter.Image) * most.Images) + (Price(prices, Meter.Character) * most.Characters)
            + (Price(prices, Meter.Second) * most.Seconds * Meter.Second.StepsPerUnit)
            + Price(prices, Meter.Request);
    }

    private static Amount Highest(Int128[] prices, int from, int to)
    {
        Int128 highest = 0;
        for (int meter = from; meter < to; meter++)
        {
            highest = prices[meter] > highest ? prices[meter] : highest;
        }

        return new Amount(highest);
    }

    private static Amount Price(Int128[] prices, Meter meter) =>
        new(Int128.Max(0, prices[meter.Value]));
}
