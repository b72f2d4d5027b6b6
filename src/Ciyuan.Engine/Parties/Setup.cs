using System.Text.Json.Serialization;

namespace Ciyuan.Parties;

/// <summary>What a party is to the network. Numbers are stored: never change or reuse one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Role>))]
public enum Role : byte
{
    /// <summary>Uses models and pays (用户).</summary>
    Consumer = 0,

    /// <summary>Runs the network and this ledger (平台); exactly one party.</summary>
    Platform = 1,

    /// <summary>Provides models (模型方).</summary>
    Provider = 2,

    /// <summary>Operates compute sites (算力方).</summary>
    Compute = 3,

    /// <summary>Supplies data (数据方).</summary>
    Data = 4,
}

/// <summary>How a funding account pays. Numbers are stored: never change or reuse one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FundingKind>))]
public enum FundingKind : byte
{
    /// <summary>Money paid in before (预付款); never below zero.</summary>
    Prepaid = 0,

    /// <summary>Tokens bought before (词元包), one for one, until they expire.</summary>
    Pack = 1,

    /// <summary>Money given for a time (代金券); never below zero.</summary>
    Voucher = 2,

    /// <summary>Money owed later (信用额度), up to a limit.</summary>
    Credit = 3,
}

/// <summary>
/// A change of parties, agreements, prices or funding, as it stands in the journal for good: whatever changes money or
/// policy is such a command, with who and when. All of it is accepted, or none. What is already there with the same
/// content is left alone, so a setup can be applied again.
/// </summary>
public sealed record Setup
{
    /// <summary>Who makes the change: a person or a system.</summary>
    public string By { get; init; } = "";

    /// <summary>Parties to add, or to give another name or further roles.</summary>
    public IReadOnlyList<PartySetup> Parties { get; init; } = [];

    /// <summary>Projects to add.</summary>
    public IReadOnlyList<ProjectSetup> Projects { get; init; } = [];

    /// <summary>Keys to add.</summary>
    public IReadOnlyList<KeySetup> Keys { get; init; } = [];

    /// <summary>Compute sites to add.</summary>
    public IReadOnlyList<SiteSetup> Sites { get; init; } = [];

    /// <summary>Price book versions to add; immutable afterwards.</summary>
    public IReadOnlyList<BookSetup> Books { get; init; } = [];

    /// <summary>Agreements to add; immutable afterwards, except that an end may be set once.</summary>
    public IReadOnlyList<AgreementSetup> Agreements { get; init; } = [];

    /// <summary>Funding accounts to open.</summary>
    public IReadOnlyList<FundingSetup> Funding { get; init; } = [];

    /// <summary>Calendars to add, or further years of one.</summary>
    /// <remarks>Null and not empty when left out, like everything added to setups since: the stored JSON of earlier
    /// ones stays the same to the byte.</remarks>
    public IReadOnlyList<CalendarSetup>? Calendars { get; init; }

    /// <summary>Exchange rates to add.</summary>
    public IReadOnlyList<ExchangeSetup>? Exchange { get; init; }

    /// <summary>Event times to close.</summary>
    public IReadOnlyList<ClosingSetup>? Closings { get; init; }

    /// <summary>Endpoints of providers to add or replace; null: none, as in setups stored before there were
    /// any.</summary>
    public IReadOnlyList<UpstreamSetup>? Upstreams { get; init; }

    /// <summary>How upstreams are chosen; to add or replace.</summary>
    public IReadOnlyList<RouteSetup>? Routes { get; init; }

    /// <summary>What keys may do at the gateway; to add or replace.</summary>
    public IReadOnlyList<AccessSetup>? Access { get; init; }

    /// <summary>Budgets to add or replace.</summary>
    public IReadOnlyList<BudgetSetup>? Budgets { get; init; }

    /// <summary>How agreements are settled; to add.</summary>
    public IReadOnlyList<SettlementSetup>? Settlement { get; init; }

    /// <summary>What invoices and payments say of parties; to add or replace.</summary>
    public IReadOnlyList<BillingSetup>? Billing { get; init; }

    /// <summary>Results of reconciliations, which <see cref="By"/> signs.</summary>
    public IReadOnlyList<ReconciliationSetup>? Reconciliations { get; init; }

