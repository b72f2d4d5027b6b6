using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;

namespace Ciyuan.Ledger;

/// <summary>An open hold: what it reserves on which accounts, in the order in which they are drawn.</summary>
internal sealed record Hold(UInt128 Digest, string Party, Timestamp Expires, (Account Account, Amount Amount)[] Legs)
{
    public Currency Currency => Legs[0].Account.Name.Currency;

    public Amount Total => Legs.Aggregate(Amount.Zero, (sum, leg) => sum + leg.Amount);
}

/// <summary>
/// The accounts, their balances and the open holds. Each change keeps the invariants: debits equal credits in each
/// currency; holds and debits of a funding account never exceed its credits and what it may owe.
/// </summary>
/// <remarks>Changes since <see cref="Begin"/> can be taken back, so that a group is all or nothing.</remarks>
public sealed class LedgerState
{
    /// <summary>Most holds open at once: at about 200 bytes each, 200 MB.</summary>
    public const int MaxOpenHolds = 1_000_000;

    private readonly Dictionary<AccountName, Account> _accounts = [];
    private readonly Dictionary<string, List<Account>> _fundingByParty = new(StringComparer.Ordinal);
    private readonly Dictionary<UInt128, Hold> _holds = [];
    private readonly SortedSet<(Timestamp Expires, UInt128 Digest)> _holdEnds = [];
    private readonly SortedSet<(Timestamp Expires, int Order)> _fundingEnds = [];
    private readonly List<Account> _fundingByOrder = [];
    private readonly List<Action> _undo = [];

    /// <summary>Most holds open at once here.</summary>
    internal int MostOpenHolds { get; set; } = MaxOpenHolds;

    internal IEnumerable<Account> Accounts => _accounts.Values;

    internal IReadOnlyDictionary<UInt128, Hold> Holds => _holds;

    // Accounts and funding ------------------------------------------------------------------------------------------

    /// <summary>Opens the funding accounts of a setup; <paramref name="commit"/> false only checks.</summary>
    internal void AddFunding(Setup setup, Catalog catalog, List<string> faults, ref bool changed, bool commit)
    {
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (FundingSetup funding in setup.Funding)
        {
            Funding? read = ReadFunding(funding, catalog, faults);
            if (read is null)
            {
                continue;
            }

            string terms = Describe(funding);
            if (!seen.TryAdd(read.Name.Path, terms))
            {
                if (seen[read.Name.Path] != terms)
                {
                    faults.Add($"funding '{funding.Id}' of '{funding.Party}': stands twice, with other terms; choose "
                        + "another id");
                }
            }
            else if (!_accounts.TryGetValue(read.Name, out Account? old))
            {
                changed = true;
                if (commit)
                {
                    Open(read);
                }
            }
            else if (Describe(old.Funding!.Setup) != terms)
            {
                faults.Add(
                    $"funding '{funding.Id}' of '{funding.Party}': is there with other terms; choose another id");
            }
        }
    }

    internal Account? Find(AccountName name) => _accounts.GetValueOrDefault(name);

    /// <summary>The account with a name; opened if it is not there.</summary>
    internal Account Open(string path, Currency currency, bool undoable = false)
    {
        var name = new AccountName(path, currency);
        if (!_accounts.TryGetValue(name, out Account? account))
        {
            account = new Account(name, null);
            _accounts.Add(name, account);
            if (undoable)
            {
                _undo.Add(() => _accounts.Remove(name));
            }
        }

        return account;
    }

    /// <summary>A consumer's funding accounts in the order in which they are drawn.</summary>
    internal IReadOnlyList<Account> FundingOf(string party) => _fundingByParty.GetValueOrDefault(party, []);

    private void Open(Funding funding)
    {
        var account = new Account(funding.Name, funding);
        _accounts.Add(funding.Name, account);
        _fundingByOrder.Add(account);
        if (!_fundingByParty.TryGetValue(funding.Setup.Party, out List<Account>? list))
        {
            _fundingByParty.Add(funding.Setup.Party, list = []);
        }

        list.Add(account);
        list.Sort((a, b) => Funding.CompareDrawOrder(a.Funding!, b.Funding!));
        if (funding.Expires is { } expires)
        {
            _fundingEnds.Add((expires, funding.Order));
        }
    }

