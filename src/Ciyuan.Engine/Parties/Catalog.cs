using Ciyuan.Quantities;

namespace Ciyuan.Parties;

/// <summary>What agreements must know of price books.</summary>
/// <param name="Currencies">The currency of each book.</param>
/// <param name="Exchanges">From which currency to which each exchange leads.</param>
public sealed record BookTerms(
    IReadOnlyDictionary<string, Currency> Currencies,
    IReadOnlyDictionary<string, (Currency From, Currency To)> Exchanges);

/// <summary>
/// The parties, projects, keys, sites and agreements in force. Immutable: a setup makes a new catalog, or none at all
/// when it has a fault.
/// </summary>
public sealed partial class Catalog
{
    /// <summary>First part of the paths of accounts that belong to no party; no party may have this name.</summary>
    public const string LedgerOwner = "ledger";

    private static readonly string[] OutcomeNames = ["ok", "failed", "cut"];

    private Dictionary<string, PartySetup> _parties = new(StringComparer.Ordinal);
    private Dictionary<(string Party, string Id), ProjectSetup> _projects = [];
    private Dictionary<string, KeySetup> _keys = new(StringComparer.Ordinal);
    private Dictionary<string, SiteSetup> _sites = new(StringComparer.Ordinal);
    private SortedDictionary<string, Agreement> _agreements = new(StringComparer.Ordinal);
    private Dictionary<string, Timestamp> _closedUntil = new(StringComparer.Ordinal);

    /// <summary>A catalog with nothing in it.</summary>
    public static Catalog Empty { get; } = new();

    /// <summary>The party with role platform; empty before there is one.</summary>
    public string Platform { get; private set; } = "";

    /// <summary>Parties by id.</summary>
    public IReadOnlyDictionary<string, PartySetup> Parties => _parties;

    /// <summary>What the gateway goes by.</summary>
    public GatewayEntries Gateway { get; private set; } = GatewayEntries.Empty;

    /// <summary>Reconciliations that were signed.</summary>
    public Reconciliations Reconciliations { get; private set; } = Reconciliations.Empty;

    /// <summary>Who may sign in to the console.</summary>
    public UserEntries Users { get; private set; } = UserEntries.Empty;

    /// <summary>Projects.</summary>
    public IReadOnlyCollection<ProjectSetup> Projects => _projects.Values;

    /// <summary>Keys.</summary>
    public IReadOnlyCollection<KeySetup> Keys => _keys.Values;

    /// <summary>Compute sites.</summary>
    public IReadOnlyCollection<SiteSetup> Sites => _sites.Values;

    /// <summary>Agreements, by id in ordinal order.</summary>
    public IReadOnlyCollection<Agreement> Agreements => _agreements.Values;

    /// <summary>The agreement with an id, or null.</summary>
    public Agreement? FindAgreement(string id) => _agreements.GetValueOrDefault(id);

    /// <summary>The project of a party with an id, or null.</summary>
    public ProjectSetup? FindProject(string party, string id) => _projects.GetValueOrDefault((party, id));

    /// <summary>Whether any event times are closed.</summary>
    public bool HasClosings => _closedUntil.Count > 0;

    /// <summary>From this moment on nothing is closed, for any agreement.</summary>
    public Timestamp LastClosing => HasClosings ? _closedUntil.Values.Max() : Timestamp.MinValue;

    /// <summary>Whether what an agreement charged for a moment never changes any more.</summary>
    public bool IsClosed(string agreement, Timestamp moment) => HasClosings
        && ((_closedUntil.TryGetValue("", out Timestamp all) && moment < all)
            || (_closedUntil.TryGetValue(agreement, out Timestamp own) && moment < own));

    /// <summary>The key with an id, or null.</summary>
    public KeySetup? FindKey(string id) => _keys.GetValueOrDefault(id);

    /// <summary>The site with an id, or null.</summary>
    public SiteSetup? FindSite(string id) => _sites.GetValueOrDefault(id);

    /// <summary>The operator of a site; empty when the site is not known.</summary>
    public string OperatorOf(string site) => _sites.TryGetValue(site, out SiteSetup? known) ? known.Operator : "";

