using System.Text.Json.Serialization;

namespace Ciyuan.Parties;

/// <summary>What an upstream speaks. Numbers are stored: never change or reuse one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UpstreamProtocol>))]
public enum UpstreamProtocol : byte
{
    /// <summary>OpenAI's, and what is compatible with it.</summary>
    OpenAI = 0,

    /// <summary>Anthropic's.</summary>
    Anthropic = 1,

    /// <summary>Gemini's.</summary>
    Gemini = 2,

    /// <summary>The built-in provider that speaks all three and needs no account; its records name the provider
    /// <c>sandbox</c>, whatever the setup says.</summary>
    Sandbox = 3,
}

/// <summary>Which of several upstreams of one priority serves a call. Numbers are stored: never change or reuse
/// one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RoutePolicy>))]
public enum RoutePolicy : byte
{
    /// <summary>By turns, as often as their weights say.</summary>
    Weight = 0,

    /// <summary>The one that costs the platform least.</summary>
    Price = 1,

    /// <summary>The one whose first bytes have come soonest.</summary>
    Latency = 2,

    /// <summary>In the order in which the setups named them.</summary>
    Fixed = 3,
}

/// <summary>For how long a budget lasts before it begins anew. Numbers are stored: never change or reuse
/// one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BudgetPeriod>))]
public enum BudgetPeriod : byte
{
    /// <summary>A calendar month.</summary>
    Month = 0,

    /// <summary>A calendar day.</summary>
    Day = 1,

    /// <summary>For good.</summary>
    Total = 2,
}

/// <summary>An endpoint of a provider, to which calls are forwarded. Policy, not money: the same id again replaces what
/// was said before, and the journal keeps both.</summary>
/// <param name="Id">Short name.</param>
/// <param name="Provider">The provider's party, as records name it.</param>
/// <param name="Protocol">What it speaks.</param>
/// <param name="BaseUrl">What the protocol's own clients take for their base address:
/// <c>https://api.openai.com/v1</c>, <c>https://api.anthropic.com</c>,
/// <c>https://generativelanguage.googleapis.com</c>; empty for the sandbox.</param>
/// <param name="Models">What it serves.</param>
/// <param name="Site">The compute site, as records name it.</param>
/// <param name="Region">Where it is; calls may ask for a region.</param>
/// <param name="KeyVariable">Environment variable that holds its API key; the secret itself is never part of a
/// setup.</param>
/// <param name="KeyFile">Or: file that holds it.</param>
/// <param name="Priority">0 to 1000; lower goes first, others only when those fail.</param>
/// <param name="Weight">0 to 1000; how often among equals.</param>
/// <param name="Disabled">True: no calls go there.</param>
/// <param name="AllowInside">True: its address may be one of this machine or of an inside network.</param>
public sealed record UpstreamSetup(
    string Id,
    string Provider,
    UpstreamProtocol Protocol,
    string BaseUrl,
    IReadOnlyList<ServedModelSetup> Models,
    string Site = "",
    string Region = "",
    string KeyVariable = "",
    string KeyFile = "",
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    int Priority = 100,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    int Weight = 100,
    bool Disabled = false,
    bool AllowInside = false);

/// <summary>A model that an upstream serves.</summary>
/// <param name="Model">Name by which callers ask for it.</param>
/// <param name="As">The upstream's name for it; empty: the same.</param>
/// <param name="MaxOutput">Most tokens that it writes in one answer; 0: not known, so a limit is put into calls that
/// state none.</param>
/// <param name="LimitField">Field of OpenAI's chat completions in which a limit is put in; empty:
/// <c>max_tokens</c>.</param>
public sealed record ServedModelSetup(string Model, string As = "", int MaxOutput = 0, string LimitField = "");

/// <summary>How the upstreams of some models are chosen.</summary>
/// <param name="Model">Name, or a pattern with <c>*</c>; the one with most literal characters applies.</param>
/// <param name="By">How.</param>
/// <param name="Region">Only upstreams of this region; empty: of any.</param>
public sealed record RouteSetup(string Model, RoutePolicy By, string Region = "");

/// <summary>What a key may do at the gateway, and how its secret is known. The same key again replaces what was said
/// before, except that a revoked one stays revoked.</summary>
/// <param name="Key">Id of a key of a project.</param>
/// <param name="Hash">SHA-256 of the secret in lower-case hex; the secret is nowhere.</param>
/// <param name="Prefix">The secret's first characters, by which people tell keys apart.</param>
/// <param name="Scopes">Operations that it may ask for (<c>chat</c>, <c>embeddings</c>, …); left out: all.</param>
/// <param name="Models">Models that it may ask for, patterns with <c>*</c>; left out: all.</param>
/// <param name="Expires">First moment (RFC 3339) at which it is no longer good; empty: never.</param>
/// <param name="Revoked">True: no longer good, for ever.</param>
/// <param name="Scenario">Scenario of its calls, unless a call says another; empty: none.</param>
/// <param name="RequestsPerMinute">Most calls in a minute; 0: no limit.</param>
/// <param name="TokensPerMinute">Most tokens in a minute; 0: no limit.</param>
/// <param name="Concurrency">Most calls at one time; 0: no limit.</param>
public sealed record AccessSetup(
    string Key,
    string Hash,
    string Prefix = "",
    IReadOnlyList<string>? Scopes = null,
    IReadOnlyList<string>? Models = null,
    string Expires = "",
    bool Revoked = false,
    string Scenario = "",
    int RequestsPerMinute = 0,
    int TokensPerMinute = 0,
    int Concurrency = 0);

/// <summary>Most that calls through the gateway may cost a consumer in a period. The same id again replaces what was
/// said before.</summary>
/// <param name="Id">Short name.</param>
/// <param name="Party">The consumer.</param>
/// <param name="Currency">Currency of the amount; charges in another are not part of it.</param>
/// <param name="Amount">The most, as a decimal.</param>
/// <param name="Project">Only calls of this project; empty: of all.</param>
/// <param name="Key">Only calls of this key; empty: of all.</param>
/// <param name="Period">When it begins anew.</param>
/// <param name="Zone">IANA zone of the period; empty: UTC.</param>
public sealed record BudgetSetup(
    string Id,
    string Party,
    string Currency,
    string Amount,
    string Project = "",
    string Key = "",
    BudgetPeriod Period = BudgetPeriod.Month,
    string Zone = "");
