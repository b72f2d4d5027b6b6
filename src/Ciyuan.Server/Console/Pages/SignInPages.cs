using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Console.Users;

namespace Ciyuan.Server.Console.Pages;

/// <summary>The form to sign in.</summary>
/// <param name="User">What was typed.</param>
/// <param name="Next">Where to go on to.</param>
/// <param name="Fault">Name of the text that says what went wrong; empty: nothing.</param>
/// <param name="Seconds">How long to wait.</param>
internal sealed record SignInModel(string User, string Next, string Fault, int Seconds);

/// <summary>The form of an invitation: a password, and of the first operator a name.</summary>
/// <param name="Code">The code of the link.</param>
/// <param name="User">Whom it invites; empty: the first operator.</param>
/// <param name="Fault">Name of the text that says what went wrong; empty: nothing.</param>
/// <param name="Details">Sentences of the engine.</param>
internal sealed record InvitationModel(string Code, string User, string Fault, IReadOnlyList<string> Details);

/// <summary>Signing in and out, and the links by which a password is set for the first time.</summary>
internal static class SignInPages
{
    internal const string Path = "/console/sign-in";
    internal const string FirstPath = "/console/first";

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.Anybody, v => v.User is not null
            ? v.GoAsync(ConsoleServer.Root)
            : ShowAsync(v, "", v.Query("next"), "", 0)),
        new("POST", Path, ConsoleRoute.Anybody, SignInAsync),
        new("GET", OpenIdSignIn.Path, ConsoleRoute.Anybody, BeginOpenIdAsync),
        new("GET", OpenIdSignIn.DonePath, ConsoleRoute.Anybody, EndOpenIdAsync),
        new("POST", "/console/sign-out", ConsoleRoute.All, v =>
        {
            ConsoleServer.SetSession(v, null);
            return v.GoAsync(Path);
        }),
        new("GET", FirstPath, ConsoleRoute.Anybody, v => InviteAsync(v, v.Query("code"), "", [])),
        new("POST", FirstPath, ConsoleRoute.Anybody, AcceptAsync),
        new("GET", LiveFeed.Path, ConsoleRoute.All, LiveFeed.RunAsync),
    ];

    private static Task ShowAsync(Visit visit, string user, string next, string fault, int seconds, int status = 200) =>
        visit.PageAsync<SignIn>(visit.T("signin.title"), new SignInModel(user, next, fault, seconds), status);

    private static async Task SignInAsync(Visit visit)
    {
        string user = visit.Field("user").Trim();
        string next = visit.Field("next");
        string password = visit.Field("password");
        if (user.Length is 0 or > 64 || password.Length is 0 or > Passwords.MaxLength)
        {
            await ShowAsync(visit, "", next, "signin.wrong", 0, 401);
            return;
        }

        (SignInStatus status, string secret, TimeSpan wait) = await visit.Desk.Users.SignInAsync(
            user, password, visit.Field("code"), visit.Address);
        switch (status)
        {
            case SignInStatus.Done:
                ConsoleServer.SetSession(visit, secret);
                await visit.GoAsync(OwnPlace(next));
                break;
            case SignInStatus.Wrong:
                await ShowAsync(visit, user, next, "signin.wrong", 0, 401);
                break;
            default:
                visit.Http.Response.Headers.RetryAfter = ((int)wait.TotalSeconds + 1).ToString(
                    System.Globalization.CultureInfo.InvariantCulture);
                await ShowAsync(visit, user, next, "signin.wait", (int)wait.TotalSeconds + 1, 429);
                break;
        }
    }

    private static Task BeginOpenIdAsync(Visit visit)
    {
        if (visit.Desk.OpenId is null)
        {
            return visit.FailAsync(404, "error.nothing");
        }

        // The address that the issuer sends the browser back to has the scheme that the browser uses.
        visit.Http.Request.Scheme = visit.IsSecure ? Uri.UriSchemeHttps : visit.Http.Request.Scheme;
        return OpenIdSignIn.BeginAsync(visit.Http, OwnPlace(visit.Query("next")));
    }

    private static async Task EndOpenIdAsync(Visit visit)
    {
        if (visit.Desk.OpenId is null)
        {
            await visit.FailAsync(404, "error.nothing");
            return;
        }

        visit.Http.Request.Scheme = visit.IsSecure ? Uri.UriSchemeHttps : visit.Http.Request.Scheme;
        (string? id, string next, string fault) = await OpenIdSignIn.EndAsync(visit.Http);
        UserSetup? user = id is null ? null : visit.Desk.Catalog.Users.Find(id);
        if (user is not { Disabled: false })
        {
            string text = id is null ? "signin.openid.failed" : "signin.openid.unknown";
            await visit.FailAsync(403, text, id ?? fault);
            return;
        }

        ConsoleServer.SetSession(visit, visit.Desk.Users.Begin(user));
        await visit.GoAsync(OwnPlace(next));
    }

    // Only a place of our own: an address elsewhere in a link must lead nobody away.
    private static string OwnPlace(string next) =>
        next.StartsWith(ConsoleServer.Root, StringComparison.Ordinal) && !next.Contains("//") && !next.Contains('\\')
            && !next.StartsWith(Path, StringComparison.Ordinal) ? next : ConsoleServer.Root;

    private static Task InviteAsync(
        Visit visit, string code, string fault, IReadOnlyList<string> details, int status = 200) =>
        visit.Desk.Users.FindInvited(code) is { } user
            ? visit.PageAsync<Invitation>(
                visit.T("first.title"), new InvitationModel(code, user, fault, details), status)
            : visit.FailAsync(404, "first.void");

    private static async Task AcceptAsync(Visit visit)
    {
        string code = visit.Field("code");
        if (visit.Desk.Users.FindInvited(code) is not { } invited)
        {
            await visit.FailAsync(404, "first.void");
            return;
        }

        string id = invited.Length > 0 ? invited : visit.Field("user").Trim();
        string password = visit.Field("password");
        string? fault = !Catalog.IsName(id) ? "first.name"
            : password != visit.Field("again") ? "password.again"
            : Passwords.FindFault(password, id);
        UserSetup? known = visit.Desk.Catalog.Users.Find(id);
        if (fault is not null || (invited.Length > 0 && known is not { Disabled: false }))
        {
            await InviteAsync(visit, code, fault ?? "first.void", [], 422);
            return;
        }

        UserSetup user = invited.Length > 0
            ? known!
            : new UserSetup(id, UserRole.Operator, visit.Field("name").Trim(), Credential: known?.Credential ?? 0);
        if (!visit.Desk.Users.TakeInvitation(code))
        {
            await visit.FailAsync(404, "first.void");
            return;
        }

        SetupResult result = await visit.Desk.Users.SetCredentialAsync(user, password, null, id);
        if (result.Status == SetupStatus.Refused)
        {
            await visit.FailAsync(422, "error.refused", [.. result.Faults]);
            return;
        }

        ConsoleServer.SetSession(visit, visit.Desk.Users.Begin(user));
        await visit.GoAsync(ConsoleServer.Root);
    }
}
