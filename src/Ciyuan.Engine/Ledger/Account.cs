using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>An account with its balances. Debits and credits only grow; what is there is their difference.</summary>
internal sealed class Account(AccountName name, Funding? funding)
{
    public AccountName Name { get; } = name;

    /// <summary>What makes it a funding account; null for all others.</summary>
    public Funding? Funding { get; } = funding;

    public Amount DebitsPosted { get; set; }

    public Amount CreditsPosted { get; set; }

    /// <summary>Sum of the open holds that would debit it.</summary>
    public Amount DebitsPending { get; set; }

    /// <summary>How far debits may exceed credits; null without a limit.</summary>
    public Amount? MayOwe => Funding?.MayOwe;

    /// <summary>What can be drawn: credits + what may be owed − debits − holds. Only for accounts with a
    /// limit.</summary>
    public Amount Available => CreditsPosted + Funding!.MayOwe - DebitsPosted - DebitsPending;

    public AccountView ToView() =>
        new(Name, DebitsPosted, CreditsPosted, DebitsPending, MayOwe, Funding?.Expires);
}

/// <summary>A funding account's terms: what <see cref="FundingSetup"/> says, read and checked.</summary>
internal sealed class Funding(
    FundingSetup setup, AccountName name, Amount mayOwe, Timestamp? expires, int order, Rating.MeterPattern[] meters)
{
    private readonly ModelPattern[] _models = [.. (setup.Models ?? []).Select(m => new ModelPattern(m))];

    public FundingSetup Setup { get; } = setup;

    public AccountName Name { get; } = name;

    public Amount MayOwe { get; } = mayOwe;

    public Timestamp? Expires { get; } = expires;

    /// <summary>Place in the order in which funding was opened.</summary>
    public int Order { get; } = order;

    public bool IsPack => Setup.Kind == FundingKind.Pack;

    public bool CoversModel(string model) => _models.Length == 0 || Array.Exists(_models, m => m.Matches(model));

    public bool CoversMeter(Meter meter) =>
        meter.IsTokens && (meters.Length == 0 || Array.Exists(meters, m => m.Matches(meter)));

    /// <summary>The stated order in which funding is drawn: priority, then earliest expiry, then order of
    /// opening.</summary>
    public static int CompareDrawOrder(Funding a, Funding b)
    {
        int byPriority = a.Setup.Priority.CompareTo(b.Setup.Priority);
        int byExpiry = (a.Expires ?? Timestamp.MaxValue).CompareTo(b.Expires ?? Timestamp.MaxValue);
        return byPriority != 0 ? byPriority : byExpiry != 0 ? byExpiry : a.Order.CompareTo(b.Order);
    }
}

/// <summary>The paths of accounts, all in one place (docs/LEDGER.md).</summary>
internal static class AccountPath
{
    /// <summary>Kinds of account under a party that transfers may open by naming them.</summary>
    private static readonly string[] Openable =
        ["cash", "adjustment", "receivable", "payable", "overrun", "revenue", "cost", "due", "held", "agreed"];

    public static string Funding(FundingSetup f) => $"{f.Party}/{f.Kind.ToString().ToLowerInvariant()}/{f.Id}";

    public static string Receivable(string party, string agreement) => $"{party}/receivable/{agreement}";

    public static string Overrun(string party) => $"{party}/overrun/all";

    public static string Payable(string party, string agreement) => $"{party}/payable/{agreement}";

    public static string Revenue(string platform, string agreement) => $"{platform}/revenue/{agreement}";

    public static string Cost(string platform, string agreement) => $"{platform}/cost/{agreement}";

    public static string Due(string party, string agreement) => $"{party}/due/{agreement}";

    public static string Held(string party, string agreement) => $"{party}/held/{agreement}";

    public static string Agreed(string party, string agreement) => $"{party}/agreed/{agreement}";

    public static string Rounding(string platform, string agreement) => $"{platform}/rounding/{agreement}";

    public static string Tax(string platform, string agreement) => $"{platform}/tax/{agreement}";

    public static string Clearing(string agreement) => $"{Catalog.LedgerOwner}/clearing/{agreement}";

    public static string Redeemed(string party, string agreement) => $"{party}/redeemed/{agreement}";

    public static string Breakage(FundingSetup f) => $"{Catalog.LedgerOwner}/breakage/{f.Party}.{f.Id}";

    public static string Suspense(Rating.Side side) =>
        $"{Catalog.LedgerOwner}/suspense/{side.ToString().ToLowerInvariant()}";

    public static string Unrated(Rating.Side side) =>
        $"{Catalog.LedgerOwner}/unrated/{side.ToString().ToLowerInvariant()}";

    /// <summary>True for accounts that only the engine posts to.</summary>
    public static bool IsKept(string path) => path.StartsWith(Catalog.LedgerOwner + "/", StringComparison.Ordinal);

    /// <summary>Whether a transfer may open the account by naming it: <c>party/kind/name</c> of a known
    /// party.</summary>
    public static bool MayOpen(string path, Catalog catalog)
    {
        string[] parts = path.Split('/');
        return parts.Length == 3 && catalog.Parties.ContainsKey(parts[0]) && Openable.Contains(parts[1])
            && Catalog.IsName(parts[2]);
    }
}
