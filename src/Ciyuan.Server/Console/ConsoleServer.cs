using System.Security.Cryptography;
using System.Text;
using Ciyuan.Parties;
using Ciyuan.Server.Api;
using Ciyuan.Server.Console.Pages;
using Ciyuan.Server.Console.Settlement;
using Ciyuan.Server.Console.Users;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Ciyuan.Server.Console;

/// <summary>The console: every request below <c>/console</c>. Signing in is needed always, on loopback too: whoever may
/// use the machine may not therefore see the books.</summary>
internal sealed partial class ConsoleServer
{
    /// <summary>Where it is.</summary>
    internal const string Root = "/console";

    private const string PlainCookie = "ciyuan";
    private const string SecureCookie = "__Host-ciyuan"; // kept only with Secure, Path=/ and no Domain
    private const string FormCookie = "ciyuan-form";

    private readonly Desk _desk;
    private readonly bool _loopback;
    private readonly ILogger _log;

    internal ConsoleServer(Desk desk, bool loopback, ILogger log)
    {
        (_desk, _loopback, _log) = (desk, loopback, log);
        Routes =
        [
            .. SignInPages.Routes, .. TodayPage.Routes, .. UsagePages.Routes, .. PricePages.Routes,
            .. LedgerPages.Routes, .. SettlementPages.Routes, .. PartyPages.Routes, .. ProviderPages.Routes,
            .. SystemPages.Routes, .. AccountPages.Routes,
        ];
    }

    /// <summary>Every address that it answers: what tests go through as each role.</summary>
    internal IReadOnlyList<ConsoleRoute> Routes { get; }

    /// <summary>Whether a request is the console's to answer: it asks for a sign-in of its own.</summary>
    internal static bool Answers(HttpRequest request) => request.Path == "/" || request.Path.StartsWithSegments(Root);

    /// <summary>The middleware.</summary>
    internal async Task RunAsync(HttpContext http, RequestDelegate next)
    {
        if (!Answers(http.Request))
        {
            await next(http);
            return;
        }

        bool secure = !_loopback || http.Request.Headers["X-Forwarded-Proto"] == "https";
        SetHeaders(http.Response.Headers, secure);
        string path = http.Request.Path.Value!;
        if (path == "/" || path == Root + "/")
        {
            http.Response.Redirect(Root);
        }
        else if (path.StartsWith(ConsoleAssets.Prefix, StringComparison.Ordinal))
        {
            await ConsoleAssets.SendAsync(http);
        }
        else
        {
            await AnswerAsync(http, path, secure);
        }
    }

    /// <summary>The session that the browser's cookie stands for, as it is now; null when it is over. Looking does not
    /// prolong it.</summary>
    internal static (Session Session, UserSetup User)? FindSession(Visit visit) => visit.Desk.Users.Find(
        visit.Http.Request.Cookies[visit.IsSecure ? SecureCookie : PlainCookie], byPerson: false);

    /// <summary>The browser's session ends and another begins, if there is a secret.</summary>
    internal static void SetSession(Visit visit, string? secret)
    {
        bool secure = visit.IsSecure;
        var options = new CookieOptions
        {
            HttpOnly = true,
            Secure = secure,
            SameSite = SameSiteMode.Lax, // a link to a page opens it; what changes something is a POST
            Path = "/",
        };
        string name = secure ? SecureCookie : PlainCookie;
        visit.Desk.Users.End(visit.Http.Request.Cookies[name]);
        if (secret is null)
        {
            visit.Http.Response.Cookies.Delete(name, options);
        }
        else
        {
            visit.Http.Response.Cookies.Append(name, secret, options);
        }
    }

    private async Task AnswerAsync(HttpContext http, string path, bool secure)
    {
        Visit visit = MakeVisit(http, secure);
        visit.KeepChoices(secure);
        string method = http.Request.Method == HttpMethods.Head ? HttpMethods.Get : http.Request.Method;
        try
        {
            ConsoleRoute[] there = [.. Routes.Where(r => r.Fits(path))];
            ConsoleRoute? route = Array.Find(there, r => r.Method == method);
            if (route is not { Roles.Length: 0 } && visit.User is null)
            {
                await AskToSignInAsync(visit);
            }
            else if (route is null)
            {
                await visit.FailAsync(there.Length > 0 ? 405 : 404, "error.nothing");
            }
            else if (route.Roles.Length > 0 && !route.Roles.Contains(visit.User!.Role))
            {
                await visit.FailAsync(403, "error.role");
            }
            else if (method != HttpMethods.Get && await FindForgeryAsync(visit, route.FormBytes) is { } forgery)
            {
                await visit.FailAsync(403, forgery);
            }
            else
            {
                await route.RunAsync(visit);
            }
        }
        catch (Exception fault) when (!http.RequestAborted.IsCancellationRequested && !http.Response.HasStarted)
        {
            await ExplainAsync(visit, fault);
        }
    }

