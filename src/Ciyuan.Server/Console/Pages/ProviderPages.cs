using Ciyuan.Parties;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Gateway;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console.Pages;

/// <summary>An upstream and how it fares.</summary>
/// <param name="Setup">What the setup says.</param>
/// <param name="Health">How it fares; null while unknown.</param>
/// <param name="HasSecret">Its key was found, or it needs none.</param>
/// <param name="IsResting">It is left alone after failures.</param>
internal sealed record UpstreamLine(UpstreamSetup Setup, Upstream? Health, bool HasSecret, bool IsResting);

/// <summary>Providers, sites, routes.</summary>
/// <param name="Upstreams">Upstreams.</param>
/// <param name="Routes">Routes.</param>
/// <param name="Sites">Sites.</param>
/// <param name="ByProvider">Calls of the last 24 hours, by provider.</param>
/// <param name="BySite">The same by site.</param>
internal sealed record ProvidersModel(
    IReadOnlyList<UpstreamLine> Upstreams, IReadOnlyCollection<RouteSetup> Routes,
    IReadOnlyCollection<SiteSetup> Sites, IReadOnlyDictionary<string, Sums> ByProvider,
    IReadOnlyDictionary<string, Sums> BySite);

/// <summary>接入 Providers and sites, health and routing.</summary>
internal static class ProviderPages
{
    internal const string Path = "/console/providers";

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.Staff, ShowAsync),
        new("POST", Path, ConsoleRoute.Operators, SetAsync),
        new("POST", Path + "/switch", ConsoleRoute.Operators, SwitchAsync),
        new("POST", Path + "/routes", ConsoleRoute.Operators, RouteAsync),
    ];

    private static async Task ShowAsync(Visit visit)
    {
        Report report = await visit.Desk.ReportAsync(new ReportQuery
        {
            Period = new Quantities.Period(visit.Day(-1), visit.Day(1)),
            Zone = visit.Zone,
            GroupBy = [Dimension.Provider, Dimension.Site],
        }, visit.Http.RequestAborted);
        Catalog catalog = visit.Desk.Catalog;
        UpstreamLine[] upstreams = [.. catalog.Gateway.Upstreams.Select(setup =>
        {
            Upstream? health = visit.Desk.Gateway.FindHealth(setup.Id);
            bool needs = setup.KeyVariable.Length > 0 || setup.KeyFile.Length > 0;
            return new UpstreamLine(
                setup, health, !needs || health?.Secret is not null, health?.IsResting(visit.Desk.Time) ?? false);
        })];
        await visit.PageAsync<ProvidersSheet>(visit.T("nav.providers"), new ProvidersModel(
            upstreams, catalog.Gateway.Routes, catalog.Sites, By(report, 0), By(report, 1)));
    }

    private static Dictionary<string, Sums> By(Report report, int part) => report.Rows.GroupBy(r => r.Key[part])
        .ToDictionary(g => g.Key, g => Sums.Of(report, g), StringComparer.Ordinal);

    private static Task SetAsync(Visit visit)
    {
        string[] models = visit.List("models") ?? [];
        string provider = visit.Field("provider").Trim();
        bool known = provider.Length == 0 || visit.Desk.Catalog.Parties.ContainsKey(provider);
        _ = Enum.TryParse(visit.Field("protocol"), out UpstreamProtocol protocol);
        return visit.ApplyAsync(
            new Setup
            {
                Parties = known ? [] : [new PartySetup(provider, provider, [Role.Provider])],
                Upstreams =
                [
                    new UpstreamSetup(
                        visit.Field("id").Trim(), provider, protocol, visit.Field("base_url").Trim(),
                        [.. models.Select(m => new ServedModelSetup(m))], visit.Field("site").Trim(),
                        visit.Field("region").Trim(), visit.Field("key_variable").Trim(),
                        Priority: visit.Whole("priority", 100), Weight: visit.Whole("weight", 100)),
                ],
            },
            Path);
    }

    private static async Task SwitchAsync(Visit visit)
    {
        string id = visit.Field("id");
        if (visit.Desk.Catalog.Gateway.Upstreams.FirstOrDefault(u => u.Id == id) is not { } upstream)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        await visit.ApplyAsync(
            new Setup { Upstreams = [upstream with { Disabled = visit.Field("disabled") == "1" }] }, Path);
    }

    private static Task RouteAsync(Visit visit)
    {
        _ = Enum.TryParse(visit.Field("by"), out RoutePolicy by);
        var route = new RouteSetup(visit.Field("model").Trim(), by, visit.Field("region").Trim());
        return visit.ApplyAsync(new Setup { Routes = [route] }, Path);
    }
}
