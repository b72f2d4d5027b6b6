using Ciyuan.Parties;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console;

/// <summary>
/// What a user may see. Whoever works for the platform sees all; a counterparty sees what its own agreements charge,
/// and of the calls behind it only what is its own business: a consumer its projects and keys, a provider, compute
/// operator or data supplier none of its customers' names.
/// </summary>
/// <remarks>Every query of the console takes its filters from here, so a page can't forget them.</remarks>
internal sealed class Scope
{
    private static readonly Dimension[] OfConsumer =
    [
        Dimension.Project, Dimension.Key, Dimension.Scenario, Dimension.Model, Dimension.ModelAsked,
        Dimension.Operation, Dimension.Outcome, Dimension.Class, Dimension.Direction, Dimension.Modality,
        Dimension.Kind, Dimension.Grade, Dimension.Agreement,
    ];

    private static readonly Dimension[] OfSupplier =
    [
        Dimension.Model, Dimension.Operation, Dimension.Outcome, Dimension.Class, Dimension.Direction,
        Dimension.Modality, Dimension.Kind, Dimension.Grade, Dimension.Agreement,
    ];

    private readonly HashSet<string> _agreements;

    private Scope(string party, IReadOnlyList<Dimension> dimensions, IReadOnlyList<Filter> filters, string[] agreements)
    {
        (Party, Dimensions, Filters) = (party, dimensions, filters);
        _agreements = new(agreements, StringComparer.Ordinal);
    }

    /// <summary>The party that it is bound to; empty: none, everything is seen.</summary>
    internal string Party { get; }

    /// <summary>Whether everything is seen.</summary>
    internal bool IsAll => Party.Length == 0;

    /// <summary>Whether the party is seen as the consumer that made the calls.</summary>
    internal bool IsConsumer { get; private init; }

    /// <summary>What may be grouped and filtered by.</summary>
    internal IReadOnlyList<Dimension> Dimensions { get; }

    /// <summary>Conditions that each query must have.</summary>
    internal IReadOnlyList<Filter> Filters { get; }

    /// <summary>What a user may see now.</summary>
    internal static Scope Of(UserSetup user, Catalog catalog)
    {
        if (user.Role != UserRole.Counterparty)
        {
            return new Scope("", Enum.GetValues<Dimension>(), [], []);
        }

        string[] own = [.. catalog.Agreements.Where(a => a.Setup.Payer == user.Party || a.Setup.Payee == user.Party)
            .Select(a => a.Id)];
        bool consumer = catalog.Parties.TryGetValue(user.Party, out PartySetup? party)
            && party.Roles.All(role => role == Role.Consumer);
        // A name that no agreement can have: without an agreement there is nothing to see.
        string[] names = own.Length > 0 ? own : ["(none)"];
        var filters = new List<Filter> { new(Dimension.Agreement, names) };
        if (consumer)
        {
            filters.Add(new Filter(Dimension.Party, [user.Party]));
        }

        return new Scope(user.Party, consumer ? OfConsumer : OfSupplier, filters, own) { IsConsumer = consumer };
    }

    /// <summary>Whether an agreement is seen.</summary>
    internal bool Sees(string agreement) => IsAll || _agreements.Contains(agreement);

    /// <summary>Whether a party's own page is seen.</summary>
    internal bool SeesParty(string party) => IsAll || Party == party;

    /// <summary>Whether an account is seen: a counterparty sees those of its own path.</summary>
    internal bool SeesAccount(string path) =>
        IsAll || path.StartsWith(Party + "/", StringComparison.Ordinal);
}
