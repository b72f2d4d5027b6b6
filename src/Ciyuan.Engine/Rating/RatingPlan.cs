using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>One agreement's part in a plan.</summary>
public sealed class PlanLine
{
    internal PlanLine(Rate rate, Agreement? agreement, bool ofConsumer, bool ofProvider)
    {
        Rate = rate;
        Agreement = agreement;
        OfConsumer = ofConsumer;
        OfProvider = ofProvider;
    }

    /// <summary>How it rates; with a <see cref="Sheet"/> only what its rates have in common.</summary>
    public Rate Rate { get; }

    /// <summary>Prices that depend on the record; null when the rate is the same for each.</summary>
    internal PriceSheet? Sheet { get; init; }

    /// <summary>Whether each count has a price of its own, the same for each record: amounts are then sums, and which
    /// of two classes costs more does not depend on how much there is of them.</summary>
    public bool IsLinear => Sheet is null && Rate is { Method: RateMethod.Prices, Formula: null };

    /// <summary>The agreement; null for suspense without one.</summary>
    public Agreement? Agreement { get; }

    /// <summary>True when the record's consumer pays.</summary>
    public bool OfConsumer { get; }

    /// <summary>True when the record's provider is paid.</summary>
    public bool OfProvider { get; }

    /// <summary>The line that it shares; null unless it is a share.</summary>
    public PlanLine? Base { get; internal set; }

    /// <summary>Room for whoever posts the charges to remember the accounts; not part of the plan's content.</summary>
    public object? Accounts { get; set; }
}

/// <summary>How every record of one context within a time is rated: the agreements that it touches and their
/// prices.</summary>
/// <param name="Context">The context, its parts that don't matter to any agreement left out.</param>
/// <param name="Same">Event times for which the plan holds.</param>
/// <param name="Lines">Income, cost, between; within each by agreement id.</param>
/// <param name="NoIncome">How a record that no agreement of its consumer covers goes to suspense.</param>
/// <param name="NoCost">The same for its provider; null when the record names no known provider.</param>
public sealed record RatingPlan(
    UsageContext Context, Period Same, PlanLine[] Lines, PlanLine NoIncome, PlanLine? NoCost)
{
    /// <summary>Room for whoever corrects charges to remember what it decided; not part of the content.</summary>
    public object? Decided { get; set; }
}

/// <summary>The plans of one context, by time; their times do not overlap.</summary>
/// <param name="generation">The plans' state of mind when these were made; of another, they are not to be
/// used.</param>
internal sealed class PlanSet(object generation)
{
    private readonly List<RatingPlan> _byTime = [];
    private RatingPlan? _last;

    internal object Generation { get; } = generation;

    internal RatingPlan? Find(Timestamp moment)
    {
        if (_last is { } last && last.Same.Contains(moment))
        {
            return last;
        }

        int at = PlaceOf(moment) - 1;
        return at >= 0 && _byTime[at].Same.Contains(moment) ? _last = _byTime[at] : null;
    }

    internal void Add(RatingPlan plan)
    {
        _byTime.Insert(PlaceOf(plan.Same.Start), plan);
        _last = plan;
    }

