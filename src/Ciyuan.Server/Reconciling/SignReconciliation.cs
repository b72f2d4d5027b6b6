using System.Globalization;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Storage;

namespace Ciyuan.Server.Reconciling;

/// <summary>What became of a signature.</summary>
/// <param name="Id">Id of the reconciliation.</param>
/// <param name="SignedBy">Who has signed it.</param>
/// <param name="IsComplete">Whether two people have.</param>
/// <param name="Posted">What was posted; empty until two have signed.</param>
/// <param name="Faults">Why it was refused; empty when it was not.</param>
public sealed record Signature(
    string Id, IReadOnlyList<string> SignedBy, bool IsComplete, IReadOnlyList<PostTransfer> Posted,
    IReadOnlyList<string> Faults);

/// <summary>
/// Signs the result of a reconciliation. Each of two people works it out anew, from the bill and our records: the
/// second signature is taken only when all that is signed is the same. It is an entry of a setup, so it stands in the
/// journal with who and when. With the second one it is posted.
/// </summary>
/// <remarks>
/// What a difference of δ (theirs less ours) makes of the claim under the agreement:
/// <code>
///             owed       held
/// accepted    δ          0       what is owed is what they bill
/// disputed    min(δ, 0)  |δ|     what both agree on is owed, the rest is held until the dispute ends
/// withdrawn   0          0       what is owed is what we charged
/// </code>
/// </remarks>
public static class SignReconciliation
{
    private const string Source = "reconcile";

    /// <summary>The entry that two people sign.</summary>
    public static ReconciliationSetup Entry(BillComparison c, Bill bill, Currency currency, bool accepts)
    {
        string hash = c.Differences.Hash;
        string month = c.Question.Period.Start.ToInstant().InZone(c.Question.Zone)
            .ToString("uuuu'-'MM'-'dd", CultureInfo.InvariantCulture);
        return new ReconciliationSetup(
            $"{c.Question.Agreement}/{month}/{bill.Sha256[..8]}", c.Question.Agreement,
            c.Question.Period.Start.ToString(), c.Question.Period.End.ToString(), bill.Sha256, hash,
            currency.ToString(), c.AmountHere.ToString(), c.AmountThere.ToString(), accepts ? "accepted" : "disputed",
            [.. c.Differences.Sums.Where(s => !s.Delta.IsZero)
                .Select(s => new VarianceSetup(s.Class.Name(), s.Delta.ToString()))]);
    }

    /// <summary>The entry that ends a dispute: their bill is accepted after all, or withdrawn.</summary>
    public static ReconciliationSetup EndOf(ReconciliationSetup dispute, bool accepts) => dispute with
    {
        Id = dispute.Id + ReconciliationSetup.End,
        Decision = accepts ? "accepted" : "withdrawn",
    };

    /// <summary>Signs; with the second signature posts what was decided. Safe to repeat.</summary>
    public static async Task<Signature> RunAsync(
        Shard shard, ReconciliationSetup entry, string by, CancellationToken cancel = default)
    {
        var setup = new Setup { By = by, Reconciliations = [entry] };
        IReadOnlyList<string> faults = (await shard.SetUpAsync(setup, cancel)).Faults;
        Catalog catalog = await shard.CatalogAsync(cancel);
        SignedReconciliation? signed = catalog.Reconciliations.Find(entry.Id);
        IReadOnlyList<string> signers = signed?.By ?? [];
        bool isComplete = faults.Count == 0 && signed is { IsComplete: true };
        PostTransfer[] transfers = isComplete ? [.. Transfers(entry, catalog)] : [];
        if (transfers.Length > 0)
        {
            Timestamp last = Timestamp.TryParse(entry.To, out Timestamp end) ? end.PlusNanoseconds(-1) : default;
            var group = new LedgerGroup(Source, entry.Id, last, transfers,
                $"bill {entry.Bill}, differences {entry.Result}, signed by {string.Join(", ", signers)}");
            Journal.GroupReply reply = await shard.PostAsync(group, cancel);
            LedgerStatus outcome = reply.Status == LedgerStatus.Exists ? reply.Earlier : reply.Status;
            faults = outcome == LedgerStatus.Done ? faults : [$"the posting was refused: {outcome}"];
        }

        return new Signature(entry.Id, signers, isComplete, transfers, faults);
    }

    // Class by class, so that the variance accounts say why.
    private static IEnumerable<PostTransfer> Transfers(ReconciliationSetup entry, Catalog catalog)
    {
        foreach (VarianceSetup variance in entry.Differences)
        {
            Amount delta = Amount.Parse(variance.Amount);
            (Amount owed, Amount held) = ReconciledClaim.After(entry.Decision, delta);
            (Amount owedBefore, Amount heldBefore) =
                entry.Ends is null ? (Amount.Zero, Amount.Zero) : ReconciledClaim.After("disputed", delta);
            string own = $"{catalog.Platform}/adjustment/variance-{variance.Class}";
            if (owed != owedBefore)
            {
                yield return Claim(entry, catalog, own, isHeld: false, owed - owedBefore);
            }

            if (held != heldBefore)
            {
                yield return Claim(entry, catalog, own, isHeld: true, held - heldBefore);
            }
        }
    }

    /// <summary>Adds to the payee's claim and the payer's debt; the platform's side is in the variance account. Where
    /// the agreement has a calendar, what is owed is due with its next period that becomes final.</summary>
    private static PostTransfer Claim(
        ReconciliationSetup entry, Catalog catalog, string own, bool isHeld, Amount change)
    {
        AgreementSetup agreement = catalog.FindAgreement(entry.Agreement)!.Setup;
        bool hasCalendar = catalog.TermsOf(agreement.Id).Count > 0;
        string PathOf(string party, string owed) => party == catalog.Platform
            ? own
            : $"{party}/{(isHeld ? "held" : hasCalendar ? "due" : owed)}/{agreement.Id}";
        string debit = PathOf(agreement.Payer, "receivable");
        string credit = PathOf(agreement.Payee, "payable");
        Currency currency = Currency.Parse(entry.Currency);
        return change.IsNegative
            ? new PostTransfer(credit, debit, currency, -change)
            : new PostTransfer(debit, credit, currency, change);
    }
}
