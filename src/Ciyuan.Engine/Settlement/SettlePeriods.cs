using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;

namespace Ciyuan.Settlement;

/// <summary>
/// Step 7, Settle 结算: the steps of a period, each checked against the calendar and posted. A period goes from draft to
/// frozen, split and final, never back; what is wrong later is corrected in the period after it.
/// </summary>
/// <remarks>
/// <code>
/// split    payable (accrued) ─▶ clearing ─▶ due          the payee's claim, whole minor units, with tax
///          due ─▶ clearing ─▶ receivable (accrued)       the payer's debt
///          clearing ◀─▶ rounding, tax                    so that it is zero again
/// dispute  due ─▶ held            resolve  held ─▶ due, and what is granted back to revenue or cost
/// final    due ─▶ agreed          unless it is below the minimum: then it waits in due
/// </code>
/// </remarks>
internal sealed class SettlePeriods(LedgerState ledger, SettlementCalendar calendar, FrozenTimes frozen)
{
    private readonly List<Posting> _postings = [];

    /// <summary>Takes a step, or says why not; a refusal changes nothing.</summary>
    public SettlementResult Run(SettlementCommand command, Catalog catalog, Timestamp now, long seq)
    {
        _postings.Clear();
        Step step = Find(command, catalog, out SettlementStatus status);
        SettlementResult result = status != SettlementStatus.Done ? Refused(status) : command.Action switch
        {
            SettlementAction.Freeze => Freeze(step, now),
            SettlementAction.Split => Split(step, command, now),
            SettlementAction.Sign => Sign(step, command),
            SettlementAction.Dispute => Dispute(step, command, now),
            SettlementAction.Resolve => Resolve(step, command),
            _ => Finish(step, now),
        };
        if (result.Status == SettlementStatus.Done)
        {
            result = result with { Postings = [.. _postings] };
            calendar.Record(command, result, now, seq);
            if (command.Action == SettlementAction.Freeze)
            {
                frozen.Freeze(command.Agreement, result.Span.End);
            }
        }

        return result;
    }

    private static SettlementResult Refused(SettlementStatus status) => new(status, []);

    private static SettlementResult Done => new(SettlementStatus.Done, []);

    /// <summary>What a step is about, and the first checks: that there is such a period, in the state that it needs.
    /// </summary>
    private Step Find(SettlementCommand command, Catalog catalog, out SettlementStatus status)
    {
        Agreement? agreement = catalog.FindAgreement(command.Agreement);
        IReadOnlyList<SettlementTerms> terms = catalog.TermsOf(command.Agreement);
        SettlementPeriod named = default;
        bool known = terms.Count > 0 && terms[0].TryReadPeriod(command.Period, out named)
            && named.Span.Start >= terms[0].First.Span.Start;
        status = command.IsMalformed ? SettlementStatus.Malformed
            : agreement is null ? SettlementStatus.AgreementNotFound
            : terms.Count == 0 ? SettlementStatus.NoTerms
            : !known ? SettlementStatus.PeriodUnknown
            : SettlementStatus.Done;
        if (status != SettlementStatus.Done)
        {
            return default;
        }

        SettledPeriod? period = calendar.Find(command.Agreement, command.Period);
        SettlementTerms own = catalog.TermsAt(command.Agreement, named.Span.Start)!;
        status = StatusOf(command, terms, period);
        return new Step(agreement!, own, catalog.Platform, named, period);
    }

    private SettlementStatus StatusOf(
        SettlementCommand command, IReadOnlyList<SettlementTerms> terms, SettledPeriod? period)
    {
        bool inOrder = command.Action switch
        {
            SettlementAction.Freeze =>
                period is not null || calendar.NextOf(command.Agreement, terms).Name == command.Period,
            SettlementAction.Split => AllBefore(command, p => p.State >= PeriodState.Split),
            SettlementAction.Finish => AllBefore(command, p => p.State == PeriodState.Final),
            _ => true,
        };
        bool fits = command.Action switch
        {
            SettlementAction.Freeze => period is null,
            SettlementAction.Split => period?.State == PeriodState.Frozen,
            SettlementAction.Resolve => period?.State is PeriodState.Split or PeriodState.Final,
            _ => period?.State == PeriodState.Split,
        };
        return !inOrder ? SettlementStatus.OutOfOrder : !fits ? SettlementStatus.WrongState : SettlementStatus.Done;
    }

    private bool AllBefore(SettlementCommand command, Func<SettledPeriod, bool> holds) =>
        calendar.Of(command.Agreement).TakeWhile(p => p.Name != command.Period).All(holds);

