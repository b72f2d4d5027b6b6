using Ciyuan.Server.Gateway;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ciyuan.Server.Api;

/// <summary>The server answers.</summary>
/// <param name="Status">ok, or degraded: it takes usage and calls, but not all is well.</param>
/// <param name="Degraded">What is not well, in sentences without names.</param>
internal sealed record HealthAnswer(string Status, IReadOnlyList<string> Degraded);

/// <summary>Every endpoint of the server.</summary>
internal static class Endpoints
{
    internal static void Map(
        IEndpointRouteBuilder app, Shard shard, ServerOptions options, InFlight inFlight, ModelGateway gateway)
    {
        var events = new EventsApi(shard, inFlight);
        var setup = new SetupApi(shard, inFlight);
        var ledger = new LedgerApi(shard, inFlight);
        var reads = new ReadGate(options.Limits);
        var reports = new ReportsApi(shard, reads);
        var balances = new BalancesApi(shard, options.Shard, reads);

        app.MapPost("/v1/events", (Delegate)events.PostAsync).Describe(ApiDocument.PostEvents);
        app.MapPost("/v1/setup", (Delegate)setup.PostAsync).Describe(ApiDocument.PostSetup);
        app.MapPost("/v1/ledger/groups", (Delegate)ledger.PostGroupAsync).Describe(ApiDocument.PostGroup);
        app.MapPost("/v1/corrections", (Delegate)ledger.PostCorrectionAsync).Describe(ApiDocument.PostCorrection);
        app.MapGet("/v1/report", reports.GetReport).Describe(ApiDocument.GetReport);
        app.MapGet("/v1/agreements/{id}/statement", reports.GetStatementAsync).Describe(ApiDocument.GetStatement);
        var forecasts = new ForecastApi(shard, reads, options.Shard.Time);
        var organization = new OrganizationApi(shard, reads, options.Shard.Time);
        app.MapGet("/v1/report/margin", forecasts.GetMargin).Describe(ApiDocument.GetMargin);
        app.MapGet("/v1/forecast/balances", forecasts.GetBalancesAsync).Describe(ApiDocument.GetBalanceForecast);
        app.MapGet("/v1/forecast/budgets", forecasts.GetBudgetsAsync).Describe(ApiDocument.GetBudgetForecast);
        app.MapGet("/v1/organization/usage/{kind}", organization.GetUsage)
            .Describe(ApiDocument.GetOrganizationUsage);
        app.MapGet("/v1/organization/costs", organization.GetCosts).Describe(ApiDocument.GetOrganizationCosts);
        app.MapGet("/v1/balances", balances.GetAsync).Describe(ApiDocument.GetBalances);
        MapSettlement(app, shard, options, inFlight, reads);
        app.MapGet(RequestGate.HealthPath, () => GetHealth(shard, options, gateway))
            .Describe(ApiDocument.GetHealth);
        app.MapOpenApi("/openapi/{documentName}.json");
    }

    private static void MapSettlement(
        IEndpointRouteBuilder app, Shard shard, ServerOptions options, InFlight inFlight, ReadGate reads)
    {
        var settlement = new SettlementApi(shard, inFlight, reads);
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
        var reconcile = new ReconcileApi(shard, options.Shard, reads);
        app.MapPost("/v1/reconcile", reconcile.PostAsync).Describe(ApiDocument.PostReconcile);
        app.MapGet("/v1/reconciliations", reconcile.GetAsync).Describe(ApiDocument.GetReconciliations);
        app.MapGet("/v1/export/focus", new ExportApi(shard, reads).GetFocus).Describe(ApiDocument.GetFocus);
    }

    // What went wrong exactly is for the log: whoever asks here needs no token.
    private static IResult GetHealth(Shard shard, ServerOptions options, ModelGateway gateway)
    {
        if (shard.Fault is { } fault)
        {
            return Problems.ForException(fault)!;
        }

        var degraded = new List<string>();
        if (gateway.PassedOver is > 0 and int upstreams)
        {
            degraded.Add(upstreams == 1
                ? "1 upstream is passed over after failures"
                : $"{upstreams} upstreams are passed over after failures");
        }

        if (DataFolder.IsNearlyFull(options.Shard.Folder))
        {
            degraded.Add("the disk of the data folder is nearly full");
        }

        return Results.Json(new HealthAnswer(degraded.Count == 0 ? "ok" : "degraded", degraded), CommandBody.Json);
    }
}