    /// <summary>Whether a party has a role.</summary>
    public bool HasRole(string party, Role role) =>
        _parties.TryGetValue(party, out PartySetup? p) && p.Roles.Contains(role);

    /// <summary>
    /// The catalog with a setup's entries added. <paramref name="books"/> says what the price books are, those of the
    /// same setup included.
    /// </summary>
    /// <param name="setup">What to add.</param>
    /// <param name="books">The price books.</param>
    /// <param name="faults">Receives each fault; with any, the result is not to be used.</param>
    /// <param name="changed">Set when something is new.</param>
    public Catalog With(Setup setup, BookTerms books, List<string> faults, ref bool changed)
    {
        var next = new Catalog
        {
            Platform = Platform,
            _parties = new(_parties, StringComparer.Ordinal),
            _projects = new(_projects),
            _keys = new(_keys, StringComparer.Ordinal),
            _sites = new(_sites, StringComparer.Ordinal),
            _agreements = new(_agreements, StringComparer.Ordinal),
            _closedUntil = new(_closedUntil, StringComparer.Ordinal),
            _terms = new(_terms, StringComparer.Ordinal),
            _billing = new(_billing, StringComparer.Ordinal),
        };
        foreach (PartySetup party in setup.Parties)
        {
            next.AddParty(party, faults, ref changed);
        }

        foreach (ProjectSetup project in setup.Projects)
        {
            next.RequireParty(project.Party, $"project '{project.Id}'", faults);
            Add(next._projects, (project.Party, project.Id), project, project.Id, "project", faults, ref changed);
        }

        next.AddKeysAndSites(setup, faults, ref changed);

        // Shares name another agreement, so they come after it wherever they stand in the text.
        foreach (AgreementSetup agreement in setup.Agreements.OrderBy(a => a.ShareOf.Length > 0))
        {
            next.AddAgreement(agreement, books, faults, ref changed);
        }

        next.AddSettlement(setup, faults, ref changed);
        next.Gateway = Gateway.With(setup, next, faults, ref changed);
        next.Reconciliations = Reconciliations.With(setup, next, faults, ref changed);
        next.Users = Users.With(setup, next, faults, ref changed);
        return next;
    }

    /// <summary>Whether a text can be a short name: 1 to 64 characters from a–z, 0–9, '-', '_' and '.'.</summary>
    public static bool IsName(string text) =>
        text.Length is >= 1 and <= 64
            && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_' or '.');

    /// <summary>Reads the bounds of a validity; an empty bound is open.</summary>
    public static Period ReadValidity(string from, string to, string what, List<string> faults)
    {
        Timestamp start = Timestamp.MinValue;
        Timestamp end = Timestamp.MaxValue;
        if ((from.Length > 0 && !Timestamp.TryParse(from, out start))
            || (to.Length > 0 && !Timestamp.TryParse(to, out end)))
        {
            faults.Add($"{what}: '{from}' to '{to}' is no validity; write both as 2026-11-01T00:00:00+08:00, or leave "
                + "one out");
            return Period.Always;
        }

        if (end <= start)
        {
            faults.Add($"{what}: ends ({to}) before it starts ({from})");
            return Period.Always;
        }

        return new Period(start, end);
    }

    private void AddKeysAndSites(Setup setup, List<string> faults, ref bool changed)
    {
        foreach (KeySetup key in setup.Keys)
        {
            if (!_projects.ContainsKey((key.Party, key.Project)))
            {
                faults.Add($"key '{key.Id}': there is no project '{key.Project}' of party '{key.Party}'; add it first");
            }

            Add(_keys, key.Id, key, key.Id, "key", faults, ref changed);
        }

        foreach (SiteSetup site in setup.Sites)
        {
            RequireParty(site.Operator, $"site '{site.Id}'", faults);
            Add(_sites, site.Id, site, site.Id, "site", faults, ref changed);
        }
    }