    /// <summary>Users of the console to add or replace.</summary>
    public IReadOnlyList<UserSetup>? Users { get; init; }

    /// <summary>Names the list in which a null stands where none may be, which only a careless reader of setups can
    /// bring about; null when there is none.</summary>
    public string? FindNull()
    {
        (string Name, bool HasNull)[] parts =
        [
            ("by", By is null),
            ("parties", In(Parties, p => Any(p.Id, p.Name, p.Roles))),
            ("projects", In(Projects, p => Any(p.Party, p.Id, p.Name))),
            ("keys", In(Keys, k => Any(k.Party, k.Project, k.Id))),
            ("sites", In(Sites, s => Any(s.Id, s.Operator, s.Name))),
            ("books", In(Books, BookNulls.HasNull)),
            ("agreements", In(Agreements, HasNull)),
            ("funding", In(Funding, f => Any(f.Party, f.Id, f.Currency, f.Expires, f.Limit) || In(f.Classes ?? [])
                || In(f.Models ?? []))),
            ("calendars", In(Calendars ?? [], BookNulls.HasNull)),
            ("exchange", In(Exchange ?? [], e => Any(e.Id, e.From, e.To) || In(e.Rates, r => Any(r.At, r.Rate)))),
            ("closings", In(Closings ?? [], c => Any(c.Until))),
            ("settlement", In(Settlement ?? [], s => Any(s.Agreement, s.Start))),
            ("billing", In(Billing ?? [], b => Any(b.Party))),
            ("upstreams", In(Upstreams ?? [], u => Any(
                u.Id, u.Provider, u.BaseUrl, u.Site, u.Region, u.KeyVariable, u.KeyFile)
                || In(u.Models, m => Any(m.Model, m.As, m.LimitField)))),
            ("routes", In(Routes ?? [], r => Any(r.Model, r.Region))),
            ("access", In(Access ?? [], a => Any(a.Key, a.Hash, a.Prefix, a.Expires, a.Scenario)
                || In(a.Scopes ?? []) || In(a.Models ?? []))),
            ("budgets", In(Budgets ?? [], b => Any(
                b.Id, b.Party, b.Currency, b.Amount, b.Project, b.Key, b.Zone))),
            ("reconciliations", In(Reconciliations ?? [], r => Any(
                r.Id, r.Agreement, r.From, r.To, r.Bill, r.Result, r.Currency, r.Here, r.There, r.Decision)
                || In(r.Differences, d => Any(d.Class, d.Amount)))),
            ("users", In(Users ?? [], u => Any(u.Id, u.Name, u.Party))),
        ];
        return Array.Find(parts, part => part.HasNull).Name;
    }

    private static bool HasNull(AgreementSetup a) =>
        Any(a.Id, a.Payer, a.Payee, a.Currency, a.From, a.To, a.Book, a.PerCall, a.ShareOf, a.SharePercent)
        || In(a.BilledOutcomes ?? []) || (a.Where is { } w && (In(w.Tags?.Values ?? [])
            || Any(w.Party, w.Project, w.Key, w.Scenario, w.Model, w.Provider, w.Site, w.Operation)));

    internal static bool Any(params ReadOnlySpan<object?> parts)
    {
        foreach (object? part in parts)
        {
            if (part is null)
            {
                return true;
            }
        }

        return false;
    }

    internal static bool In<T>(IEnumerable<T> list, Func<T, bool>? hasNull = null) =>
        list is null || list.Any(entry => entry is null || (hasNull?.Invoke(entry) ?? false));
}

/// <summary>A party.</summary>
/// <param name="Id">Short name used in records and account paths: a–z, 0–9, '-', '_' and '.', 1 to 64
/// characters.</param>
/// <param name="Name">Full name for people.</param>
/// <param name="Roles">One or more roles.</param>
public sealed record PartySetup(string Id, string Name, IReadOnlyList<Role> Roles);

/// <summary>A project of a consumer. Its id is unique within the party.</summary>
/// <param name="Party">The consumer.</param>
/// <param name="Id">Short name.</param>
/// <param name="Name">Name for people.</param>
public sealed record ProjectSetup(string Party, string Id, string Name = "");

