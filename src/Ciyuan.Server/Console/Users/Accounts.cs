using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Storage;

namespace Ciyuan.Server.Console.Users;

/// <summary>What came of signing in.</summary>
internal enum SignInStatus
{
    /// <summary>In.</summary>
    Done,

    /// <summary>User, password or code is wrong; which is not said.</summary>
    Wrong,

    /// <summary>After failures, one has to wait.</summary>
    Wait,

    /// <summary>As many as may sign in at one time do.</summary>
    Busy,
}

/// <summary>Who is who: passwords, second factors, sessions, invitations. Users themselves, and that a credential was
/// set, are in the journal.</summary>
internal sealed class Accounts : IDisposable
{
    /// <summary>How long a link of invitation is good.</summary>
    internal static readonly TimeSpan InvitationFor = TimeSpan.FromHours(72);

    private const int MostSessions = 10_000;
    private const int MostWaiting = 16; // of 0.2 s each: the last waits some 3 s
    private const string Everyone = "";

    private readonly Shard _shard;
    private readonly TimeProvider _time;
    private readonly CredentialFile _file;
    private readonly Attempts _attempts;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string User, long Made)> _invitations = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _hashing = new(1, 1); // one core at most goes into passwords
    private readonly byte[] _formKey = RandomNumberGenerator.GetBytes(32);
    private int _waiting;

    internal Accounts(Shard shard, ShardOptions options)
    {
        (_shard, _time) = (shard, options.Time);
        _file = new CredentialFile(options.Folder);
        _attempts = new Attempts(_time);
    }

    /// <summary>Whether somebody can sign in who may change everything.</summary>
    internal bool HasOperator => _shard.Policy.Catalog.Users.All.Any(
        user => user is { Role: UserRole.Operator, Disabled: false } && CredentialOf(user) is not null);

    /// <summary>A secret of 256 random bits, as it can stand in an address.</summary>
    internal static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether a user has set a password, and whether a second factor too.</summary>
    internal (bool Password, bool Totp) StateOf(UserSetup user) =>
        (CredentialOf(user) is not null, CredentialOf(user)?.Totp is not null);

    /// <summary>Code of a link by which a user sets a password, once; the empty user: the first operator.</summary>
    internal string Invite(string user)
    {
        string code = NewSecret();
        lock (_lock)
        {
            foreach (string old in _invitations.Where(pair => pair.Value.User == user).Select(p => p.Key).ToArray())
            {
                _invitations.Remove(old); // the newest link is the only one
            }

            _invitations[Digest(code)] = (user, _time.GetTimestamp());
        }

        return code;
    }

    /// <summary>Code of the link for the first operator.</summary>
    internal string InviteFirst() => Invite(Everyone);

    /// <summary>Whom a code invites: empty for the first operator; null when it is not good.</summary>
    internal string? FindInvited(string code)
    {
        lock (_lock)
        {
            return _invitations.TryGetValue(Digest(code), out (string User, long Made) invitation)
                && _time.GetElapsedTime(invitation.Made) < InvitationFor
                && (invitation.User.Length > 0 || !HasOperator)
                    ? invitation.User
                    : null;
        }
    }

    /// <summary>Uses a code up.</summary>
    internal bool TakeInvitation(string code)
    {
        lock (_lock)
        {
            return FindInvited(code) is not null && _invitations.Remove(Digest(code));
        }
    }

    /// <summary>Sets a password, and a second factor or none. The journal says that it was done, by whom and when; the
    /// sessions of before end.</summary>
    internal async Task<SetupResult> SetCredentialAsync(UserSetup user, string? password, string? totp, string by)
    {
        UserSetup next = user with { Credential = user.Credential + 1 };
        Credential? old = CredentialOf(user);
        string hash = password is null ? old!.Password : await HashAsync(password);
        SetupResult result = await _shard.SetUpAsync(new Setup { By = by, Users = [next] });
        if (result.Status != SetupStatus.Refused)
        {
            lock (_lock)
            {
                _file.Set(user.Id, new Credential(next.Credential, hash, totp));
            }
        }

        return result;
    }

    /// <summary>The second factor of a user, in base 64; null: none.</summary>
    internal string? TotpOf(UserSetup user) => CredentialOf(user)?.Totp;

    /// <summary>Whether a password is a user's.</summary>
    internal async Task<bool> IsPasswordAsync(UserSetup user, string password, string address)
    {
        (SignInStatus status, _, _) = await CheckAsync(user.Id, password, null, address);
        return status == SignInStatus.Done;
    }

    /// <summary>Signs in; the secret of a new session when it is done, never one that was there before.</summary>
    internal async Task<(SignInStatus Status, string Secret, TimeSpan Wait)> SignInAsync(
        string user, string password, string code, string address)
    {
        (SignInStatus status, UserSetup? known, TimeSpan wait) = await CheckAsync(user, password, code, address);
        return status == SignInStatus.Done ? (status, Begin(known!), wait) : (status, "", wait);
    }

    /// <summary>Begins a session.</summary>
    internal string Begin(UserSetup user)
    {
        string secret = NewSecret();
        UserSetup now = _shard.Policy.Catalog.Users.Find(user.Id) ?? user;
        lock (_lock)
        {
            if (_sessions.Count >= MostSessions)
            {
                _sessions.Remove(_sessions.MinBy(pair => pair.Value.Seen).Key);
            }

            _sessions[Digest(secret)] = new Session(now.Id, now.Credential, NewSecret(), _time.GetTimestamp());
        }

        return secret;
    }

    /// <summary>The session of a secret, if it is good: its user is there, may sign in, and has the same credential
    /// still.</summary>
    /// <param name="secret">What the cookie says.</param>
    /// <param name="byPerson">Whether a person asks, and not a page by itself.</param>
    internal (Session Session, UserSetup User)? Find(string? secret, bool byPerson)
    {
        if (secret is not { Length: > 0 and < 100 })
        {
            return null;
        }

        lock (_lock)
        {
            string key = Digest(secret);
            if (!_sessions.TryGetValue(key, out Session? session))
            {
                return null;
            }

            UserSetup? user = _shard.Policy.Catalog.Users.Find(session.User);
            if (user is not { Disabled: false } || user.Credential != session.Credential
                || _time.GetElapsedTime(session.Seen) > Session.Idle
                || _time.GetElapsedTime(session.Begun) > Session.Whole)
            {
                _sessions.Remove(key);
                return null;
            }

            session.Seen = byPerson ? _time.GetTimestamp() : session.Seen;
            return (session, user);
        }
    }

    /// <summary>Ends a session.</summary>
    internal void End(string? secret)
    {
        lock (_lock)
        {
            _sessions.Remove(Digest(secret ?? ""));
        }
    }

    /// <summary>What a form sends back before there is a session: it follows from a cookie that only the same browser
    /// has.</summary>
    internal string FormTokenOf(string cookie) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(_formKey, Encoding.UTF8.GetBytes(cookie)));

    /// <inheritdoc/>
    public void Dispose() => _hashing.Dispose();

    private async Task<(SignInStatus Status, UserSetup? User, TimeSpan Wait)> CheckAsync(
        string user, string password, string? code, string address)
    {
        TimeSpan wait = _attempts.WaitOf(user, address);
        if (wait > TimeSpan.Zero)
        {
            return (SignInStatus.Wait, null, wait);
        }

        if (Interlocked.Increment(ref _waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return (SignInStatus.Busy, null, TimeSpan.FromSeconds(5));
        }

        // Counted before it is known: many tries at one time are many tries.
        _attempts.Fail(user, address);
        UserSetup? known = _shard.Policy.Catalog.Users.Find(user) is { Disabled: false } found ? found : null;
        Credential? credential = known is null ? null : CredentialOf(known);
        bool right;
        await _hashing.WaitAsync();
        try
        {
            right = await Task.Run(() => Passwords.Matches(password, credential?.Password));
        }
        finally
        {
            _hashing.Release();
            Interlocked.Decrement(ref _waiting);
        }

        if (!right || (code is not null && !TakeCode(known!, credential!, code)))
        {
            return (SignInStatus.Wrong, null, TimeSpan.Zero);
        }

        _attempts.Succeed(user, address);
        return (SignInStatus.Done, known, TimeSpan.Zero);
    }

    private bool TakeCode(UserSetup user, Credential credential, string code)
    {
        if (credential.Totp is not { } secret)
        {
            return true;
        }

        lock (_lock)
        {
            Credential now = CredentialOf(user) ?? credential;
            long? step = Totp.FindStep(
                Convert.FromBase64String(secret), code.Trim(), _time.GetUtcNow().ToUnixTimeSeconds(), now.LastStep);
            if (step is not { } used)
            {
                return false;
            }

            _file.Set(user.Id, now with { LastStep = used });
            return true;
        }
    }

    private async Task<string> HashAsync(string password)
    {
        await _hashing.WaitAsync();
        try
        {
            return await Task.Run(() => Passwords.Hash(password));
        }
        finally
        {
            _hashing.Release();
        }
    }

    private Credential? CredentialOf(UserSetup user)
    {
        lock (_lock)
        {
            return _file.Find(user.Id) is { } credential && credential.Number == user.Credential ? credential : null;
        }
    }

    private static string Digest(string secret) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
