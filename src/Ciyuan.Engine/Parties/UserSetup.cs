using System.Text.Json.Serialization;

namespace Ciyuan.Parties;

/// <summary>What a person may do in the console. Numbers are stored: never change or reuse one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UserRole>))]
public enum UserRole : byte
{
    /// <summary>Sees and changes everything (运营).</summary>
    Operator = 0,

    /// <summary>Sees everything, posts money (财务).</summary>
    Finance = 1,

    /// <summary>Sees everything, changes nothing (审计).</summary>
    Auditor = 2,

    /// <summary>Sees what moves between its party and others under its agreements, nothing else (对手方).</summary>
    Counterparty = 3,
}

/// <summary>A person who may sign in to the console. The same id again replaces what was said before, and the journal
/// keeps both. Passwords are no part of it: what a journal has it never forgets, and a password that was changed must
/// be gone.</summary>
/// <param name="Id">Short name to sign in with.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="Name">Name for people; empty: the id.</param>
/// <param name="Party">The party that a counterparty's user belongs to; empty for other roles.</param>
/// <param name="Disabled">True: may not sign in.</param>
/// <param name="Credential">Goes up by one whenever a password or a second factor is set, so that who did it and when
/// is in the journal; a password is good only for the number that it was set with.</param>
public sealed record UserSetup(
    string Id,
    // Left out it would be read as operator, so the operator is written too.
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    UserRole Role,
    string Name = "",
    string Party = "",
    bool Disabled = false,
    int Credential = 0);

/// <summary>The users that the catalog knows. Immutable.</summary>
public sealed class UserEntries
{
    /// <summary>Most users; each page that lists them shows all.</summary>
    public const int MaxUsers = 10_000;

    private Dictionary<string, UserSetup> _users = new(StringComparer.Ordinal);

    /// <summary>Nobody.</summary>
    public static UserEntries Empty { get; } = new();

    /// <summary>Users, in the order in which they were first named.</summary>
    public IReadOnlyCollection<UserSetup> All => _users.Values;

    /// <summary>The user with an id, or null.</summary>
    public UserSetup? Find(string id) => _users.GetValueOrDefault(id);

    /// <summary>The entries with those of a setup added or replaced; this instance when the setup has none.</summary>
    internal UserEntries With(Setup setup, Catalog catalog, List<string> faults, ref bool changed)
    {
        if (setup.Users is null)
        {
            return this;
        }

        var next = new UserEntries { _users = new(_users, StringComparer.Ordinal) };
        foreach (UserSetup user in setup.Users)
        {
            next.Check(user, catalog, faults);
            if (!next._users.TryGetValue(user.Id, out UserSetup? old) || old != user)
            {
                next._users[user.Id] = user;
                changed = true;
            }
        }

        return next;
    }

    private void Check(UserSetup user, Catalog catalog, List<string> faults)
    {
        string what = $"user '{user.Id}'";
        if (!Catalog.IsName(user.Id) || !Enum.IsDefined(user.Role) || user.Name.Length > 256)
        {
            faults.Add($"{what}: needs a short name (1 to 64 of a-z 0-9 - _ .) and a role, and a name of at most 256 "
                + "characters");
        }

        bool isParty = catalog.Parties.ContainsKey(user.Party);
        if (user.Role == UserRole.Counterparty ? !isParty || user.Party == catalog.Platform : user.Party.Length > 0)
        {
            faults.Add($"{what}: a counterparty needs a party that is there and is not the platform; other roles have "
                + "none");
        }

        if (user.Credential < (Find(user.Id)?.Credential ?? 0))
        {
            faults.Add($"{what}: its credential number can't go back");
        }

        if (_users.Count >= MaxUsers && Find(user.Id) is null)
        {
            faults.Add($"{what}: there are {MaxUsers} users already");
        }
    }
}