/// <summary>A key of a project. Its id (not the secret) is unique in the ledger, so a record may name the key
/// alone.</summary>
/// <param name="Party">The consumer.</param>
/// <param name="Project">The project.</param>
/// <param name="Id">Short name.</param>
public sealed record KeySetup(string Party, string Project, string Id);

/// <summary>A compute site.</summary>
/// <param name="Id">Short name used in records.</param>
/// <param name="Operator">The compute operator.</param>
/// <param name="Name">Name for people.</param>
public sealed record SiteSetup(string Id, string Operator, string Name = "");

/// <summary>An agreement (合约) between two parties: who pays whom for which usage, and how the amount is made.</summary>
/// <param name="Id">Short name, unique.</param>
/// <param name="Payer">Party that pays.</param>
/// <param name="Payee">Party that is paid.</param>
/// <param name="Currency">Currency of its amounts; may be left out with a book.</param>
/// <param name="From">First event time (RFC 3339) that it covers; empty: always.</param>
/// <param name="To">First event time that it no longer covers; empty: without end.</param>
/// <param name="Book">Price per class: the price book.</param>
/// <param name="PerCall">Or: a fixed amount for each call.</param>
/// <param name="ShareOf">Or: a share of the amount of this other agreement …</param>
/// <param name="SharePercent">… in percent, with at most 4 decimals.</param>
/// <param name="BilledOutcomes">Outcomes that are billed; left out: <c>ok</c> and <c>cut</c>.</param>
/// <param name="Where">Usage that it covers, beyond what its parties say.</param>
/// <param name="Exchange">With a book in another currency: the exchange rates from that one to this.</param>
public sealed record AgreementSetup(
    string Id,
    string Payer,
    string Payee,
    string Currency = "",
    string From = "",
    string To = "",
    string Book = "",
    string PerCall = "",
    string ShareOf = "",
    string SharePercent = "",
    IReadOnlyList<string>? BilledOutcomes = null,
    WhereSetup? Where = null,
    string? Exchange = null);

/// <summary>Conditions on a record; each that is given must hold. Models may be patterns with <c>*</c>.</summary>
/// <param name="Party">The consumer.</param>
/// <param name="Project">The project.</param>
/// <param name="Key">The key.</param>
/// <param name="Scenario">The scenario.</param>
/// <param name="Model">The model, as answered or else as asked.</param>
/// <param name="Provider">The provider.</param>
/// <param name="Site">The site.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Tags">Labels that the record must carry.</param>
public sealed record WhereSetup(
    string Party = "",
    string Project = "",
    string Key = "",
    string Scenario = "",
    string Model = "",
    string Provider = "",
    string Site = "",
    string Operation = "",
    IReadOnlyDictionary<string, string>? Tags = null);

/// <summary>A funding account of a consumer. Accounts are drawn by priority (lower first), then earliest expiry, then
/// the order in which they were opened.</summary>
/// <param name="Party">The consumer.</param>
/// <param name="Id">Short name, unique within the party.</param>
/// <param name="Kind">How it pays.</param>
/// <param name="Currency">Money: its currency. Packs: <c>TOK</c>, and may be left out.</param>
/// <param name="Priority">0 to 1000; lower is drawn first.</param>
/// <param name="Expires">First moment (RFC 3339) at which it can't be drawn any more; what is left then is taken back.
/// Empty: never.</param>
/// <param name="Limit">Credit only: most that may be owed, as a decimal.</param>
/// <param name="Classes">Packs only: token classes that it covers, as in a price book; left out: all.</param>
/// <param name="Models">Packs and vouchers: models that it covers, patterns with <c>*</c>; left out: all.</param>
public sealed record FundingSetup(
    string Party,
    string Id,
    FundingKind Kind,
    string Currency = "",
    // Left out it would be read as 100, so 0 is written too.
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    int Priority = 100,
    string Expires = "",
    string Limit = "",
    IReadOnlyList<string>? Classes = null,
    IReadOnlyList<string>? Models = null);

/// <summary>The stored form of a setup: JSON, in the order of the declarations, without what is left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(Setup))]
public sealed partial class SetupJson : JsonSerializerContext;