    private Funding? ReadFunding(FundingSetup setup, Catalog catalog, List<string> faults)
    {
        string what = $"funding '{setup.Id}' of '{setup.Party}'";
        int before = faults.Count;
        bool pack = setup.Kind == FundingKind.Pack;
        if (!Catalog.IsName(setup.Id) || !catalog.Parties.ContainsKey(setup.Party) || setup.Priority is < 0 or > 1000)
        {
            faults.Add($"{what}: needs a short name, a party that is there, and a priority of 0 to 1000");
        }

        if (!Currency.TryParse(pack && setup.Currency.Length == 0 ? "TOK" : setup.Currency, out Currency currency)
            || pack != (currency == Currency.Tok))
        {
            faults.Add($"{what}: currency '{setup.Currency}' must be money such as CNY, or TOK for a pack");
        }

        Timestamp? expires = setup.Expires.Length == 0
            ? null
            : Catalog.ReadValidity("", setup.Expires, what, faults).End;
        Amount mayOwe = default;
        bool limited = setup.Limit.Length > 0;
        if (limited != (setup.Kind == FundingKind.Credit)
            || (limited && (!Amount.TryParse(setup.Limit, out mayOwe) || mayOwe.IsNegative || mayOwe > Amount.Most)))
        {
            faults.Add(
                $"{what}: limit '{setup.Limit}' must be a decimal of 0 or more, given for credit and only for it");
        }

        MeterPattern[] meters = ReadClasses(setup, what, faults);
        return faults.Count > before
            ? null
            : new Funding(
                setup, new AccountName(AccountPath.Funding(setup), currency), mayOwe, expires, _fundingByOrder.Count,
                meters);
    }

    private static MeterPattern[] ReadClasses(FundingSetup setup, string what, List<string> faults)
    {
        var meters = new List<MeterPattern>();
        foreach (string name in setup.Classes ?? [])
        {
            if (setup.Kind != FundingKind.Pack || !MeterPattern.TryParse(name, out MeterPattern pattern))
            {
                faults.Add($"{what}: classes has '{name}', which is no token class, or this is not a pack");
                continue;
            }

            meters.Add(pattern);
        }

        return [.. meters];
    }

    private static string Describe(FundingSetup funding) =>
        System.Text.Json.JsonSerializer.Serialize(new Setup { Funding = [funding] }, SetupJson.Default.Setup);

    // Changes -------------------------------------------------------------------------------------------------------

    /// <summary>Starts a group of changes that can be taken back.</summary>
    internal void Begin() => _undo.Clear();

    /// <summary>Takes back every change since <see cref="Begin"/>, the last one first.</summary>
    internal void TakeBack()
    {
        for (int i = _undo.Count - 1; i >= 0; i--)
        {
            _undo[i]();
        }

        _undo.Clear();
    }

    /// <summary>Debits one account and credits another; the caller has checked the limit.</summary>
    internal Posting Post(Account debit, Account credit, Amount amount, bool undoable = false)
    {
        debit.DebitsPosted += amount;
        credit.CreditsPosted += amount;
        LookAtEndOf(credit);
        if (undoable)
        {
            _undo.Add(() =>
            {
                debit.DebitsPosted -= amount;
                credit.CreditsPosted -= amount;
            });
        }

        return new Posting(debit.Name, credit.Name, amount);
    }

    /// <summary>Reserves the amounts of a hold's legs.</summary>
    internal void Place(Hold hold, bool undoable = false)
    {
        SetPending(hold, +1);
        _holds.Add(hold.Digest, hold);
        _holdEnds.Add((hold.Expires, hold.Digest));
        if (undoable)
        {
            _undo.Add(() => End(hold));
        }
    }

    /// <summary>Ends a hold and gives back what it reserved.</summary>
    internal void End(Hold hold, bool undoable = false)
    {
        SetPending(hold, -1);
        _holds.Remove(hold.Digest);
        _holdEnds.Remove((hold.Expires, hold.Digest));
        if (undoable)
        {
            _undo.Add(() => Place(hold));
        }
    }

    private void SetPending(Hold hold, int sign)
    {
        foreach ((Account account, Amount amount) in hold.Legs)
        {
            account.DebitsPending += sign > 0 ? amount : -amount;
            LookAtEndOf(account);
        }
    }

    /// <summary>
    /// Something came back to an account: if its end has passed, the next frame takes it away. Which ends are still to
    /// be looked at thus follows from the balances alone, and need not be stored.
    /// </summary>
    private void LookAtEndOf(Account account)
    {
        if (account.Funding is { Expires: { } expires } funding)
        {
            _fundingEnds.Add((expires, funding.Order));
        }
    }

