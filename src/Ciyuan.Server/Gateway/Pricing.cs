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
/// <remarks>One for each thread: rating keeps what it has found, and a lock would have all calls wait for it.</remarks>
internal sealed class Pricing : IDisposable
{
    private readonly ThreadLocal<ThreadPricing> _ofThread = new(() => new ThreadPricing());

    private ThreadPricing OfThread => _ofThread.Value!;

    /// <inheritdoc cref="ThreadPricing.FindMost"/>
    internal Money? FindMost(ShardPolicy policy, UsageContext context, Timestamp now, MostUsage most) =>
        OfThread.FindMost(policy, context, now, most);

    /// <inheritdoc cref="ThreadPricing.HasPrice"/>
    internal bool HasPrice(ShardPolicy policy, UsageContext context, Timestamp now) =>
        OfThread.HasPrice(policy, context, now);

    /// <inheritdoc cref="ThreadPricing.FindCost"/>
    internal Money? FindCost(ShardPolicy policy, UsageRecord record) => OfThread.FindCost(policy, record);

    /// <inheritdoc cref="ThreadPricing.FindPurchase"/>
    internal Money? FindPurchase(ShardPolicy policy, UsageContext context, Timestamp now) =>
        OfThread.FindPurchase(policy, context, now);

    /// <inheritdoc/>
    public void Dispose() => _ofThread.Dispose();
}

