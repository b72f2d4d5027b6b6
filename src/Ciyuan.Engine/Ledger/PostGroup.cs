using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>What a group must know of the past.</summary>
/// <param name="HoldDigest">Digest of a hold's id.</param>
/// <param name="HoldSeen">Whether a hold with a digest was ever placed.</param>
/// <param name="FindDone">Postings of the group with an id that was done; null when there is none.</param>
/// <param name="IsReversed">Whether that group was reversed.</param>
internal sealed record GroupPast(
    Func<string, UInt128> HoldDigest, Func<UInt128, bool> HoldSeen, Func<string, Posting[]?> FindDone,
    Func<string, bool> IsReversed);

/// <summary>
/// Does the operations of a group, all or none. Each is a ladder of checks in the order of <see cref="LedgerStatus"/>;
/// after the last check it must succeed.
/// </summary>
internal sealed class PostGroup(LedgerState ledger)
{
    private readonly List<Posting> _postings = [];
    private readonly List<(Account Account, Amount Amount)> _drawn = [];

    /// <summary>Holds that the last group placed; their ids are to be remembered when it is done.</summary>
    public List<UInt128> Placed { get; } = [];

    /// <summary>Groups that the last group reversed.</summary>
    public List<string> Reversed { get; } = [];

    public GroupResult Run(LedgerGroup group, Catalog catalog, Timestamp now, GroupPast past)
    {
        _postings.Clear();
        Placed.Clear();
        Reversed.Clear();
        if (group.IsMalformed)
        {
            return new GroupResult(LedgerStatus.Malformed, -1, []);
        }

        ledger.Begin();
        for (int i = 0; i < group.Operations.Count; i++)
        {
            LedgerStatus status = group.Operations[i] switch
            {
                PostTransfer post => Post(post, catalog, now),
                PlaceHold place => Place(place, catalog, now, past),
                SettleHold settle => Settle(settle, catalog, now, past),
                ReleaseHold release => Release(release, past),
                ReverseGroup reverse => Reverse(reverse, past),
                _ => LedgerStatus.Malformed,
            };
            if (status != LedgerStatus.Done)
            {
                ledger.TakeBack();
                Placed.Clear();
                Reversed.Clear();
                return new GroupResult(status, i, []);
            }
        }

        return new GroupResult(LedgerStatus.Done, -1, [.. _postings]);
    }

    private LedgerStatus Post(PostTransfer post, Catalog catalog, Timestamp now)
    {
        if (!InRange(post.Amount) || post.Amount.IsZero)
        {
            return LedgerStatus.AmountOutOfRange;
        }

        if (!TryResolve(post.Debit, post.Currency, catalog, out Account? debit)
            || !TryResolve(post.Credit, post.Currency, catalog, out Account? credit))
        {
            return LedgerStatus.AccountNotFound;
        }

        if (debit == credit)
        {
            return LedgerStatus.AccountsAreSame;
        }

        if (AccountPath.IsKept(post.Debit) || AccountPath.IsKept(post.Credit))
        {
            return LedgerStatus.AccountIsKept;
        }

        if (HasExpired(debit!, now) || HasExpired(credit!, now))
        {
            return LedgerStatus.AccountExpired;
        }

        if (debit!.Funding is not null && debit.Available < post.Amount)
        {
            return LedgerStatus.InsufficientFunds;
        }

        Add(debit, credit!, post.Amount);
        return LedgerStatus.Done;
    }

    private LedgerStatus Place(PlaceHold place, Catalog catalog, Timestamp now, GroupPast past)
    {
        if (!InRange(place.Amount) || place.Amount.IsZero)
        {
            return LedgerStatus.AmountOutOfRange;
        }

        if (!catalog.Parties.ContainsKey(place.Party))
        {
            return LedgerStatus.PartyNotFound;
        }

        if (place.Expires <= now)
        {
            return LedgerStatus.HoldExpiresTooSoon;
        }

        UInt128 digest = past.HoldDigest(place.Hold);
        if (past.HoldSeen(digest) || Placed.Contains(digest))
        {
            return LedgerStatus.HoldExists;
        }

        if (!TryReserve(place, now))
        {
            return LedgerStatus.InsufficientFunds;
        }

        if (ledger.Holds.Count >= ledger.MostOpenHolds)
        {
            return LedgerStatus.TooManyHolds;
        }

        ledger.Place(new Hold(digest, place.Party, place.Expires, [.. _drawn]), undoable: true);
        Placed.Add(digest);
        return LedgerStatus.Done;
    }

    /// <summary>Finds what a hold would reserve; false when the party's funding does not cover it.</summary>
    private bool TryReserve(PlaceHold place, Timestamp now)
    {
        IReadOnlyList<Account> funding = ledger.FundingOf(place.Party);
        if (funding.Any(a => a.Name.Currency == place.Currency))
        {
            // Funding that is limited to models is left out: the model is not known yet.
            return LedgerState.Draw(funding, place.Currency, "", now, place.Amount, _drawn).IsZero;
        }

        if (place.Currency == Currency.Tok)
        {
            return false; // tokens are bought before, never owed
        }

        // Without funding in this currency the party pays later, without a limit.
        _drawn.Clear();
        _drawn.Add(
            (ledger.Open(AccountPath.Receivable(place.Party, "open"), place.Currency, undoable: true), place.Amount));
        return true;
    }

