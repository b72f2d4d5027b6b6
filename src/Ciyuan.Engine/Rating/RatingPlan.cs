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

    /// <summary>How it rates.</summary>
    public Rate Rate { get; }

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

    /// <summary>Prices by meter number in pico per step, looked up once: -1 without a price. 262 × 16 bytes.</summary>
    public Int128[] PerStep => _perStep ??= Array.ConvertAll(Enumerable.Range(0, 256 + 6).ToArray(), PriceOf);

    private Int128[]? _perStep;

    private Int128 PriceOf(int meter) =>
        Meter.TryFromValue(meter, out Meter known) && Rate.TryGetPrice(known, out Amount price) ? price.Pico : -1;
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
    /// <summary>The plans' state of mind when this one was made; of another, it is not to be used.</summary>
    internal object? Generation { get; init; }
}

/// <summary>
/// Makes rating plans from the catalog and the price books, and remembers them. Equal rates
/// are one object as far as memory allows. Not safe for several threads.
/// </summary>
public sealed class RatingPlans
{
    /// <summary>Most plans remembered; beyond it all are forgotten. At about 500 bytes each: 16 MB.</summary>
    public const int MaxKept = 32_768;

    private readonly Dictionary<UsageContext, List<RatingPlan>> _plans = [];
    private readonly Dictionary<(string, RateMethod, Side, string, int, string, SuspenseReason), Rate> _rates = [];
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
        if (context.Plan is RatingPlan last && last.Generation == _generation && last.Same.Contains(eventTime))
        {
            return last;
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
        RatingPlan plan = FindOrMake(key, eventTime);
        context.Plan = plan;
        return plan;
    }

    private RatingPlan FindOrMake(UsageContext key, Timestamp eventTime)
    {
        if (_plans.TryGetValue(key, out List<RatingPlan>? plans))
        {
            foreach (RatingPlan plan in plans)
            {
                if (plan.Same.Contains(eventTime))
                {
                    return plan;
                }
            }
        }

        RatingPlan made = Make(key, eventTime);
        if (++_kept > MaxKept)
        {
            Forget();
            (_kept, plans) = (1, null);
            made = made with { Generation = _generation };
        }

        if (plans is null)
        {
            _plans.Add(key, plans = []);
        }

        plans.Add(made);
        return made;
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
                    Rate rate = MakeRate(agreement, context.Model, eventTime, ref same);
                    lines.Add(new PlanLine(
                        rate, agreement, agreement.Setup.Payer == party, agreement.Setup.Payee == context.Provider));
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
                : null)
        { Generation = _generation };
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

    private Rate MakeRate(Agreement agreement, string model, Timestamp eventTime, ref Period same)
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
        if (setup.Book.Length > 0)
        {
            BookVersion? version = _books.Find(setup.Book, eventTime, ref same);
            PriceLine? line = version?.Find(model);
            SuspenseReason reason = version is null ? SuspenseReason.NoBookVersion
                : line is null ? SuspenseReason.NoModelPrice
                : SuspenseReason.None;
            rate = rate with
            {
                Method = reason == SuspenseReason.None ? RateMethod.Prices : RateMethod.Suspense,
                Reason = reason,
                Book = setup.Book,
                Version = version?.Setup.Version ?? 0,
                Model = line?.Model.Text ?? "",
                Prices = line?.Prices ?? [],
            };
        }

        return Intern(rate);
    }

    /// <summary>The engine's own object for a rate that was read from the journal, if there is one.</summary>
    public Rate Canonical(Rate rate) => Intern(rate);

    /// <summary>The rate under which a charge of a line goes to suspense for a reason found only with the
    /// record.</summary>
    public Rate Suspended(Rate rate, SuspenseReason reason) =>
        Intern(rate with { Method = RateMethod.Suspense, Reason = reason, Prices = [], PerCall = default });

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
        // Without an agreement the party tells rates apart; it stands where the book's model pattern would.
        string model = rate.Agreement.Length == 0 ? rate.Payer + "/" + rate.Payee : rate.Model;
        var key = (rate.Agreement, rate.Method, rate.Side, rate.Book, rate.Version, model, rate.Reason);
        if (!_rates.TryGetValue(key, out Rate? kept))
        {
            kept = rate;
            // Unknown parties can be without number; beyond the bound, equal rates may be different objects.
            if (_rates.Count < MaxKept * 2)
            {
                _rates.Add(key, kept);
            }
        }

        return kept;
    }
}
