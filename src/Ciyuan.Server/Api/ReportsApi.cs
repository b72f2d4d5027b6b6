using System.ComponentModel;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Ciyuan.Server.Api;

/// <summary>Reports and statements.</summary>
internal sealed class ReportsApi(Shard shard, ReadGate gate)
{
    // Step 8 Report
    /// <summary>GET /v1/report</summary>
    internal IResult GetReport([AsParameters] ReportParameters parameters)
    {
        (ReportQuery? query, string? fault) = parameters.FromApi();
        return query is null
            ? Problems.Malformed(fault!)
            : gate.Run(parameters.Format, () =>
            {
                Report report = shard.Facts.Run(query);
                return report.Rows.Count <= ServerLimits.ReportRows
                    ? ReportRendering.Render(report)
                    : throw new ReportTooLargeException($"The report has {report.Rows.Count} rows, more than "
                        + $"{ServerLimits.ReportRows}: narrow the period, cut time less finely, or group by less.");
            });
    }

    // Step 7 Settle
    /// <summary>GET /v1/agreements/{id}/statement</summary>
    internal async Task<IResult> GetStatementAsync(
        [Description("The agreement.")] string id,
        [Description("A year, month or day in the zone, such as 2026-11.")] string? period,
        [Description("Instead of a period: its first moment; a day, month, year or RFC 3339.")] string? from,
        [Description("Instead of a period: the first moment after it.")] string? to,
        [Description("IANA zone of the period; UTC when left out.")] string? zone,
        [Description("json (when left out) or csv.")] string? format)
    {
        (Period span, string? fault) = ApiTime.ParsePeriod(period, from, to, zone);
        if (fault is null && string.IsNullOrEmpty(period) && string.IsNullOrEmpty(from) && string.IsNullOrEmpty(to))
        {
            fault = "period: is missing; write a year, a month or a day, such as 2026-11";
        }

        if (fault is not null)
        {
            return Problems.Malformed(fault);
        }

        SettlementState state = await shard.SettlementAsync();
        var query = new StatementQuery(id, span, ApiTime.FindZone(zone)!)
        {
            Booking = state.Calendar.BookingOf(id),
        };
        Statement? statement = null;
        IResult answer = gate.Run(
            format, () => StatementRendering.Render(statement = shard.Facts.RunStatement(query)));
        if (statement is null or { Found: true })
        {
            return answer;
        }

        Catalog catalog = state.Catalog;
        return catalog.FindAgreement(id) is { } agreement
            ? gate.Run(format, () => StatementRendering.Render(statement.Of(agreement.Setup)))
            : Problems.NotFound(NearNames.Unknown("agreement", id, catalog.Agreements.Select(a => a.Id)));
    }
}