    private static SettlementResult Freeze(Step step, Timestamp now) =>
        now < step.Terms.DaysAfter(step.Named.Span.End, step.Terms.FreezeAfterDays)
            ? Refused(SettlementStatus.TooEarly)
            : Done with { Span = step.Named.Span };

    private SettlementResult Split(Step step, SettlementCommand command, Timestamp now)
    {
        if (StatementDocument.TryRead(command.Statement) is not { } document
            || StatementSums.TryRead(document, step.Agreement, step.Terms, step.Period!) is not { } sums)
        {
            return Refused(SettlementStatus.StatementWrong);
        }

        if (document.SuspenseCharges > 0 && !command.AcceptWaiting)
        {
            return Refused(SettlementStatus.UsageWaits);
        }

        PostSplit(step, sums);
        return Done with { Until = step.Terms.DaysAfter(now, step.Terms.DisputeDays + 1), Amount = sums.Due };
    }

    /// <summary>Moves the period's accruals through clearing to what is due; clearing is zero before and
    /// after.</summary>
    private void PostSplit(Step step, StatementSums sums)
    {
        string clearing = AccountPath.Clearing(step.Agreement.Id);
        Amount rest = default; // what clearing has after the moves, credits less debits
        if (step.HasPayable)
        {
            Move(step, AccountPath.Payable(step.Payee, step.Agreement.Id), clearing, sums.Exact);
            Move(step, clearing, AccountPath.Due(step.Payee, step.Agreement.Id), sums.Gross);
            rest += sums.Exact - sums.Gross;
        }

        if (step.HasReceivable)
        {
            Move(step, AccountPath.Due(step.Payer, step.Agreement.Id), clearing, sums.Due);
            Move(step, clearing, AccountPath.Receivable(step.Payer, step.Agreement.Id), sums.OpenExact);
            rest += sums.Due - sums.OpenExact;
        }

        Amount tax = (step.HasReceivable ? sums.AddedTax : default) - (step.HasPayable ? sums.AddedTax : default);
        Move(step, clearing, AccountPath.Tax(step.Platform, step.Agreement.Id), tax);
        Move(step, clearing, AccountPath.Rounding(step.Platform, step.Agreement.Id), rest - tax);
    }

    private static SettlementResult Sign(Step step, SettlementCommand command) =>
        !string.Equals(command.Hash, step.Period!.Hash, StringComparison.OrdinalIgnoreCase)
            ? Refused(SettlementStatus.HashDiffers)
            : command.Side == AgreementSide.None ? Refused(SettlementStatus.SideMissing)
            : step.Period.Signatures.Any(s => s.By == command.By) ? Refused(SettlementStatus.SignedAlready)
            : Done;

    private SettlementResult Dispute(Step step, SettlementCommand command, Timestamp now)
    {
        SettledPeriod period = step.Period!;
        SettlementStatus status = now >= period.DisputesUntil ? SettlementStatus.TooLate
            : command.Side == AgreementSide.None ? SettlementStatus.SideMissing
            : period.Disputes.Any(d => d.Id == command.Dispute) ? SettlementStatus.DisputeExists
            : command.Amount <= Amount.Zero || period.Held + period.Granted + command.Amount > period.Due
                ? SettlementStatus.AmountOutOfRange
            : SettlementStatus.Done;
        if (status == SettlementStatus.Done)
        {
            MoveClaims(step, AccountPath.Due, AccountPath.Held, command.Amount);
        }

        return Refused(status);
    }

    private SettlementResult Resolve(Step step, SettlementCommand command)
    {
        SettlementDispute? dispute =
            step.Period!.Disputes.FirstOrDefault(d => d.Id == command.Dispute && d.Resolved is null);
        if (dispute is null)
        {
            return Refused(SettlementStatus.DisputeNotOpen);
        }

        if (command.Amount.IsNegative || command.Amount > dispute.Amount)
        {
            return Refused(SettlementStatus.AmountOutOfRange);
        }

        MoveClaims(step, AccountPath.Held, AccountPath.Due, dispute.Amount);
        PostGrant(step, command.Amount);
        return Done;
    }

