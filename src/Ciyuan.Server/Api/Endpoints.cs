using Ciyuan.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ciyuan.Server.Api;

/// <summary>The server answers.</summary>
/// <param name="Status">ok</param>
internal sealed record HealthAnswer(string Status);

/// <summary>Every endpoint of the server.</summary>
internal static class Endpoints
{
    internal static void Map(IEndpointRouteBuilder app, Shard shard, ServerOptions options, InFlight inFlight)
    {
        var events = new EventsApi(shard, inFlight);
        var setup = new SetupApi(shard, inFlight);
        var ledger = new LedgerApi(shard, inFlight);
        var reads = new ReadGate(options.Limits);
        var reports = new ReportsApi(shard, reads);
        var balances = new BalancesApi(shard, options.Shard, reads);
        var settlement = new SettlementApi(shard, inFlight, reads);

        app.MapPost("/v1/events", (Delegate)events.PostAsync).Describe(ApiDocument.PostEvents);
        app.MapPost("/v1/setup", (Delegate)setup.PostAsync).Describe(ApiDocument.PostSetup);
        app.MapPost("/v1/ledger/groups", (Delegate)ledger.PostGroupAsync).Describe(ApiDocument.PostGroup);
        app.MapPost("/v1/corrections", (Delegate)ledger.PostCorrectionAsync).Describe(ApiDocument.PostCorrection);
        app.MapGet("/v1/report", reports.GetReport).Describe(ApiDocument.GetReport);
        app.MapGet("/v1/agreements/{id}/statement", reports.GetStatementAsync).Describe(ApiDocument.GetStatement);
        app.MapGet("/v1/balances", balances.GetAsync).Describe(ApiDocument.GetBalances);
        app.MapGet("/v1/settlement/calendar", settlement.GetCalendarAsync).Describe(ApiDocument.GetCalendar);
        app.MapPost("/v1/settlement/freeze", (Delegate)settlement.PostFreezeAsync).Describe(ApiDocument.PostFreeze);
        app.MapPost("/v1/settlement/split", (Delegate)settlement.PostSplitAsync).Describe(ApiDocument.PostSplit);
        app.MapPost("/v1/settlement/steps", (Delegate)settlement.PostStepAsync).Describe(ApiDocument.PostStep);
        app.MapGet("/v1/settlement/payments", settlement.GetPaymentsAsync).Describe(ApiDocument.GetPayments);
        app.MapGet("/v1/settlement/{agreement}/{period}/statement", settlement.GetStatementAsync)
            .Describe(ApiDocument.GetSettlementStatement);
        app.MapGet("/v1/settlement/{agreement}/{period}/waiting", settlement.GetWaitingAsync)
            .Describe(ApiDocument.GetWaiting);
        app.MapGet("/v1/settlement/{agreement}/{period}/invoice", settlement.GetInvoiceAsync)
            .Describe(ApiDocument.GetInvoice);
        app.MapGet(RequestGate.HealthPath, () => GetHealth(shard))
            .Describe(ApiDocument.GetHealth);
        app.MapOpenApi("/openapi/{documentName}.json");
    }

    // What went wrong exactly is for the log: whoever asks here needs no token.
    private static IResult GetHealth(Shard shard) => shard.Fault is { } fault
        ? Problems.ForException(fault)!
        : Results.Json(new HealthAnswer("ok"), CommandBody.Json);
}