    private void AddParty(PartySetup party, List<string> faults, ref bool changed)
    {
        if (!IsName(party.Id) || party.Id == LedgerOwner)
        {
            faults.Add($"party '{party.Id}': not a short name (1 to 64 of a-z 0-9 - _ . and not '{LedgerOwner}')");
        }

        if (party.Roles.Count == 0)
        {
            faults.Add($"party '{party.Id}': has no role; give one of consumer, platform, provider, compute, data");
        }

        if (party.Roles.Contains(Role.Platform) && Platform.Length > 0 && Platform != party.Id)
        {
            faults.Add($"party '{party.Id}': '{Platform}' is the platform already, and there is one only");
        }

        bool known = _parties.TryGetValue(party.Id, out PartySetup? old);
        PartySetup merged = party with { Roles = [.. (old?.Roles ?? []).Union(party.Roles).Order()] };
        if (!known || old!.Name != merged.Name || !old.Roles.SequenceEqual(merged.Roles))
        {
            _parties[party.Id] = merged;
            changed = true;
        }

        Platform = party.Roles.Contains(Role.Platform) ? party.Id : Platform;
    }

    private void AddClosing(ClosingSetup closing, List<string> faults, ref bool changed)
    {
        string agreement = closing.Agreement ?? "";
        string what = agreement.Length == 0 ? "closing of all agreements" : $"closing of agreement '{agreement}'";
        bool open = !_closedUntil.TryGetValue(agreement, out Timestamp old);
        if (agreement.Length > 0 && FindAgreement(agreement) is null)
        {
            faults.Add($"{what}: there is no such agreement");
        }
        else if (!Timestamp.TryParse(closing.Until, out Timestamp until))
        {
            faults.Add($"{what}: until '{closing.Until}' must be a moment such as 2026-11-01T00:00:00+08:00");
        }
        else if (!open && until < old)
        {
            faults.Add($"{what}: it is closed until {old} and can't be opened again");
        }
        else if (open || until > old)
        {
            _closedUntil[agreement] = until;
            changed = true;
        }
    }

    private void AddAgreement(
        AgreementSetup setup, BookTerms books, List<string> faults, ref bool changed)
    {
        string what = $"agreement '{setup.Id}'";
        if (_agreements.TryGetValue(setup.Id, out Agreement? old))
        {
            if (SameTerms(old.Setup, setup))
            {
                return;
            }

            if (old.Setup.To.Length > 0 || !SameTerms(old.Setup with { To = setup.To }, setup))
            {
                faults.Add(
                    $"{what}: is there with other terms and can't be changed; end it (set 'to') and add a new one");
                return;
            }
        }

        int faultsBefore = faults.Count;
        if (!IsName(setup.Id) || setup.Payer == setup.Payee)
        {
            faults.Add($"{what}: needs a short name, and two different parties");
        }

        RequireParty(setup.Payer, what, faults);
        RequireParty(setup.Payee, what, faults);
        Period valid = ReadValidity(setup.From, setup.To, what, faults);
        Currency currency = ReadCurrency(setup, books, faults);
        (Amount perCall, int ppm) = ReadTerms(setup, what, faults);
        int billed = ReadOutcomes(setup, what, faults);
        if (faults.Count == faultsBefore)
        {
            _agreements[setup.Id] = new Agreement(setup, currency, valid, perCall, ppm, billed);
            changed = true;
        }
    }

    private Currency ReadCurrency(
        AgreementSetup setup, BookTerms books, List<string> faults)
    {
        Currency made = default;
        if (setup.Book.Length > 0 && !books.Currencies.TryGetValue(setup.Book, out made))
        {
            faults.Add($"agreement '{setup.Id}': there is no price book '{setup.Book}'; add it first");
        }

        if (setup.ShareOf.Length > 0)
        {
            Agreement? shared = FindAgreement(setup.ShareOf);
            made = shared?.Currency ?? default;
            if (shared is null || shared.Setup.ShareOf.Length > 0)
            {
                faults.Add($"agreement '{setup.Id}': shares '{setup.ShareOf}', which is not an agreement with an "
                    + "amount of its own");
            }
        }

        if (setup.Exchange is { } exchange)
        {
            return ReadExchanged(setup, exchange, made, books, faults);
        }

        Currency stated = default;
        bool bad = setup.Currency.Length > 0 && !Currency.TryParse(setup.Currency, out stated);
        if (bad || (stated.IsNone && made.IsNone) || (!stated.IsNone && !made.IsNone && stated != made))
        {
            faults.Add($"agreement '{setup.Id}': currency '{setup.Currency}' must be a code such as CNY, and that of "
                + "its book or base; with a book in another currency, name an 'exchange' from that one to this");
        }

        return stated.IsNone ? made : stated;
    }