    /// <summary>Takes off what was granted: a reversing entry, of the tax on top too.</summary>
    private void PostGrant(Step step, Amount granted)
    {
        string id = step.Agreement.Id;
        bool added = step.Terms is { TaxPpm: not null, Setup.TaxMode: TaxMode.Added };
        Amount tax = added
            ? Rounding.SplitTax(granted, step.Terms.TaxPpm!.Value, step.Agreement.Currency).Tax
            : default;
        if (step.HasPayable && step.HasReceivable)
        {
            Move(step, AccountPath.Due(step.Payee, id), AccountPath.Due(step.Payer, id), granted);
        }
        else if (step.HasPayable)
        {
            Move(step, AccountPath.Due(step.Payee, id), AccountPath.Cost(step.Platform, id), granted - tax);
            Move(step, AccountPath.Due(step.Payee, id), AccountPath.Tax(step.Platform, id), tax);
        }
        else
        {
            Move(step, AccountPath.Revenue(step.Platform, id), AccountPath.Due(step.Payer, id), granted - tax);
            Move(step, AccountPath.Tax(step.Platform, id), AccountPath.Due(step.Payer, id), tax);
        }
    }

    private SettlementResult Finish(Step step, Timestamp now)
    {
        SettledPeriod period = step.Period!;
        if (now < period.DisputesUntil && !period.IsSignedByBoth)
        {
            return Refused(SettlementStatus.TooEarly);
        }

        if (!period.HasTwoSignatures)
        {
            return Refused(SettlementStatus.SignaturesMissing);
        }

        // All that is due under the agreement: of this period, and carried over from those before it.
        Amount due = step.HasPayable
            ? BalanceOf(step, AccountPath.Due(step.Payee, step.Agreement.Id))
            : -BalanceOf(step, AccountPath.Due(step.Payer, step.Agreement.Id));
        Amount whole = WholeUnits(step, due);
        bool pays = whole > Amount.Zero && whole >= step.Terms.Minimum;
        if (pays)
        {
            PostAgreed(step);
        }

        return Done with
        {
            Amount = pays ? whole : default,
            Carried = pays ? due - whole : due,
            Until = step.Terms.DaysAfter(now, step.Terms.PaymentDays + 1),
        };
    }

    private void PostAgreed(Step step)
    {
        string id = step.Agreement.Id;
        if (step.HasPayable)
        {
            string due = AccountPath.Due(step.Payee, id);
            Move(step, due, AccountPath.Agreed(step.Payee, id), WholeUnits(step, BalanceOf(step, due)));
        }

        if (step.HasReceivable)
        {
            string due = AccountPath.Due(step.Payer, id);
            Move(step, AccountPath.Agreed(step.Payer, id), due, -WholeUnits(step, BalanceOf(step, due)));
        }
    }

    /// <summary>What can be paid of an amount: differences that a reconciliation found are exact.</summary>
    private static Amount WholeUnits(Step step, Amount due) =>
        Rounding.ToMinorUnit(due, step.Agreement.Currency).Rounded;

    private void MoveClaims(
        Step step, Func<string, string, string> from, Func<string, string, string> to, Amount amount)
    {
        string id = step.Agreement.Id;
        if (step.HasPayable)
        {
            Move(step, from(step.Payee, id), to(step.Payee, id), amount);
        }

        if (step.HasReceivable)
        {
            Move(step, to(step.Payer, id), from(step.Payer, id), amount);
        }
    }

    private Amount BalanceOf(Step step, string path) =>
        ledger.Find(new AccountName(path, step.Agreement.Currency))?.ToView().Balance ?? default;

    /// <summary>Debits one account and credits another; an amount below zero goes the other way.</summary>
    private void Move(Step step, string debit, string credit, Amount amount)
    {
        if (!amount.IsZero)
        {
            (debit, credit) = amount.IsNegative ? (credit, debit) : (debit, credit);
            Currency currency = step.Agreement.Currency;
            _postings.Add(ledger.Post(
                ledger.Open(debit, currency), ledger.Open(credit, currency), amount.IsNegative ? -amount : amount));
        }
    }

    /// <summary>What a step is about.</summary>
    private readonly record struct Step(
        Agreement Agreement, SettlementTerms Terms, string Platform, SettlementPeriod Named, SettledPeriod? Period)
    {
        public string Payer => Agreement.Setup.Payer;

        public string Payee => Agreement.Setup.Payee;

        /// <summary>Whether the payee's claim is in an account of its own; income of the platform is not.</summary>
        public bool HasPayable => MakeStatement.SideOf(Agreement, Platform) != Side.Income;

        /// <summary>Whether the payer's debt is in an account of its own; a cost of the platform is not.</summary>
        public bool HasReceivable => MakeStatement.SideOf(Agreement, Platform) != Side.Cost;
    }
}