    /// <summary>
    /// What each funding account of a consumer would give towards an amount, in the order in which they are drawn;
    /// the rest that they can't cover comes back too. Of expired funding only what was reserved is given.
    /// </summary>
    internal static Amount Draw(
        IReadOnlyList<Account> funding, Currency currency, string? model, Timestamp now, Amount amount,
        List<(Account Account, Amount Amount)> drawn, Dictionary<Account, Amount>? reserved = null)
    {
        drawn.Clear();
        for (int i = 0; i < funding.Count && !amount.IsZero; i++)
        {
            Account account = funding[i];
            bool open = IsOpen(account, now);
            if (account.Name.Currency == currency && (open || reserved?.ContainsKey(account) == true)
                && (model is null || account.Funding!.CoversModel(model)))
            {
                Amount part = Amount.Min(open ? account.Available : reserved![account], amount);
                if (part > Amount.Zero)
                {
                    drawn.Add((account, part));
                    amount -= part;
                }
            }
        }

        return amount;
    }

    /// <summary>Whether a funding account can still be used at a time of recording.</summary>
    internal static bool IsOpen(Account account, Timestamp now) => account.Funding!.Expires is not { } end || now < end;

    // Ends by time --------------------------------------------------------------------------------------------------

    /// <summary>Ends holds and funding whose time has come; what is left on the funding goes to breakage.</summary>
    internal IReadOnlyList<Expiry> Expire(Timestamp now)
    {
        List<Expiry>? expiries = null;
        while (_holdEnds.Count > 0 && _holdEnds.Min.Expires <= now)
        {
            Hold hold = _holds[_holdEnds.Min.Digest];
            End(hold);
            (expiries ??= []).Add(new Expiry(hold.Digest, null, []));
        }

        if (_fundingEnds.Count == 0 || _fundingEnds.Min.Expires > now)
        {
            return expiries ?? (IReadOnlyList<Expiry>)[];
        }

        foreach ((Timestamp expires, int order) in _fundingEnds.Where(e => e.Expires <= now).ToArray())
        {
            Account account = _fundingByOrder[order];
            Amount left = account.CreditsPosted - account.DebitsPosted - account.DebitsPending;
            if (left > Amount.Zero)
            {
                Account breakage = Open(AccountPath.Breakage(account.Funding!.Setup), account.Name.Currency);
                (expiries ??= []).Add(new Expiry(0, account.Name, [Post(account, breakage, left)]));
            }

            _fundingEnds.Remove((expires, order));
        }

        return expiries ?? (IReadOnlyList<Expiry>)[];
    }

    // State ---------------------------------------------------------------------------------------------------------

    /// <summary>Puts back the balances and holds of a stored state; funding was opened from the setups
    /// before.</summary>
    internal void Restore(AccountName name, Amount debits, Amount credits)
    {
        Account account = Open(name.Path, name.Currency);
        account.DebitsPosted = debits;
        account.CreditsPosted = credits;
    }

    /// <summary>Every invariant that does not hold, in words.</summary>
    internal IEnumerable<string> FindBrokenInvariants()
    {
        foreach (IGrouping<Currency, Account> group in _accounts.Values.GroupBy(a => a.Name.Currency))
        {
            Amount debits = group.Aggregate(Amount.Zero, (sum, a) => sum + a.DebitsPosted);
            Amount credits = group.Aggregate(Amount.Zero, (sum, a) => sum + a.CreditsPosted);
            if (debits != credits)
            {
                yield return $"ledger {group.Key}: debits {debits} differ from credits {credits}";
            }
        }

        var held = new Dictionary<Account, Amount>();
        foreach ((Account account, Amount amount) in _holds.Values.SelectMany(h => h.Legs))
        {
            held[account] = held.GetValueOrDefault(account) + amount;
        }

        foreach (Account account in _accounts.Values)
        {
            if (account.DebitsPending != held.GetValueOrDefault(account))
            {
                yield return $"account {account.Name}: {account.DebitsPending} pending, open holds say "
                    + $"{held.GetValueOrDefault(account)}";
            }

            if (account.Funding is not null && account.Available.IsNegative)
            {
                yield return $"account {account.Name}: overdrawn beyond its limit by {-account.Available}";
            }

            if (account.DebitsPosted.IsNegative || account.CreditsPosted.IsNegative || account.DebitsPending.IsNegative)
            {
                yield return $"account {account.Name}: has a negative sum";
            }
        }
    }
}
