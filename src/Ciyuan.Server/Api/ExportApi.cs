using System.ComponentModel;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Exports;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Api;

/// <summary>Which FOCUS file, as a query string.</summary>
internal sealed record FocusParameters
{
    [FromQuery(Name = "spec"), Description("Version of the specification: 1.2 (when left out) or 1.4.")]
    public string? Spec { get; init; }

    [FromQuery(Name = "dataset"), Description("cost-and-usage (when left out); from 1.4 on also invoice-detail and "
        + "billing-period.")]
    public string? Dataset { get; init; }

    [FromQuery(Name = "period"), Description("A year, month or day in the zone, such as 2026-11.")]
    public string? Period { get; init; }

    [FromQuery(Name = "from"), Description("Instead of a period: its first moment.")]
    public string? From { get; init; }

    [FromQuery(Name = "to"), Description("Instead of a period: the first moment after it.")]
    public string? To { get; init; }

    [FromQuery(Name = "zone"), Description("IANA zone of the days and months; UTC when left out.")]
    public string? Zone { get; init; }

    [FromQuery(Name = "bucket"), Description("Charge periods: day (when left out) or hour.")]
    public string? Bucket { get; init; }

    [FromQuery(Name = "side"), Description("What the platform bills (income, when left out), is billed (cost), or "
        + "all.")]
    public string? Side { get; init; }

    [FromQuery(Name = "agreement"), Description("Only this agreement; may be given again.")]
    public string[]? Agreement { get; init; }

    [FromQuery(Name = "ascii"), Description("true: short names instead of names beyond ASCII.")]
    public bool? Ascii { get; init; }

    [FromQuery(Name = "format"), Description("csv (when left out), or json: an object on each line.")]
    public string? Format { get; init; }

    /// <summary>The request, or what is wrong with it.</summary>
    internal (FocusRequest? Request, string? Fault) FromApi()
    {
        (Period period, string? fault) = ApiTime.ParsePeriod(Period, From, To, Zone);
        int dataset = Array.IndexOf(FocusRequest.Datasets, Dataset ?? FocusRequest.Datasets[0]);
        fault ??= Spec is not (null or "1.2" or "1.4") ? "spec: 1.2 or 1.4"
            : dataset < 0 ? $"dataset: {string.Join(", ", FocusRequest.Datasets)}"
            : Bucket is not (null or "day" or "hour") ? "bucket: day or hour"
            : Side is not (null or "income" or "cost" or "all") ? "side: income, cost or all"
            : Format is not (null or "" or "csv" or "json") ? "format: csv or json"
            : null;
        if (fault is not null)
        {
            return (null, fault);
        }

        var request = new FocusRequest(
            (FocusDataset)dataset, Spec == "1.4" ? FocusVersion.V14 : FocusVersion.V12, period, ApiTime.FindZone(Zone)!)
        {
            Bucket = Bucket == "hour" ? Statistics.Bucket.Hour : Statistics.Bucket.Day,
            Agreements = Agreement is { Length: > 0 } ? Agreement.ToHashSet() : null,
            AsciiNames = Ascii ?? false,
            Side = Side switch { "all" => null, "cost" => Rating.Side.Cost, _ => Rating.Side.Income },
        };
        return request.FindFault() is { } wrong ? (null, wrong) : (request, null);
    }
}

/// <summary>Charges in the formats of others.</summary>
internal sealed class ExportApi(Shard shard, ReadGate gate)
{
    /// <summary>GET /v1/export/focus</summary>
    internal IResult GetFocus([AsParameters] FocusParameters parameters)
    {
        (FocusRequest? request, string? fault) = parameters.FromApi();
        if (request is null)
        {
            return Problems.Malformed(fault!);
        }

        (Catalog catalog, PriceBooks books) = (shard.Policy.Catalog, shard.Policy.Books);
        if (request.Agreements?.FirstOrDefault(a => catalog.FindAgreement(a) is null) is { } unknown)
        {
            return Problems.NotFound(
                NearNames.Unknown("agreement", unknown, catalog.Agreements.Select(a => a.Id)));
        }

        bool json = parameters.Format == "json";
        return gate.RunFile(json ? "application/jsonl" : "text/csv; charset=utf-8", file =>
        {
            var export = new FocusExport(request, shard.Facts, new ExportTerms(catalog, books));
            export.Write(file, json ? OutputFormat.Json : OutputFormat.Csv);
            return export.Scope;
        });
    }
}
