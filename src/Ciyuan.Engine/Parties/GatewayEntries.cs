using Ciyuan.Quantities;

namespace Ciyuan.Parties;

/// <summary>What the catalog knows of the gateway: upstreams, routes, access, budgets. Immutable.</summary>
public sealed class GatewayEntries
{
    private Dictionary<string, UpstreamSetup> _upstreams = new(StringComparer.Ordinal);
    private Dictionary<string, RouteSetup> _routes = new(StringComparer.Ordinal);
    private Dictionary<string, AccessSetup> _access = new(StringComparer.Ordinal);
    private Dictionary<string, BudgetSetup> _budgets = new(StringComparer.Ordinal);

    /// <summary>Nothing.</summary>
    public static GatewayEntries Empty { get; } = new();

    /// <summary>Upstreams, in the order in which they were first named.</summary>
    public IReadOnlyCollection<UpstreamSetup> Upstreams => _upstreams.Values;

    /// <summary>Routes.</summary>
    public IReadOnlyCollection<RouteSetup> Routes => _routes.Values;

    /// <summary>Access of keys.</summary>
    public IReadOnlyCollection<AccessSetup> Access => _access.Values;

    /// <summary>Budgets.</summary>
    public IReadOnlyCollection<BudgetSetup> Budgets => _budgets.Values;

    /// <summary>The entries with those of a setup added or replaced; this instance when the setup has none.</summary>
    internal GatewayEntries With(Setup setup, Catalog catalog, List<string> faults, ref bool changed)
    {
        if (setup.Upstreams is null && setup.Routes is null && setup.Access is null && setup.Budgets is null)
        {
            return this;
        }

        var next = new GatewayEntries
        {
            _upstreams = new(_upstreams, StringComparer.Ordinal),
            _routes = new(_routes, StringComparer.Ordinal),
            _access = new(_access, StringComparer.Ordinal),
            _budgets = new(_budgets, StringComparer.Ordinal),
        };
        foreach (UpstreamSetup upstream in setup.Upstreams ?? [])
        {
            CheckUpstream(upstream, faults);
            Replace(next._upstreams, upstream.Id, upstream, Describe(upstream), Describe, ref changed);
        }

        foreach (RouteSetup route in setup.Routes ?? [])
        {
            Replace(next._routes, route.Model, route, route.ToString(), r => r.ToString(), ref changed);
        }

        foreach (AccessSetup access in setup.Access ?? [])
        {
            next.CheckAccess(access, catalog, faults);
            Replace(next._access, access.Key, access, Describe(access), Describe, ref changed);
        }

        foreach (BudgetSetup budget in setup.Budgets ?? [])
        {
            CheckBudget(budget, catalog, faults);
            Replace(next._budgets, budget.Id, budget, budget.ToString(), b => b.ToString(), ref changed);
        }

        return next;
    }

    private static void CheckUpstream(UpstreamSetup upstream, List<string> faults)
    {
        string what = $"upstream '{upstream.Id}'";
        bool sandbox = upstream.Protocol == UpstreamProtocol.Sandbox;
        if (!Catalog.IsName(upstream.Id) || upstream.Models.Count == 0
            || upstream.Models.Any(m => m.Model.Length is 0 or > 256 || m.As.Length > 256 || m.MaxOutput < 0)
            || upstream.Priority is < 0 or > 1000 || upstream.Weight is < 0 or > 1000)
        {
            faults.Add($"{what}: needs a short name, at least one model with a name of at most 256 characters, and a "
                + "priority and a weight of 0 to 1000");
        }

        if (upstream.Models.DistinctBy(m => m.Model, StringComparer.Ordinal).Count() < upstream.Models.Count)
        {
            faults.Add($"{what}: serves a model twice");
        }

        bool url = Uri.TryCreate(upstream.BaseUrl, UriKind.Absolute, out Uri? parsed)
            && parsed.Scheme is "http" or "https" && parsed.UserInfo.Length == 0 && parsed.Query.Length == 0
            && parsed.Fragment.Length == 0;
        if (sandbox ? upstream.BaseUrl.Length > 0 : !url)
        {
            faults.Add($"{what}: base_url '{upstream.BaseUrl}' must be http:// or https:// with a host and no user, "
                + "query or fragment; the sandbox has none");
        }

        if (upstream.KeyVariable.Length > 0 && upstream.KeyFile.Length > 0)
        {
            faults.Add($"{what}: its key is in a variable or in a file, not both");
        }
    }

    private void CheckAccess(AccessSetup access, Catalog catalog, List<string> faults)
    {
        string what = $"access of key '{access.Key}'";
        if (catalog.FindKey(access.Key) is null)
        {
            faults.Add($"{what}: there is no such key; add it first, under keys");
        }

        if (access.Hash.Length != 64 || access.Hash.Any(c => c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f'))))
        {
            faults.Add($"{what}: hash must be the SHA-256 of the secret in lower-case hex; never the secret itself");
        }

        if (_access.Values.Any(other => other.Hash == access.Hash && other.Key != access.Key))
        {
            faults.Add($"{what}: another key has the same secret");
        }

        if (access.Prefix.Length > 16)
        {
            faults.Add($"{what}: prefix shows at most 16 characters of the secret");
        }

        if (access.RequestsPerMinute < 0 || access.TokensPerMinute < 0 || access.Concurrency < 0)
        {
            faults.Add($"{what}: a limit is 0 (none) or more");
        }

        if (!access.Revoked && _access.TryGetValue(access.Key, out AccessSetup? old) && old.Revoked)
        {
            faults.Add($"{what}: it was revoked, for good; make another key");
        }

        Catalog.ReadValidity("", access.Expires, what, faults);
    }

    private static void CheckBudget(BudgetSetup budget, Catalog catalog, List<string> faults)
    {
        string what = $"budget '{budget.Id}'";
        if (!Catalog.IsName(budget.Id) || !catalog.Parties.ContainsKey(budget.Party))
        {
            faults.Add($"{what}: needs a short name, and a party that is there");
        }

        if (!Currency.TryParse(budget.Currency, out _)
            || !Amount.TryParse(budget.Amount, out Amount most) || most.IsNegative || most > Amount.Most)
        {
            faults.Add($"{what}: needs a currency such as CNY and an amount of 0 or more");
        }

        if (budget.Zone.Length > 0 && NodaTime.DateTimeZoneProviders.Tzdb.GetZoneOrNull(budget.Zone) is null)
        {
            faults.Add($"{what}: '{budget.Zone}' is no time zone such as Asia/Shanghai");
        }
    }

    private static void Replace<T>(
        Dictionary<string, T> entries, string key, T entry, string text, Func<T, string> describe, ref bool changed)
        where T : class
    {
        if (!entries.TryGetValue(key, out T? old) || describe(old) != text)
        {
            entries[key] = entry;
            changed = true;
        }
    }

    private static string Describe(UpstreamSetup upstream) =>
        System.Text.Json.JsonSerializer.Serialize(new Setup { Upstreams = [upstream] }, SetupJson.Default.Setup);

    private static string Describe(AccessSetup access) =>
        System.Text.Json.JsonSerializer.Serialize(new Setup { Access = [access] }, SetupJson.Default.Setup);
}
