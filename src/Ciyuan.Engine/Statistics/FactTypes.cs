using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

// The tables of a segment under construction: contexts, rates, plans, types. A record whose charges have the same rate
// objects as the last one of its context is found without hashing anything but the context.
internal sealed class FactTypes
{
    private static readonly Currency[] CountedUnits =
        [Currency.Tok, .. Meter.OtherUnits.Select(unit => unit.Currency)];

    private readonly Dictionary<UsageContext, ContextEntry> _contexts = [];
    private readonly Dictionary<Rate, int> _rates = new(new RateContent());
    private readonly Dictionary<Rate, int> _rateObjects = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<AccountName, int> _accounts = [];
    private readonly Dictionary<AccountName, int> _accountObjects = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<FactSlot[], int> _plans = new(new PlanContent());
    private readonly Dictionary<FactType, int> _types = [];

    public List<UsageContext> Contexts { get; } = [];

    public List<Rate> Rates { get; } = [];

    public List<Amount> ChargeSums { get; } = [];

    public List<FactSlot[]> Plans { get; } = [];

    public List<FactType> Types { get; } = [];

    public List<AccountName> Accounts { get; } = [];

    public void AddToSum(int rate, Amount amount) => ChargeSums[rate] += amount;

    /// <summary>The type of a row.</summary>
    /// <param name="context">Its context.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="outcome">How the call ended.</param>
    /// <param name="charges">Its charges.</param>
    /// <param name="from">For each, the account that paid all of it; null where that is not one.</param>
    /// <param name="reversed">How many charges, from the first, are taken back.</param>
    public int Find(
        UsageContext context, FactKind kind, Outcome outcome, Charge[] charges, ReadOnlySpan<AccountName?> from,
        int reversed)
    {
        ContextEntry entry = EntryOf(context);
        if (!entry.IsLast(kind, outcome, charges, from, reversed))
        {
            int code = FindType(new FactType(entry.Code, kind, outcome, FindPlan(charges, from, reversed)));
            entry.SetLast(code, kind, outcome, charges, from, reversed);
        }

        return entry.LastType;
    }

    /// <summary>The type of a correction's row whose plan is known, as it is for all rows of a group.</summary>
    public int FindCorrected(UsageContext context, int plan) =>
        FindType(new FactType(EntryOf(context).Code, FactKind.CountedCorrection, default, plan));

    private ContextEntry EntryOf(UsageContext context)
    {
        if (!_contexts.TryGetValue(context, out ContextEntry? entry))
        {
            _contexts.Add(context, entry = new ContextEntry(Contexts.Count));
            Contexts.Add(context);
        }

        return entry;
    }

    private int FindType(FactType type)
    {
        if (!_types.TryGetValue(type, out int code))
        {
            _types.Add(type, code = Types.Count);
            Types.Add(type);
        }

        return code;
    }

    /// <summary>The place of an account.</summary>
    public int FindAccount(AccountName account)
    {
        if (!_accountObjects.TryGetValue(account, out int code))
        {
            if (!_accounts.TryGetValue(account, out code))
            {
                _accounts.Add(account, code = Accounts.Count);
                Accounts.Add(account);
            }

            _accountObjects.Add(account, code);
        }

        return code;
    }

    /// <summary>The plan of rows with such charges.</summary>
    public int FindPlan(Charge[] charges, ReadOnlySpan<AccountName?> from, int reversed)
    {
        var slots = new List<FactSlot>(charges.Length);
        for (int i = 0; i < charges.Length; i++)
        {
            Rate rate = charges[i].Rate;
            int code = FindRate(rate);
            bool takenBack = i < reversed;
            if (rate.Method != RateMethod.Suspense)
            {
                int account = from[i] is { } name ? FindAccount(name) : FactSlot.NoAccount;
                slots.Add(new FactSlot(code, rate.Currency, takenBack, 0, account));
                continue;
            }

            foreach (Currency unit in CountedUnits)
            {
                int step = unit != Currency.Tok ? 0 : takenBack ? -1 : 1;
                slots.Add(new FactSlot(code, unit, takenBack, step, FactSlot.NoAccount));
            }
        }

        FactSlot[] plan = [.. slots];
        if (!_plans.TryGetValue(plan, out int found))
        {
            _plans.Add(plan, found = Plans.Count);
            Plans.Add(plan);
        }

        return found;
    }

    private int FindRate(Rate rate)
    {
        if (_rateObjects.TryGetValue(rate, out int code))
        {
            return code;
        }

        if (!_rates.TryGetValue(rate, out code))
        {
            _rates.Add(rate, code = Rates.Count);
            Rates.Add(rate);
            ChargeSums.Add(default);
        }

        _rateObjects.Add(rate, code);
        return code;
    }

    private sealed class ContextEntry(int code)
    {
        private Rate[] _rates = [];
        private AccountName?[] _from = [];
        private FactKind _kind;
        private Outcome _outcome;
        private int _reversed;

        public int Code { get; } = code;

        public int LastType { get; private set; } = -1;

        public bool IsLast(
            FactKind kind, Outcome outcome, Charge[] charges, ReadOnlySpan<AccountName?> from, int reversed)
        {
            if (LastType < 0 || kind != _kind || outcome != _outcome || reversed != _reversed
                || charges.Length != _rates.Length)
            {
                return false;
            }

            for (int i = 0; i < charges.Length; i++)
            {
                if (!ReferenceEquals(charges[i].Rate, _rates[i]) || !ReferenceEquals(from[i], _from[i]))
                {
                    return false;
                }
            }

            return true;
        }

        public void SetLast(
            int type, FactKind kind, Outcome outcome, Charge[] charges, ReadOnlySpan<AccountName?> from, int reversed)
        {
            _from = from.ToArray();
            (LastType, _kind, _outcome, _reversed) = (type, kind, outcome, reversed);
            _rates = Array.ConvertAll(charges, charge => charge.Rate);
        }
    }

    // Rates by content: the record's own equality compares the list of prices by reference.
    private sealed class RateContent : IEqualityComparer<Rate>
    {
        public bool Equals(Rate? x, Rate? y) => ReferenceEquals(x, y)
            || (x is not null && y is not null && x.Prices.AsSpan().SequenceEqual(y.Prices)
                && x == (y with { Prices = x.Prices }));

        public int GetHashCode(Rate rate) => HashCode.Combine(
            rate.Agreement, rate.Method, rate.Side, rate.Book, rate.Version, rate.Model, rate.Prices.Length,
                rate.Reason);
    }

    private sealed class PlanContent : IEqualityComparer<FactSlot[]>
    {
        public bool Equals(FactSlot[]? x, FactSlot[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(FactSlot[] slots)
        {
            var hash = new HashCode();
            foreach (FactSlot slot in slots)
            {
                hash.Add(slot);
            }

            return hash.ToHashCode();
        }
    }
}