    private Visit MakeVisit(HttpContext http, bool secure)
    {
        // What a page asks for by itself must not keep a session alive that nobody looks at.
        bool byPerson = http.Request.Headers["X-Ciyuan-Live"] != "1" && http.Request.Path != LiveFeed.Path;
        string? cookie = http.Request.Cookies[secure ? SecureCookie : PlainCookie];
        (Session Session, UserSetup User)? found = _desk.Users.Find(cookie, byPerson);
        string token = found?.Session.FormToken ?? _desk.Users.FormTokenOf(FormCookieOf(http, secure));
        return new Visit(http, _desk) { Session = found?.Session, User = found?.User, FormToken = token };
    }

    private static string FormCookieOf(HttpContext http, bool secure)
    {
        if (http.Request.Cookies[FormCookie] is { Length: > 20 and < 100 } there)
        {
            return there;
        }

        string made = Accounts.NewSecret();
        http.Response.Cookies.Append(FormCookie, made, new CookieOptions
        {
            HttpOnly = true,
            Secure = secure,
            SameSite = SameSiteMode.Strict,
            Path = Root,
        });
        return made;
    }

    private static Task AskToSignInAsync(Visit visit)
    {
        if (visit.IsPart || visit.Http.Request.Method != HttpMethods.Get || visit.Path == LiveFeed.Path)
        {
            visit.Http.Response.Headers["HX-Redirect"] = SignInPages.Path;
            return visit.FailAsync(401, "error.session");
        }

        visit.Http.Response.Redirect(Visit.Link(SignInPages.Path, ("next", visit.With())));
        return Task.CompletedTask;
    }

    // The browser's own word on who asks, and a secret that only our pages have.
    private static async Task<string?> FindForgeryAsync(Visit visit, long most)
    {
        HttpRequest request = visit.Http.Request;
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        string origin = request.Headers.Origin.ToString();
        bool foreign = site is not ("" or "same-origin" or "none")
            || (origin.Length > 0 && (!Uri.TryCreate(origin, UriKind.Absolute, out Uri? from)
                || from.Authority != request.Host.Value));
        if (foreign || !request.HasFormContentType || request.ContentLength is not >= 0
            || request.ContentLength > most)
        {
            return "error.forgery";
        }

        if (most > ServerLimits.BodyBytes)
        {
            BillUpload.Allow(visit.Http);
        }

        // Files of a form go to the disk; its fields stay in memory, and within its other limits.
        IFormCollection form = await request.ReadFormAsync(
            new FormOptions { MultipartBodyLengthLimit = most }, visit.Http.RequestAborted);
        byte[] given = Encoding.UTF8.GetBytes(form["form"].ToString());
        return CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(visit.FormToken))
            ? null
            : "error.forgery";
    }

    private Task ExplainAsync(Visit visit, Exception fault)
    {
        switch (fault)
        {
            case Statistics.ReportTooLargeException:
                return visit.FailAsync(422, "error.large");
            case InvalidDataException or InvalidOperationException when _desk.Shard.Fault is null
                && fault.Message.Contains("stat", StringComparison.Ordinal):
                return visit.FailAsync(503, "error.statistics");
            case Storage.StorageFullException:
                return visit.FailAsync(507, "error.disk");
            case Storage.JournalFaultedException:
                return visit.FailAsync(503, "error.journal");
            default:
                Failed(_log, fault, visit.Http.Request.Method, visit.Path.Split('/').ElementAtOrDefault(2) ?? "");
                return visit.FailAsync(500, "error.ours");
        }
    }

    private static void SetHeaders(IHeaderDictionary headers, bool secure)
    {
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; "
            + "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            + "frame-ancestors 'none'";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin"; // with none at all, a browser would not say where a form comes from
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        if (secure)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }
    }

    [LoggerMessage(40, LogLevel.Error, "console: {Method} {Page} failed")]
    private static partial void Failed(ILogger log, Exception failure, string method, string page);
}
