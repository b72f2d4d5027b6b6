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
/// <param name="Posted">What was posted; empty for disputes, and until two have signed.</param>
/// <param name="Faults">Why it was refused; empty when it was not.</param>
public sealed record Signature(
    string Id, IReadOnlyList<string> SignedBy, bool IsComplete, IReadOnlyList<PostTransfer> Posted,
    IReadOnlyList<string> Faults);

/// <summary>
/// Signs the result of a reconciliation. Each of two people works it out anew, from the bill and our records: the
/// second signature is taken only when all that is signed is the same. It is an entry of a setup, so it stands in the
/// journal with who and when. With the second one, an accepted result is posted.
/// </summary>
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

    /// <summary>Signs; with the second signature of an accepted result, posts it. Safe to repeat.</summary>
    public static async Task<Signature> RunAsync(
        Shard shard, ReconciliationSetup entry, string by, CancellationToken cancel = default)
    {
        var setup = new Setup { By = by, Reconciliations = [entry] };
        IReadOnlyList<string> faults = (await shard.SetUpAsync(setup, cancel)).Faults;
        Catalog catalog = await shard.CatalogAsync(cancel);
        SignedReconciliation? signed = catalog.Reconciliations.Find(entry.Id);
        IReadOnlyList<string> signers = signed?.By ?? [];
        bool isComplete = faults.Count == 0 && signed is { IsComplete: true };
        PostTransfer[] transfers = isComplete && entry.Decision == "accepted" ? [.. Transfers(entry, catalog)] : [];
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

    // What is owed becomes what they bill; the variance accounts say why, class by class.
    private static IEnumerable<PostTransfer> Transfers(ReconciliationSetup entry, Catalog catalog)
    {
        AgreementSetup agreement = catalog.FindAgreement(entry.Agreement)!.Setup;
        Currency currency = Currency.Parse(entry.Currency);
        foreach (VarianceSetup variance in entry.Differences)
        {
            string own = $"{catalog.Platform}/adjustment/variance-{variance.Class}";
            string debit = agreement.Payer == catalog.Platform ? own : $"{agreement.Payer}/receivable/{agreement.Id}";
            string credit = agreement.Payee == catalog.Platform ? own : $"{agreement.Payee}/payable/{agreement.Id}";
            Amount delta = Amount.Parse(variance.Amount);
            yield return delta.IsNegative
                ? new PostTransfer(credit, debit, currency, -delta)
                : new PostTransfer(debit, credit, currency, delta);
        }
    }
}
