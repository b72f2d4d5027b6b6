using System.ComponentModel;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>Margins, balances that run out, budgets.</summary>
internal sealed class ForecastApi(Shard shard, ReadGate gate, TimeProvider time)
{
    /// <summary>GET /v1/report/margin</summary>
    internal IResult GetMargin([AsParameters] ReportParameters parameters)
    {
        (ReportQuery? query, string? fault) = parameters.FromApi();
        return query is null
            ? Problems.Malformed(fault!)
            : gate.Run(parameters.Format, () =>
            {
                Report report = shard.Facts.Run(query);
                return report.Rows.Count <= ServerLimits.ReportRows
                    ? ForecastRendering.Render(MarginReport.Of(report))
                    : throw new ReportTooLargeException($"The report has {report.Rows.Count} rows, more than "
                        + $"{ServerLimits.ReportRows}: narrow the period, cut time less finely, or group by less.");
            });
    }

    /// <summary>GET /v1/forecast/balances</summary>
    internal async Task<IResult> GetBalancesAsync(
        [Description("Days looked back at; 28 when left out.")] int? days,
        [Description("IANA zone of the days; UTC when left out.")] string? zone,
        [Description("json (when left out) or csv.")] string? format)
    {
        int back = days ?? Forecast.DefaultDays;
        if (ApiTime.FindZone(zone) is not { } found || back is < 1 or > Forecast.MostDays)
        {
            return Problems.Malformed($"days: 1 to {Forecast.MostDays}; zone: the IANA name of a time zone");
        }

        Timestamp now = Now();
        IReadOnlyList<AccountView> accounts = await shard.BalancesAsync();
        return gate.Run(format, () => ForecastRendering.Render(
            Forecast.Balances(shard.Facts, accounts, now, back, found), now, back));
    }

    /// <summary>GET /v1/forecast/budgets</summary>
    internal async Task<IResult> GetBudgetsAsync([Description("json (when left out) or csv.")] string? format)
    {
        Timestamp now = Now();
        Catalog catalog = await shard.CatalogAsync();
        return gate.Run(format, () => ForecastRendering.Render(Forecast.Budgets(shard.Facts, catalog, now), now));
    }

    private Timestamp Now() => Timestamp.FromDateTimeOffset(time.GetUtcNow());
}
