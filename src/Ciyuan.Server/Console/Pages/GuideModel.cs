using Ciyuan.Parties;

namespace Ciyuan.Server.Console.Pages;

/// <summary>How far a new ledger is set up.</summary>
/// <param name="HasProvider">An upstream is there.</param>
/// <param name="HasParty">A consumer is there.</param>
/// <param name="HasPrice">An agreement of a consumer is there.</param>
/// <param name="HasKey">A key with a secret is there.</param>
/// <param name="Url">Where calls go.</param>
/// <param name="Model">A model that is served.</param>
/// <param name="Consumer">The consumer that the next step is for.</param>
internal sealed record GuideModel(
    bool HasProvider, bool HasParty, bool HasPrice, bool HasKey, string Url, string Model, string Consumer)
{
    internal static GuideModel Of(Visit visit)
    {
        Catalog catalog = visit.Desk.Catalog;
        string consumer = catalog.Parties.Values.FirstOrDefault(p => p.Roles.Contains(Role.Consumer))?.Id ?? "";
        return new GuideModel(
            catalog.Gateway.Upstreams.Any(u => !u.Disabled), consumer.Length > 0,
            catalog.Agreements.Any(a => catalog.HasRole(a.Setup.Payer, Role.Consumer)),
            catalog.Gateway.Access.Any(a => !a.Revoked), visit.Desk.Url.TrimEnd('/'),
            catalog.Gateway.Upstreams.FirstOrDefault(u => !u.Disabled)?.Models[0].Model ?? "sandbox-chat", consumer);
    }
}