    private static Currency ReadExchanged(
        AgreementSetup setup, string exchange, Currency made, BookTerms books, List<string> faults)
    {
        bool known = Currency.TryParse(setup.Currency, out Currency stated);
        if (!known || setup.Book.Length == 0
            || !books.Exchanges.TryGetValue(exchange, out (Currency From, Currency To) pair)
            || pair != (made, stated))
        {
            faults.Add($"agreement '{setup.Id}': exchange '{exchange}' must be there and lead from the currency of its "
                + $"book ({made}) to that of the agreement ('{setup.Currency}')");
        }

        return stated;
    }

    private static (Amount PerCall, int SharePpm) ReadTerms(AgreementSetup setup, string what, List<string> faults)
    {
        int ways =
            (setup.Book.Length > 0 ? 1 : 0) + (setup.PerCall.Length > 0 ? 1 : 0) + (setup.ShareOf.Length > 0 ? 1 : 0);
        if (ways != 1)
        {
            faults.Add(
                $"{what}: say in one way how its amount is made: book, per_call, or share_of with share_percent");
        }

        Amount perCall = default;
        if (setup.PerCall.Length > 0
            && (!Amount.TryParse(setup.PerCall, out perCall) || perCall.IsNegative || perCall > Amount.Most))
        {
            faults.Add($"{what}: per_call '{setup.PerCall}' must be a decimal of 0 or more");
        }

        Int128 ppm = 0;
        bool share = setup.ShareOf.Length > 0 || setup.SharePercent.Length > 0;
        if (share && (!Amount.TryParseScaled(setup.SharePercent, 4, out ppm) || ppm <= 0 || ppm > 1_000_000))
        {
            faults.Add($"{what}: share_percent '{setup.SharePercent}' must be above 0 and at most 100, with at most 4 "
                + "decimals");
            ppm = 0;
        }

        return (perCall, (int)ppm);
    }

    private static int ReadOutcomes(AgreementSetup setup, string what, List<string> faults)
    {
        int mask = 0;
        foreach (string name in setup.BilledOutcomes ?? ["ok", "cut"])
        {
            int outcome = Array.IndexOf(OutcomeNames, name);
            if (outcome < 0)
            {
                faults.Add($"{what}: billed_outcomes has '{name}'; there are {string.Join(", ", OutcomeNames)}");
                continue;
            }

            mask |= 1 << outcome;
        }

        return mask;
    }

    private static bool SameTerms(AgreementSetup a, AgreementSetup b) =>
        a with { BilledOutcomes = null, Where = null } == b with { BilledOutcomes = null, Where = null }
        && (a.BilledOutcomes ?? []).SequenceEqual(b.BilledOutcomes ?? [])
        && (a.Where ?? new()) with { Tags = null } == (b.Where ?? new()) with { Tags = null }
        && TagsOf(a).SequenceEqual(TagsOf(b));

    private static IEnumerable<KeyValuePair<string, string>> TagsOf(AgreementSetup a) =>
        (a.Where?.Tags ?? new Dictionary<string, string>()).OrderBy(t => t.Key, StringComparer.Ordinal);

    private void RequireParty(string party, string what, List<string> faults)
    {
        if (!_parties.ContainsKey(party))
        {
            faults.Add($"{what}: there is no party '{party}'; add it first");
        }
    }

    private static void Add<TKey, TValue>(
        Dictionary<TKey, TValue> entries, TKey key, TValue value, string id, string kind, List<string> faults,
        ref bool changed)
        where TKey : notnull
        where TValue : class
    {
        if (id.Length is 0 or > 64)
        {
            faults.Add($"{kind} '{id}': a short name has 1 to 64 characters");
        }

        if (entries.TryAdd(key, value))
        {
            changed = true;
        }
        else if (!entries[key].Equals(value))
        {
            faults.Add($"{kind} '{id}': is there with other content; choose another id");
        }
    }
}
