namespace Ciyuan.Server.Console.Users;

/// <summary>A signed-in browser. In memory only: a restart signs everybody out.</summary>
/// <param name="User">Id of the user.</param>
/// <param name="Credential">Number of the credential that it signed in with.</param>
/// <param name="FormToken">What its forms send back, which no other site can know.</param>
/// <param name="Begun">Timestamp of the sign-in.</param>
internal sealed record Session(string User, int Credential, string FormToken, long Begun)
{
    /// <summary>How long a session lasts without a request.</summary>
    internal static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);

    /// <summary>How long a session lasts.</summary>
    internal static readonly TimeSpan Whole = TimeSpan.FromHours(12);

    /// <summary>Timestamp of the last request that was a person's: what a page asks for by itself doesn't
    /// count.</summary>
    internal long Seen { get; set; } = Begun;
}