    /// <summary>How many plans start at or before a moment.</summary>
    private int PlaceOf(Timestamp moment)
    {
        (int low, int high) = (0, _byTime.Count);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _byTime[middle].Same.Start <= moment ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

/// <summary>
/// Makes rating plans from the catalog and the price books, and remembers them. Equal rates
/// are one object as far as memory allows. Not safe for several threads.
/// </summary>
public sealed class RatingPlans
{
    /// <summary>Most plans remembered; beyond it all are forgotten. At about 500 bytes each: 16 MB.</summary>
    public const int MaxKept = 32_768;

    private readonly Dictionary<UsageContext, PlanSet> _plans = [];
    private readonly Dictionary<Rate, Rate> _rates = [];
    private Catalog _catalog = Catalog.Empty;
    private PriceBooks _books = PriceBooks.Empty;
    private object _generation = new();
    private (bool Project, bool Key, bool Scenario, bool Operation) _matters;
    private int _kept;

    /// <summary>From now on, rate by these; forgets all plans.</summary>
    public void Use(Catalog catalog, PriceBooks books)
    {
        _catalog = catalog;
        _books = books;
        WhereSetup[] wheres = [.. catalog.Agreements.Select(a => a.Setup.Where).OfType<WhereSetup>()];
        _matters = (
            Array.Exists(wheres, w => w.Project.Length > 0),
            Array.Exists(wheres, w => w.Key.Length > 0),
            Array.Exists(wheres, w => w.Scenario.Length > 0),
            Array.Exists(wheres, w => w.Operation.Length > 0));
        Forget();
    }

    /// <summary>The plan for a record of a context at an event time.</summary>
    public RatingPlan Find(UsageContext context, Timestamp eventTime)
    {
        if (context.Plan is PlanSet last && last.Generation == _generation && last.Find(eventTime) is { } plan)
        {
            return plan;
        }

        // Many contexts are rated alike: only the parts that some agreement looks at tell plans apart.
        var key = new UsageContext(
            "",
            context.Party,
            _matters.Project ? context.Project : "",
            _matters.Key ? context.Key : "",
            _matters.Scenario ? context.Scenario : "",
            "",
            context.Model,
            context.Provider,
            context.Site,
            _matters.Operation ? context.Operation : "");
        PlanSet plans = FindOrMake(key, eventTime, out plan);
        context.Plan = plans;
        return plan;
    }

    private PlanSet FindOrMake(UsageContext key, Timestamp eventTime, out RatingPlan plan)
    {
        if (_plans.TryGetValue(key, out PlanSet? plans) && plans.Find(eventTime) is { } known)
        {
            plan = known;
            return plans;
        }

        plan = Make(key, eventTime);
        if (++_kept > MaxKept)
        {
            Forget();
            (_kept, plans) = (1, null);
        }

        if (plans is null)
        {
            _plans.Add(key, plans = new PlanSet(_generation));
        }

        plans.Add(plan);
        return plans;
    }

    private void Forget()
    {
        _plans.Clear();
        _generation = new object();
        _kept = 0;
    }

    private RatingPlan Make(UsageContext context, Timestamp eventTime)
    {
        string party = context.Party;
        Period same = Period.Always;
        var lines = new List<PlanLine>();
        foreach (Agreement agreement in _catalog.Agreements)
        {
            if (Covers(agreement, context, party))
            {
                same = PriceBooks.Narrow(same, agreement.Valid, eventTime);
                if (agreement.Valid.Contains(eventTime))
                {
                    (Rate rate, PriceSheet? sheet) = MakeRate(agreement, context, eventTime, ref same);
                    lines.Add(new PlanLine(
                        rate, agreement, agreement.Setup.Payer == party, agreement.Setup.Payee == context.Provider)
                    { Sheet = sheet });
                }
            }
        }

        foreach (PlanLine line in lines)
        {
            line.Base = lines.Find(l => l.Agreement!.Id == line.Rate.ShareOf);
        }

        // A share covers what the agreement that it shares covers.
        lines.RemoveAll(l => l.Rate.Method == RateMethod.Share && l.Base is null);
        bool knownProvider = _catalog.HasRole(context.Provider, Role.Provider);
        return new RatingPlan(
            context,
            same,
            [.. lines.OrderBy(l => l.Rate.Side)], // a stable sort, so ids stay in order within a side
            new PlanLine(Suspended(SuspenseReason.NoAgreement, Side.Income, party, ""), null, true, false),
            knownProvider
                ? new PlanLine(
                    Suspended(SuspenseReason.NoProviderAgreement, Side.Cost, "", context.Provider), null, false, true)
                : null);
    }

    /// <summary>Whether an agreement covers records of a context, its validity and labels aside.</summary>
    private bool Covers(Agreement agreement, UsageContext context, string party)
    {
        AgreementSetup setup = agreement.Setup;
        WhereSetup where = setup.Where ?? new WhereSetup();
        return (setup.Payer == _catalog.Platform || setup.Payer == party)
            && CoversPayee(setup.Payee, where, context)
            && (where.Party.Length == 0 || where.Party == party)
            && (where.Project.Length == 0 || where.Project == context.Project)
            && (where.Key.Length == 0 || where.Key == context.Key)
            && (where.Scenario.Length == 0 || where.Scenario == context.Scenario)
            && (where.Provider.Length == 0 || where.Provider == context.Provider)
            && (where.Site.Length == 0 || where.Site == context.Site)
            && (where.Operation.Length == 0 || where.Operation == context.Operation)
            && agreement.Model.Matches(context.Model);
    }

    /// <summary>A provider is paid for calls of its own, a compute operator for calls at its sites, unless the
    /// conditions name a provider or a site themselves.</summary>
    private bool CoversPayee(string payee, WhereSetup where, UsageContext context)
    {
        bool provider = _catalog.HasRole(payee, Role.Provider) && where.Provider.Length == 0;
        bool compute = _catalog.HasRole(payee, Role.Compute) && where.Site.Length == 0;
        return (!provider && !compute)
            || (provider && context.Provider == payee)
            || (compute && context.Site.Length > 0 && _catalog.OperatorOf(context.Site) == payee);
    }

    private (Rate Rate, PriceSheet? Sheet) MakeRate(
        Agreement agreement, UsageContext context, Timestamp eventTime, ref Period same)
    {
        AgreementSetup setup = agreement.Setup;
        Side side = setup.Payee == _catalog.Platform ? Side.Income
            : setup.Payer == _catalog.Platform ? Side.Cost
            : Side.Between;
        var rate = new Rate
        {
            Agreement = agreement.Id,
            Method = setup.ShareOf.Length > 0 ? RateMethod.Share : RateMethod.PerCall,
            Side = side,
            Payer = setup.Payer,
            Payee = setup.Payee,
            Currency = agreement.Currency,
            PerCall = agreement.PerCall,
            ShareOf = setup.ShareOf,
            SharePpm = agreement.SharePpm,
        };
        return setup.Book.Length == 0 ? (Intern(rate), null) : LookUp(rate, setup, context, eventTime, ref same);
    }

    private (Rate Rate, PriceSheet? Sheet) LookUp(
        Rate rate, AgreementSetup setup, UsageContext context, Timestamp eventTime, ref Period same)
    {
        ExchangeRates? exchange = setup.Exchange is null ? null : _books.FindExchange(setup.Exchange);
        PriceChain chain =
            PriceChain.Find(_books, setup.Book, exchange, context.Model, context.Provider, eventTime);
        same = PriceBooks.Narrow(same, chain.Same, eventTime);
        ChainLink own = chain.Links.Find(link => link.Book == setup.Book)!;
        rate = rate with
        {
            Method = RateMethod.Prices,
            Book = setup.Book,
            Version = own.Version?.Setup.Version ?? 0,
            Model = chain.Match?.Line.Model ?? "",
        };
        if (chain.Reason != SuspenseReason.None)
        {
            return (Suspended(rate, chain.Reason), null);
        }

        var sheet = new PriceSheet(rate, chain, Intern);
        if (!sheet.IsConstant)
        {
            return (rate, sheet);
        }

        return (sheet.RateOf(0, out SuspenseReason reason) ?? Suspended(rate, reason), null);
    }

    /// <summary>The engine's own object for a rate that was read from the journal, if there is one.</summary>
    public Rate Canonical(Rate rate) => Intern(rate);

    /// <summary>The rate under which a charge of a line goes to suspense for a reason found only with the
    /// record.</summary>
    public Rate Suspended(Rate rate, SuspenseReason reason) =>
        Intern(rate with
        {
            Method = RateMethod.Suspense,
            Reason = reason,
            Prices = [],
            Formula = null,
            PerCall = default,
        });

    private Rate Suspended(SuspenseReason reason, Side side, string payer, string payee) => Intern(new Rate
    {
        Agreement = "",
        Method = RateMethod.Suspense,
        Reason = reason,
        Side = side,
        Payer = payer,
        Payee = payee,
        Currency = default,
    });

    private Rate Intern(Rate rate)
    {
        if (!_rates.TryGetValue(rate, out Rate? kept))
        {
            kept = rate;
            // Unknown parties can be without number; beyond the bound, equal rates may be different objects.
            if (_rates.Count < MaxKept * 2)
            {
                _rates.Add(rate, kept);
            }
        }

        return kept;
    }
}
