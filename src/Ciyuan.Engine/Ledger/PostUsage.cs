using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>
/// Step 6, Post 入账: from rated lines to postings. Token packs pay first, in tokens; the rest is drawn from the
/// consumer's money in the stated order; what nothing covers goes to the overrun account, since the call has happened.
/// Each record is posted whole.
/// </summary>
internal sealed partial class PostUsage(
    LedgerState ledger, RatingPlans plans, RunningQuantities running, FrozenTimes frozen)
{
    private readonly List<RatedLine> _rated = [];
    private readonly List<Posting> _postings = [];
    private readonly List<(Account Account, Amount Amount)> _drawn = [];
    private readonly Dictionary<Account, Amount> _reserved = []; // by the hold of the record, on expired funding

    /// <summary>The accounts that a plan line posts to; found once and remembered with the line.</summary>
    internal sealed class LineAccounts(Account credit, Account? direct, Account[] packs, Account[] money)
    {
        public Account Credit { get; } = credit;

        /// <summary>Debited whole: a cost or a receivable; null when funding is drawn.</summary>
        public Account? Direct { get; } = direct;

        public Account[] Packs { get; } = packs;

        public Account[] Money { get; } = money;

        public bool SameAs(LineAccounts other) =>
            Credit == other.Credit && Direct == other.Direct && Packs.AsSpan().SequenceEqual(other.Packs)
            && Money.AsSpan().SequenceEqual(other.Money);
    }

    /// <summary>Rates and posts one record at a time of recording; <paramref name="hold"/> is what was reserved for
    /// it.</summary>
    public UsageResult Run(UsageRecord record, Catalog catalog, Timestamp now, Hold? hold)
    {
        // Step 5: Rate.
        RatingPlan plan = plans.Find(record.Context, record.EventTime);
        RateUsage.Rate(plan, plans, record, _rated, running);
        UsageRemarks remarks = UsageRemarks.None;
        Amount held = hold is null ? default : Free(hold, now);

        // Step 6: Post.
        _postings.Clear();
        Span<int> packPostings = stackalloc int[_rated.Count];
        for (int i = 0; i < _rated.Count; i++)
        {
            packPostings[i] = DrawPacks(i, record, plan, catalog, now);
        }

        RateUsage.Share(plans, _rated);
        (Charge[] charges, Amount paid) = PostLines(record, plan, catalog, now, packPostings, hold, ref remarks);
        remarks |= record.Hold.Length == 0 ? UsageRemarks.None
            : hold is null ? UsageRemarks.HoldNotOpen
            : paid > held ? UsageRemarks.OverHold
            : UsageRemarks.None;
        return new UsageResult(UsageStatus.Posted, remarks, charges, [.. _postings]);
    }

    /// <summary>Posts all rated lines, each after what packs paid for it; also what the consumer paid in the hold's
    /// currency.</summary>
    private (Charge[] Charges, Amount Paid) PostLines(
        UsageRecord record, RatingPlan plan, Catalog catalog, Timestamp now, ReadOnlySpan<int> packPostings, Hold? hold,
        ref UsageRemarks remarks)
    {
        Posting[] packs = [.. _postings];
        _postings.Clear();
        var charges = new Charge[_rated.Count];
        int pack = 0;
        Amount paid = default;
        for (int i = 0; i < _rated.Count; i++)
        {
            RatedLine line = _rated[i];
            int before = _postings.Count;
            for (int p = 0; p < packPostings[i]; p++)
            {
                _postings.Add(packs[pack++]);
            }

            remarks |= PostLine(line, record, plan, catalog, now);
            remarks |= IsLate(line.Rate.Agreement, record.EventTime, catalog) ? UsageRemarks.Late : UsageRemarks.None;
            paid += line.Line.OfConsumer && line.Rate.Currency == hold?.Currency ? line.Amount : default;
            running.Add(line.Rate, record.EventTime, record.Counts, line.Covered, +1);
            charges[i] = new Charge(line.Rate, line.Amount, _postings.Count - before, line.Covered, line.Before);
        }

        _reserved.Clear();
        return (charges, paid);
    }

    private bool IsLate(string agreement, Timestamp moment, Catalog catalog) =>
        catalog.IsClosed(agreement, moment) || frozen.IsFrozen(agreement, moment);

    /// <summary>Ends the hold of a record: what was reserved is free for a moment and drawn again, from the same
    /// accounts in the same order. On funding that has expired meanwhile it stays for this call alone.</summary>
    private Amount Free(Hold hold, Timestamp now)
    {
        ledger.End(hold);
        foreach ((Account account, Amount amount) in hold.Legs)
        {
            if (account.Funding is not null && !LedgerState.IsOpen(account, now))
            {
                _reserved[account] = _reserved.GetValueOrDefault(account) + amount;
            }
        }

        return hold.Total;
    }

    private void UseReserved(Account account, Amount amount)
    {
        if (_reserved.TryGetValue(account, out Amount left))
        {
            _reserved[account] = left - amount;
        }
    }

    private UsageRemarks PostLine(
        in RatedLine line, UsageRecord record, RatingPlan plan, Catalog catalog, Timestamp now)
    {
        if (line.IsSuspended)
        {
            PostSuspense(line.Rate.Side, record.Counts);
            return UsageRemarks.Suspense;
        }

        if (line.Amount.IsZero)
        {
            return UsageRemarks.None;
        }

        LineAccounts accounts = AccountsOf(line, record.Context, plan, catalog);
        if (line.Amount.IsNegative)
        {
            PostBack(line, accounts, plan.Context.Party, now);
            return UsageRemarks.None;
        }

        if (accounts.Direct is { } direct)
        {
            _postings.Add(ledger.Post(direct, accounts.Credit, line.Amount));
            return UsageRemarks.None;
        }

        // The usual case: the first account covers it all.
        Account first = accounts.Money[0];
        if (_reserved.Count == 0 && LedgerState.IsOpen(first, now) && first.Available >= line.Amount)
        {
            _postings.Add(ledger.Post(first, accounts.Credit, line.Amount));
            return UsageRemarks.None;
        }

        return PostDrawn(line, accounts, plan.Context.Party, now);
    }

    /// <summary>An amount below zero goes the other way: to the account that pays whole, or to the first open
    /// funding.</summary>
    private void PostBack(in RatedLine line, LineAccounts accounts, string party, Timestamp now)
    {
        Account? back = accounts.Direct;
        foreach (Account money in accounts.Money)
        {
            back ??= LedgerState.IsOpen(money, now) ? money : null;
        }

        back ??= ledger.Open(AccountPath.Overrun(party), line.Rate.Currency);
        _postings.Add(ledger.Post(accounts.Credit, back, -line.Amount));
    }

    private UsageRemarks PostDrawn(in RatedLine line, LineAccounts accounts, string party, Timestamp now)
    {
        Amount rest =
            LedgerState.Draw(accounts.Money, line.Rate.Currency, null, now, line.Amount, _drawn, _reserved);
        foreach ((Account account, Amount amount) in _drawn)
        {
            UseReserved(account, amount);
            _postings.Add(ledger.Post(account, accounts.Credit, amount));
        }

        if (rest.IsZero)
        {
            return UsageRemarks.None;
        }

        Account overrun = ledger.Open(AccountPath.Overrun(party), line.Rate.Currency);
        _postings.Add(ledger.Post(overrun, accounts.Credit, rest));
        return UsageRemarks.Overrun;
    }

    /// <summary>Lets the consumer's packs pay for tokens of a line, and takes the price of those tokens off
    /// it.</summary>
    /// <returns>How many postings were made.</returns>
    private int DrawPacks(int index, UsageRecord record, RatingPlan plan, Catalog catalog, Timestamp now)
    {
        RatedLine line = _rated[index];
        if (line.Rate.Method is not (RateMethod.Prices or RateMethod.Formula) || !line.Line.OfConsumer)
        {
            return 0;
        }

        LineAccounts accounts = AccountsOf(line, record.Context, plan, catalog);
        if (accounts.Packs.Length == 0)
        {
            return 0;
        }

        int before = _postings.Count;
        Count[] open = [.. record.Counts];
        foreach (Account pack in accounts.Packs)
        {
            DrawPack(pack, open, line, now);
        }

        Count[] covered = [.. record.Counts.Zip(open, (whole, rest) => whole with { Steps = whole.Steps - rest.Steps })
            .Where(c => c.Steps > 0)];
        if (covered.Length > 0)
        {
            line.Covered = covered;
            line.Amount = AmountOf(line, record);
            _rated[index] = line;
        }

        return _postings.Count - before;
    }

    /// <summary>The amount of a line that was found to have one, of what token packs left over.</summary>
    private static Amount AmountOf(in RatedLine line, UsageRecord record)
    {
        SuspenseReason reason = line.Rate.AmountOf(record.Counts, line.Covered, line.Before, out Amount amount);
        return reason == SuspenseReason.None
            ? amount
            : throw new InvalidOperationException($"A part of a charge under '{line.Rate.Agreement}' has no amount.");
    }

    private void DrawPack(Account pack, Count[] open, in RatedLine line, Timestamp now)
    {
        Amount usable = LedgerState.IsOpen(pack, now) ? pack.Available : _reserved.GetValueOrDefault(pack);
        var left = (long)Int128.Min(usable.Pico / Amount.PicoPerUnit, UsageRecord.MaxSteps);
        long taken = 0;
        for (int i = 0; i < open.Length && left > taken; i++)
        {
            if (pack.Funding!.CoversMeter(open[i].Meter))
            {
                long part = Math.Min(open[i].Steps, left - taken);
                open[i] = open[i] with { Steps = open[i].Steps - part };
                taken += part;
            }
        }

        if (taken > 0)
        {
            Account redeemed = ledger.Open(AccountPath.Redeemed(line.Rate.Payee, line.Rate.Agreement), Currency.Tok);
            UseReserved(pack, Amount.FromUnits(taken));
            _postings.Add(ledger.Post(pack, redeemed, Amount.FromUnits(taken)));
        }
    }

    /// <summary>Puts quantities that have no price into suspense, in their own units: tokens, images, …; at least one
    /// request.</summary>
    private void PostSuspense(Side side, Count[] counts)
    {
        string suspense = AccountPath.Suspense(side);
        string unrated = AccountPath.Unrated(side);
        bool any = false;
        for (int i = 0; i < counts.Length; i++)
        {
            Meter meter = counts[i].Meter;
            long steps = counts[i].Steps;
            while (meter.IsTokens && i + 1 < counts.Length && counts[i + 1].Meter.IsTokens)
            {
                steps += counts[++i].Steps; // all token classes are one currency
            }

            if (steps > 0)
            {
                any = true;
                var amount = new Amount((Int128)steps * (Amount.PicoPerUnit / meter.StepsPerUnit));
                Currency currency = meter.Currency;
                _postings.Add(ledger.Post(ledger.Open(suspense, currency), ledger.Open(unrated, currency), amount));
            }
        }

        if (!any)
        {
            Currency request = Meter.Request.Currency;
            _postings.Add(
                ledger.Post(ledger.Open(suspense, request), ledger.Open(unrated, request), Amount.FromUnits(1)));
        }
    }

    private LineAccounts AccountsOf(in RatedLine line, UsageContext context, RatingPlan plan, Catalog catalog)
    {
        if (line.Line.Accounts is not LineAccounts accounts)
        {
            line.Line.Accounts = accounts = FindAccounts(line.Rate, context, plan, catalog);
        }

        return accounts;
    }

    private LineAccounts FindAccounts(Rate rate, UsageContext context, RatingPlan plan, Catalog catalog)
    {
        Account credit = ledger.Open(
            rate.Side == Side.Income
                ? AccountPath.Revenue(rate.Payee, rate.Agreement)
                : AccountPath.Payable(rate.Payee, rate.Agreement),
            rate.Currency);
        Account? direct = null;
        Account[] packs = [];
        Account[] money = [];
        if (rate.Side == Side.Cost)
        {
            direct = ledger.Open(AccountPath.Cost(catalog.Platform, rate.Agreement), rate.Currency);
        }
        else
        {
            Account[] funding =
                [.. ledger.FundingOf(plan.Context.Party).Where(a => a.Funding!.CoversModel(context.Model))];
            packs = [.. funding.Where(a => a.Funding!.IsPack)];
            money = [.. funding.Where(a => a.Name.Currency == rate.Currency)];
            // A consumer without funding in this currency pays later, without a limit.
            direct = money.Length > 0
                ? null
                : ledger.Open(AccountPath.Receivable(rate.Payer, rate.Agreement), rate.Currency);
        }

        return new LineAccounts(credit, direct, packs, money);
    }
}