    private LedgerStatus Settle(SettleHold settle, Catalog catalog, Timestamp now, GroupPast past)
    {
        Hold? hold = ledger.Holds.GetValueOrDefault(past.HoldDigest(settle.Hold));
        LedgerStatus status = CheckSettle(settle, hold, catalog, now, out Account? credit);
        if (status != LedgerStatus.Done)
        {
            return status;
        }

        ledger.End(hold!, undoable: true);
        Amount rest = settle.Amount;
        foreach ((Account account, Amount reserved) in hold!.Legs)
        {
            Amount part = Amount.Min(reserved, rest);
            Add(account, credit!, part);
            rest -= part;
        }

        DrawOverrun(hold, credit!, now, rest);
        return LedgerStatus.Done;
    }

    private LedgerStatus CheckSettle(
        SettleHold settle, Hold? hold, Catalog catalog, Timestamp now, out Account? credit)
    {
        credit = null;
        if (!InRange(settle.Amount) || !InRange(settle.OverrunLimit))
        {
            return LedgerStatus.AmountOutOfRange;
        }

        if (hold is not null && !TryResolve(settle.Credit, hold.Currency, catalog, out credit))
        {
            return LedgerStatus.AccountNotFound;
        }

        if (hold is not null && MayDraw(hold, credit!, settle.Amount))
        {
            return LedgerStatus.AccountsAreSame;
        }

        if (AccountPath.IsKept(settle.Credit))
        {
            return LedgerStatus.AccountIsKept;
        }

        if (credit is not null && HasExpired(credit, now))
        {
            return LedgerStatus.AccountExpired;
        }

        return hold is null ? LedgerStatus.HoldNotOpen
            : settle.Amount > hold.Total + settle.OverrunLimit ? LedgerStatus.ExceedsHold
            : LedgerStatus.Done;
    }

    /// <summary>The explicit overrun: first what funding has left, without what is limited to models, as no model is
    /// known here; then the account for what nothing covers.</summary>
    private void DrawOverrun(Hold hold, Account credit, Timestamp now, Amount amount)
    {
        Amount rest = LedgerState.Draw(ledger.FundingOf(hold.Party), hold.Currency, "", now, amount, _drawn);
        foreach ((Account account, Amount part) in _drawn)
        {
            Add(account, credit, part);
        }

        if (!rest.IsZero)
        {
            Add(ledger.Open(AccountPath.Overrun(hold.Party), hold.Currency, undoable: true), credit, rest);
        }
    }

    /// <summary>Whether settling a hold for an amount may debit an account: one it reserves on, or one of the
    /// overrun.</summary>
    private bool MayDraw(Hold hold, Account account, Amount amount) =>
        Array.Exists(hold.Legs, leg => leg.Account == account)
        || (amount > hold.Total
            && (account.Name.Path == AccountPath.Overrun(hold.Party)
                || ledger.FundingOf(hold.Party).Contains(account)));

    private LedgerStatus Release(ReleaseHold release, GroupPast past)
    {
        Hold? hold = ledger.Holds.GetValueOrDefault(past.HoldDigest(release.Hold));
        if (hold is null)
        {
            return LedgerStatus.HoldNotOpen;
        }

        ledger.End(hold, undoable: true);
        return LedgerStatus.Done;
    }

    private LedgerStatus Reverse(ReverseGroup reverse, GroupPast past)
    {
        Posting[]? done = past.FindDone(reverse.Group);
        bool again = past.IsReversed(reverse.Group) || Reversed.Contains(reverse.Group);
        for (int i = (done?.Length ?? 0) - 1; i >= 0; i--)
        {
            Account debit = ledger.Find(done![i].Credit)!;
            if (!again && debit.Funding is not null && debit.Available < done[i].Amount)
            {
                return LedgerStatus.InsufficientFunds;
            }

            if (!again)
            {
                Add(debit, ledger.Find(done[i].Debit)!, done[i].Amount);
            }
        }

        if (done is null)
        {
            return LedgerStatus.GroupNotFound;
        }

        if (again)
        {
            return LedgerStatus.AlreadyReversed;
        }

        Reversed.Add(reverse.Group);
        return LedgerStatus.Done;
    }

    private void Add(Account debit, Account credit, Amount amount)
    {
        if (!amount.IsZero)
        {
            _postings.Add(ledger.Post(debit, credit, amount, undoable: true));
        }
    }

    private bool TryResolve(string path, Currency currency, Catalog catalog, out Account? account)
    {
        account = ledger.Find(new AccountName(path, currency));
        if (account is null && !currency.IsNone && AccountPath.MayOpen(path, catalog))
        {
            account = ledger.Open(path, currency, undoable: true);
        }

        return account is not null;
    }

    private static bool HasExpired(Account account, Timestamp now) =>
        account.Funding is not null && !LedgerState.IsOpen(account, now);

    private static bool InRange(Amount amount) => !amount.IsNegative && amount <= Amount.Most;
}
