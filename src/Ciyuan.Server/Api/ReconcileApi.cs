using System.ComponentModel;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Reconciling;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Ciyuan.Server.Api;

/// <summary>How a bill is compared, as a query string.</summary>
internal sealed record ReconcileParameters
{
    [FromQuery(Name = "agreement"), Description("Our agreement with the other side.")]
    public required string Agreement { get; init; }

    [FromQuery(Name = "period"), Description("The period that the bill is for: a year, month or day.")]
    public string? Period { get; init; }

    [FromQuery(Name = "from"), Description("Instead of a period: its first moment.")]
    public string? From { get; init; }

    [FromQuery(Name = "to"), Description("Instead of a period: the first moment after it.")]
    public string? To { get; init; }

    [FromQuery(Name = "zone"), Description("IANA zone of the bill's days, where its format says none; UTC when left "
        + "out.")]
    public string? Zone { get; init; }

    [FromQuery(Name = "as"), Description("How the file is read: a preset or a format; ciyuan when left out.")]
    public string? As { get; init; }

    [FromQuery(Name = "match"), Description("How both sides are matched: auto (when left out), id or day.")]
    public string? Match { get; init; }

    [FromQuery(Name = "id_tag"), Description("The tag of our records with their id; else the record's id.")]
    public string? IdTag { get; init; }

    [FromQuery(Name = "tolerance"), Description("Most that rounding may change in a line; half of the bill's last "
        + "decimal when left out.")]
    public string? Tolerance { get; init; }

    [FromQuery(Name = "language"), Description("Of the sentences: en (when left out) or zh.")]
    public string? Language { get; init; }

    [FromQuery(Name = "sign"), Description("Signs the result: accept or dispute; withdraw ends a dispute.")]
    public string? Sign { get; init; }

    [FromQuery(Name = "by"), Description("Who signs.")]
    public string? By { get; init; }

    [FromQuery(Name = "format"), Description("json (when left out), or csv for the differences alone.")]
    public string? Format { get; init; }

    /// <summary>The request, or what is wrong with it.</summary>
    internal (BillRequest? Request, string? Fault) FromApi()
    {
        Amount tolerance = default;
        BillMatching matching = default;
        (_, string? fault) = ApiTime.ParsePeriod(Period, From, To, Zone);
        fault ??= !Enum.TryParse(string.IsNullOrEmpty(Match) ? "auto" : Match, true, out matching)
                ? "match: auto, id or day"
            : !string.IsNullOrEmpty(Tolerance) && (!Amount.TryParse(Tolerance, out tolerance) || tolerance.IsNegative)
                ? "tolerance: a decimal of 0 or more"
            : Sign is not (null or "" or "accept" or "dispute" or "withdraw") ? "sign: accept, dispute or withdraw"
            : !string.IsNullOrEmpty(Sign) && string.IsNullOrWhiteSpace(By) ? "by: who signs"
            : null;
        return fault is not null ? (null, fault) : (new BillRequest(
            Agreement, string.IsNullOrEmpty(As) ? "ciyuan" : As,
            zone => ApiTime.ParsePeriod(Period, From, To, zone.Id).Period, ApiTime.FindZone(Zone)!)
        {
            Matching = matching,
            IdTag = IdTag ?? "",
            Tolerance = string.IsNullOrEmpty(Tolerance) ? null : tolerance,
        }, null);
    }
}

/// <summary>Bills of others beside our records.</summary>
internal sealed class ReconcileApi(Shard shard, ShardOptions options, ReadGate gate)
{
    /// <summary>POST /v1/reconcile</summary>
    internal async Task<IResult> PostAsync(HttpContext http, [AsParameters] ReconcileParameters parameters)
    {
        (BillRequest? request, string? fault) = parameters.FromApi();
        if (request is null)
        {
            return Problems.Malformed(fault!);
        }

        string file = Path.Combine(Path.GetTempPath(), "ciyuan-bill-" + Path.GetRandomFileName());
        try
        {
            if (!await BillUpload.SaveAsync(http, file))
            {
                return Problems.BillTooLarge;
            }

            return await CompareAsync(request, file, parameters);
        }
        catch (Exception refusal) when (refusal is BillException or BillTooLargeException or YamlFileException)
        {
            return Problems.Refused(refusal.Message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>GET /v1/reconciliations</summary>
    internal async Task<IResult> GetAsync([Description("json (when left out) or csv.")] string? format)
    {
        Catalog catalog = await shard.CatalogAsync();
        return gate.Run(format, () => ReconciliationRendering.Results(catalog.Reconciliations.All));
    }

    private async Task<IResult> CompareAsync(BillRequest request, string file, ReconcileParameters parameters)
    {
        Catalog catalog = await shard.CatalogAsync();
        ReconciledBill? bill = null;
        IResult answer = gate.Run(parameters.Format, () =>
        {
            using SqliteJournal journal = SqliteJournal.OpenReadOnly(options.Folder);
            bill = request.Run(file, "bill", catalog, shard.Facts, () => SettlementState.Frames(journal));
            return ReconciliationRendering.Render(
                bill.Comparison, bill.Bill, bill.Currency.ToString(),
                parameters.Language == "zh" ? ReportLanguage.Zh : ReportLanguage.En, parameters.Format == "csv");
        });
        if (bill is null || string.IsNullOrEmpty(parameters.Sign))
        {
            return answer;
        }

        ReconciliationSetup entry = bill.Entry(parameters.Sign, catalog.Reconciliations);
        Signature signature = await SignReconciliation.RunAsync(shard, entry, parameters.By!);
        return signature.Faults.Count == 0 ? answer : Problems.Refused(string.Join("; ", signature.Faults));
    }
}
