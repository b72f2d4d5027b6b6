using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Reconciling;
using Ciyuan.Server.Api;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Reconciling;
using Ciyuan.Statistics;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Console.Settlement;

/// <summary>Bills that were brought, and what was signed of them.</summary>
/// <param name="Bills">Bills, the newest first; for the platform's people.</param>
/// <param name="Signed">Signed results that the visitor sees, with how a dispute ended.</param>
/// <param name="Agreements">Agreements to choose from.</param>
/// <param name="Month">The month before this one.</param>
internal sealed record ReconcileModel(
    IReadOnlyList<ShelvedBill> Bills, IReadOnlyList<(SignedReconciliation Signed, SignedReconciliation? End)> Signed,
    IReadOnlyList<string> Agreements, string Month);

/// <summary>A bill beside our records.</summary>
/// <param name="Bill">The bill.</param>
/// <param name="Result">What came of it.</param>
/// <param name="Class">The class of differences that is shown; null: all.</param>
/// <param name="Shown">The differences of this page.</param>
/// <param name="From">Number of the first of them, from 0.</param>
/// <param name="Of">How many can be shown.</param>
/// <param name="Signed">What was signed of it; null: nothing.</param>
/// <param name="End">How its dispute ended; null: it has not.</param>
internal sealed record ComparisonModel(
    ShelvedBill Bill, ReconciledBill Result, DifferenceClass? Class, IReadOnlyList<Difference> Shown, int From, int Of,
    SignedReconciliation? Signed, SignedReconciliation? End);

/// <summary>对账 Reconciliation: bills of the other side, differences side by side, signatures.</summary>
internal static class ReconcilePages
{
    internal const string Path = "/console/settlement/reconcile";
    internal const int OnPage = 50;

    private const int ShownBills = 50;

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.All, ListAsync),
        new("GET", Path + "/bill", ConsoleRoute.Staff, v => RunAsync(v, v.Query("id"), ShowAsync)),
        new("GET", Path + "/bill.csv", ConsoleRoute.Staff, v => RunAsync(v, v.Query("id"), CsvAsync)),
        new("POST", Path, ConsoleRoute.Money, AddAsync) { FormBytes = ServerLimits.BillBytes },
        new("POST", Path + "/sign", ConsoleRoute.Money, v => RunAsync(v, v.Field("id"), SignAsync, isSigned: true)),
    ];

    private static Task ListAsync(Visit visit)
    {
        Reconciliations all = visit.Desk.Catalog.Reconciliations;
        NodaTime.LocalDate today = visit.Now.ToInstant().InZone(visit.Zone).Date;
        return visit.PageAsync<ReconcileSheet>(visit.T("reconcile.title"), new ReconcileModel(
            visit.Scope.IsAll ? [.. visit.Desk.Bills.All.Take(ShownBills)] : [],
            [.. all.All.Where(s => s.Entry.Ends is null && visit.Scope.Sees(s.Entry.Agreement))
                .Select(s => (s, all.Find(s.Entry.Id + ReconciliationSetup.End)))],
            [.. visit.Desk.Catalog.Agreements.Select(a => a.Id).Where(visit.Scope.Sees)],
            today.PlusMonths(-1).ToString("uuuu-MM", CultureInfo.InvariantCulture)));
    }

    private static async Task AddAsync(Visit visit)
    {
        string agreement = visit.Field("agreement");
        string mapping = visit.Field("mapping").Trim();
        IFormFile? file = visit.Http.Request.Form.Files["bill"];
        if (file is not { Length: > 0 } || visit.Desk.Catalog.FindAgreement(agreement) is null
            || !Quantities.Period.TryParse(visit.Field("period"), visit.Zone, out _))
        {
            await visit.FailAsync(422, "reconcile.fault");
            return;
        }

        await using Stream stream = file.OpenReadStream();
        ShelvedBill bill = await visit.Desk.Bills.AddAsync(
            stream,
            hash => new ShelvedBill(
                hash, System.IO.Path.GetFileName(file.FileName), agreement, visit.Field("period"), visit.Field("as"),
                visit.Zone.Id,
                Enum.TryParse(visit.Field("match"), out BillMatching matching) ? matching : BillMatching.Auto,
                visit.Field("tag").Trim(), visit.Field("tolerance").Trim(), mapping, visit.User!.Id,
                visit.Now.ToString()),
            visit.Http.RequestAborted);
        await visit.GoAsync(LinkOf(bill.Id));
    }

    internal static string LinkOf(string id) => Visit.Link(Path + "/bill", ("id", id));

    /// <summary>Compares a bill and goes on with what came of it; says why when it can't.</summary>
    private static async Task RunAsync(
        Visit visit, string id, Func<Visit, ShelvedBill, ReconciledBill, Task> next, bool isSigned = false)
    {
        if (visit.Desk.Bills.Find(id) is not { } bill)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        ReconciledBill result;
        try
        {
            result = await visit.Desk.WorkAsync(
                () => visit.Desk.Bills.Compare(bill, isSigned), visit.Http.RequestAborted);
        }
        catch (Exception fault) when (fault is BillException or BillTooLargeException or YamlFileException)
        {
            await visit.FailAsync(422, "reconcile.unread", fault.Message);
            return;
        }

        await next(visit, bill, result);
    }

    private static Task ShowAsync(Visit visit, ShelvedBill bill, ReconciledBill result)
    {
        DifferenceClass? of = Enum.TryParse(visit.Query("class"), out DifferenceClass named) && Enum.IsDefined(named)
            ? named
            : null;
        Difference[] all = [.. result.Comparison.Differences.Kept.Where(d => of is null || d.Class == of)];
        int from = int.TryParse(visit.Query("from"), NumberStyles.None, CultureInfo.InvariantCulture, out int start)
            ? start
            : 0;
        Reconciliations signed = visit.Desk.Catalog.Reconciliations;
        string id = result.Entry("dispute", signed).Id;
        return visit.PageAsync<ComparisonSheet>(bill.Name, new ComparisonModel(
            bill, result, of, [.. all.Skip(from).Take(OnPage)], from, all.Length, signed.Find(id),
            signed.Find(id + ReconciliationSetup.End)));
    }

    private static Task CsvAsync(Visit visit, ShelvedBill bill, ReconciledBill result) => visit.CsvAsync(
        ReconciliationRendering.Render(
            result.Comparison, result.Bill, result.Currency.ToString(),
            visit.Language == Language.Chinese ? ReportLanguage.Zh : ReportLanguage.En, lists: true).ToTable(),
        "differences-" + bill.Id);

    // What is signed is worked out again, and must be what the page showed.
    private static async Task SignAsync(Visit visit, ShelvedBill bill, ReconciledBill result)
    {
        ReconciliationSetup entry = result.Entry(visit.Field("decision"), visit.Desk.Catalog.Reconciliations);
        if (entry.Result != visit.Field("result"))
        {
            await visit.FailAsync(422, "reconcile.changed");
            return;
        }

        Signature signature = await SignReconciliation.RunAsync(visit.Desk.Shard, entry, visit.User!.Id);
        visit.Desk.ForgetBalances();
        await (signature.Faults.Count == 0
            ? visit.GoAsync(LinkOf(bill.Id) + "#sign")
            : visit.FailAsync(422, "error.refused", [.. signature.Faults]));
    }
}