/// <summary><see cref="Pricing"/> for the use of one thread.</summary>
internal sealed class ThreadPricing
{
    /// <summary>Classes of input that providers tell apart in price; the plain one first.</summary>
    private static readonly Meter[] Inputs =
    [
        new TokenClass(Direction.Input, Modality.Text, TokenKind.Fresh),
        new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheRead),
        new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheWrite),
        new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheWrite5M),
        new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheWrite1H),
        new TokenClass(Direction.Input, Modality.Image, TokenKind.Fresh),
        new TokenClass(Direction.Input, Modality.Audio, TokenKind.Fresh),
        new TokenClass(Direction.Input, Modality.Video, TokenKind.Fresh),
        new TokenClass(Direction.Input, Modality.Document, TokenKind.Fresh),
    ];

    /// <summary>The same of output.</summary>
    private static readonly Meter[] Outputs =
    [
        new TokenClass(Direction.Output, Modality.Text, TokenKind.Fresh),
        new TokenClass(Direction.Output, Modality.Text, TokenKind.Reasoning),
        new TokenClass(Direction.Output, Modality.Image, TokenKind.Fresh),
        new TokenClass(Direction.Output, Modality.Audio, TokenKind.Fresh),
    ];

    /// <summary>Most contexts remembered; they are the gateway's, which are few.</summary>
    private const int MostContexts = 4_096;

    private readonly RatingPlans _plans = new();
    private readonly List<RatedLine> _rated = [];
    private readonly Dictionary<UsageContext, Found> _found = new(ReferenceEqualityComparer.Instance);
    private ShardPolicy? _policy;

    /// <summary>A context's plan, and the dearest classes under it where they are always the same.</summary>
    private sealed record Found(RatingPlan Plan)
    {
        internal (Meter Input, Meter Output)? Dearest { get; set; }
    }

    /// <summary>
    /// The most that a call can cost its consumer; null when no agreement prices it. Rates the call as if all its input
    /// were of the dearest class, and all its output, at the length that they can have at most.
    /// </summary>
    internal Money? FindMost(ShardPolicy policy, UsageContext context, Timestamp now, MostUsage most)
    {
        Found found = FindPlan(policy, context, now);
        RatingPlan plan = found.Plan;
        Money? tokens = MostOfTokens(found, context, now, most.Input, most.Output);
        Money? images = RateOne(plan, context, now, Meter.Image, most.Images);
        Money? characters = RateOne(plan, context, now, Meter.Character, most.Characters);
        Money? seconds = RateOne(plan, context, now, Meter.Second, most.Seconds * Meter.Second.StepsPerUnit);
        return Add(Add(tokens, images), Add(characters, seconds));
    }

    /// <summary>Whether the consumer's agreement has a price for a model.</summary>
    internal bool HasPrice(ShardPolicy policy, UsageContext context, Timestamp now)
    {
        RatingPlan plan = Find(policy, context, now);
        return Array.Exists(plan.Lines, l => l.OfConsumer)
            && !Array.Exists(plan.Lines, l => l.OfConsumer && l.Rate.Method == RateMethod.Suspense);
    }

    /// <summary>What a record costs its consumer; null when it is in suspense or covered by no agreement.</summary>
    internal Money? FindCost(ShardPolicy policy, UsageRecord record)
    {
        RatingPlan plan = Find(policy, record.Context, record.EventTime);
        return Rate(plan, record, line => line.OfConsumer) ?? (plan.Lines.FirstOrDefault(l => l.OfConsumer) is { } l
            && !_rated.Exists(r => r.Line.OfConsumer && r.IsSuspended)
                ? new Money(Amount.Zero, l.Rate.Currency)
                : null);
    }

    /// <summary>What a thousand tokens each way cost the platform at a provider; null when nothing says so.</summary>
    internal Money? FindPurchase(ShardPolicy policy, UsageContext context, Timestamp now)
    {
        UsageRecord record = Imagine(
            context, now, [new(Inputs[0], default, 1_000), new(Outputs[0], default, 1_000)]);
        return Rate(Find(policy, context, now), record, line => line.OfProvider && line.Rate.Side == Side.Cost);
    }

    private RatingPlan Find(ShardPolicy policy, UsageContext context, Timestamp now) =>
        FindPlan(policy, context, now).Plan;

    private Found FindPlan(ShardPolicy policy, UsageContext context, Timestamp now)
    {
        if (!ReferenceEquals(policy, _policy))
        {
            _plans.Use(policy.Catalog, policy.Books);
            _policy = policy;
            _found.Clear();
        }

        if (_found.TryGetValue(context, out Found? known) && known.Plan.Same.Contains(now))
        {
            return known;
        }

        if (_found.Count >= MostContexts)
        {
            _found.Clear();
        }

        // Plans remember themselves on a context, and the shard does so too: this one has contexts of its own.
        return _found[context] = new Found(_plans.Find(context with { Source = "pricing" }, now));
    }

    private Money? MostOfTokens(Found found, UsageContext context, Timestamp now, long input, long output)
    {
        RatingPlan plan = found.Plan;
        if (found.Dearest is { } dearest && Both(dearest.Input, dearest.Output) is { } most)
        {
            return most;
        }

        // Prices may go by the length of both, so neither is rated without the other.
        Money? plain = Both(Inputs[0], Outputs[0]);
        (Meter inClass, Money? dearIn) = Highest(Inputs, c => Both(c, Outputs[0]));
        (Meter outClass, Money? dearOut) = Highest(Outputs, c => Both(Inputs[0], c));
        if (plain is { } p && dearIn is { } i && dearOut is { } o)
        {
            bool always = input > 0 && output > 0 && Array.TrueForAll(plan.Lines, l => !l.OfConsumer || l.IsLinear);
            found.Dearest = always ? (inClass, outClass) : null;
            return new Money(i.Amount + o.Amount - p.Amount, p.Currency);
        }

        return Add(
            Highest(Inputs, c => RateOne(plan, context, now, c, input)).Money,
            Highest(Outputs, c => RateOne(plan, context, now, c, output)).Money);

        Money? Both(Meter of, Meter and) => Rate(
            plan, Imagine(context, now, [new(of, default, input), new(and, default, output)]), l => l.OfConsumer);
    }

    private Money? RateOne(RatingPlan plan, UsageContext context, Timestamp now, Meter meter, long steps) =>
        steps == 0 && !meter.IsTokens
            ? null
            : Rate(plan, Imagine(context, now, [new(meter, default, steps)]), line => line.OfConsumer);

    /// <summary>The sum of some lines of a record, in the currency of the first; null when there is none, or one is in
    /// suspense.</summary>
    private Money? Rate(RatingPlan plan, UsageRecord record, Func<PlanLine, bool> which)
    {
        RateUsage.Rate(plan, _plans, record, _rated);
        RateUsage.Share(_plans, _rated);
        Money? sum = null;
        foreach (RatedLine line in _rated)
        {
            if (!which(line.Line))
            {
                continue;
            }

            if (line.IsSuspended)
            {
                return null;
            }

            var money = new Money(line.Amount, line.Rate.Currency);
            sum = sum is null || sum.Value.Currency == money.Currency ? Add(sum, money) : sum;
        }

        return sum;
    }

    private static UsageRecord Imagine(UsageContext context, Timestamp now, Count[] counts) => new()
    {
        Id = "most",
        Context = context,
        EventTime = now,
        Counts = counts,
    };

    private static (Meter Meter, Money? Money) Highest(Meter[] meters, Func<Meter, Money?> rate)
    {
        (Meter, Money?) highest = default;
        foreach (Meter meter in meters)
        {
            if (rate(meter) is { } money && (highest.Item2 is not { } before || money.Amount > before.Amount))
            {
                highest = (meter, money);
            }
        }

        return highest;
    }

    private static Money? Add(Money? some, Money? more) => some is null ? more
        : more is null ? some
        : new Money(some.Value.Amount + more.Value.Amount, some.Value.Currency);
}
