using System.Collections.Frozen;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>Who calls: a key, and what it implies.</summary>
/// <param name="Access">What the key may do.</param>
/// <param name="Key">The key of a project.</param>
/// <param name="Expires">First moment at which it is no longer good; null: never.</param>
/// <param name="Models">Models that it may ask for; empty: all.</param>
internal sealed record Caller(AccessSetup Access, KeySetup Key, Timestamp? Expires, ModelPattern[] Models)
{
    /// <summary>Whether the key may ask for a model.</summary>
    internal bool MayUse(string model) => Models.Length == 0 || Array.Exists(Models, m => m.Matches(model));

    /// <summary>Whether the key may ask for an operation.</summary>
    internal bool MayDo(string operation) => Access.Scopes is null || Access.Scopes.Contains(operation);
}

/// <summary>An upstream that serves a model.</summary>
/// <param name="Upstream">The upstream.</param>
/// <param name="Served">The model there.</param>
internal sealed record Candidate(Upstream Upstream, ServedModelSetup Served);

/// <summary>What the gateway goes by between two setups; immutable.</summary>
internal sealed class GatewayPolicy
{
    private readonly FrozenDictionary<string, Caller> _callers;
    private readonly FrozenDictionary<string, Candidate[]> _candidates;
    private readonly RouteSetup[] _routes;

    private GatewayPolicy(
        ShardPolicy source, FrozenDictionary<string, Caller> callers,
        FrozenDictionary<string, Candidate[]> candidates, RouteSetup[] routes) =>
        (Source, _callers, _candidates, _routes) = (source, callers, candidates, routes);

    /// <summary>What it was made from.</summary>
    internal ShardPolicy Source { get; }

    /// <summary>Names of all models, in ordinal order.</summary>
    internal IEnumerable<string> Models => _candidates.Keys.Order(StringComparer.Ordinal);

    /// <summary>Makes a policy.</summary>
    /// <param name="source">What is in force.</param>
    /// <param name="upstreams">Gives the upstream of a setup, with the health that it had before.</param>
    internal static GatewayPolicy Make(ShardPolicy source, Func<UpstreamSetup, Upstream> upstreams)
    {
        GatewayEntries entries = source.Catalog.Gateway;
        var callers = new Dictionary<string, Caller>(StringComparer.Ordinal);
        foreach (AccessSetup access in entries.Access.Where(a => !a.Revoked))
        {
            if (source.Catalog.FindKey(access.Key) is { } key)
            {
                Timestamp? expires = Timestamp.TryParse(access.Expires, out Timestamp end) ? end : null;
                ModelPattern[] models = [.. (access.Models ?? []).Select(m => new ModelPattern(m))];
                callers[access.Hash] = new Caller(access, key, expires, models);
            }
        }

        var candidates = new Dictionary<string, List<Candidate>>(StringComparer.Ordinal);
        foreach (UpstreamSetup setup in entries.Upstreams.Where(u => !u.Disabled))
        {
            Upstream upstream = upstreams(setup);
            foreach (ServedModelSetup served in setup.Models)
            {
                if (!candidates.TryGetValue(served.Model, out List<Candidate>? list))
                {
                    candidates.Add(served.Model, list = []);
                }

                list.Add(new Candidate(upstream, served));
            }
        }

        return new GatewayPolicy(
            source,
            callers.ToFrozenDictionary(StringComparer.Ordinal),
            candidates.ToFrozenDictionary(c => c.Key, c => c.Value.ToArray(), StringComparer.Ordinal),
            [.. entries.Routes.OrderByDescending(r => new ModelPattern(r.Model).LiteralLength)]);
    }

    /// <summary>The caller with a secret's hash; null when there is none.</summary>
    internal Caller? FindCaller(string hash) => _callers.GetValueOrDefault(hash);

    /// <summary>The upstreams that serve a model; empty when none does.</summary>
    internal Candidate[] FindCandidates(string model) => _candidates.GetValueOrDefault(model, []);

    /// <summary>How the upstreams of a model are chosen.</summary>
    internal RouteSetup FindRoute(string model) =>
        Array.Find(_routes, r => new ModelPattern(r.Model).Matches(model)) ?? new RouteSetup("", RoutePolicy.Weight);
}
