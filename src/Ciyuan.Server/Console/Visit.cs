using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Users;
using Microsoft.AspNetCore.Http;
using NodaTime;

namespace Ciyuan.Server.Console;

/// <summary>One request, as pages know it: who asks, in which language and zone, and how to answer.</summary>
internal sealed class Visit(HttpContext http, Desk desk)
{
    /// <summary>Zone of people who have chosen none.</summary>
    internal const string DefaultZone = "Asia/Shanghai";

    private const string LanguageCookie = "ciyuan-lang";
    private const string ThemeCookie = "ciyuan-theme";

    /// <summary>The request.</summary>
    internal HttpContext Http { get; } = http;

    /// <summary>What there is to see.</summary>
    internal Desk Desk { get; } = desk;

    /// <summary>Who is signed in; null: nobody.</summary>
    internal Session? Session { get; init; }

    /// <summary>The user, as the journal has it now.</summary>
    internal UserSetup? User { get; init; }

    /// <summary>What forms must send back; of the session, or of the form before there is one.</summary>
    internal string FormToken { get; init; } = "";

    /// <summary>Language of the page.</summary>
    internal Language Language { get; } = ReadLanguage(http.Request);

    /// <summary><c>light</c>, <c>dark</c> or <c>auto</c>.</summary>
    internal string Theme { get; } = http.Request.Cookies[ThemeCookie] is ("light" or "dark") and var theme
        ? theme
        : "auto";

    /// <summary>Zone of days and hours.</summary>
    internal DateTimeZone Zone { get; } =
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(First(http.Request, "zone") ?? "")
        ?? DateTimeZoneProviders.Tzdb[DefaultZone];

    /// <summary>What the user may see.</summary>
    internal Scope Scope => _scope ??= Scope.Of(User!, Desk.Catalog);

    private Scope? _scope;

    /// <summary>Now, by the server's clock.</summary>
    internal Timestamp Now { get; } = Timestamp.FromDateTimeOffset(desk.Time.GetUtcNow());

    /// <summary>Path below the host.</summary>
    internal string Path => Http.Request.Path.Value ?? "/";

    /// <summary>Whether the browser has TLS: then cookies are for TLS alone.</summary>
    internal bool IsSecure => Http.Response.Headers.ContainsKey("Strict-Transport-Security");

    /// <summary>Whether only a part of the page is asked for.</summary>
    internal bool IsPart => Http.Request.Headers["HX-Request"] == "true" || Query("part").Length > 0;

    internal bool Is(params ReadOnlySpan<UserRole> roles) => User is { } user && roles.Contains(user.Role);

    /// <summary>A text in the language of the page.</summary>
    internal string T(string name) => Texts.Get(Language, name);

    /// <summary>A text with values in it.</summary>
    internal string T(string name, params object[] values) => Texts.Get(Language, name, values);

    /// <summary>A value of the query string; empty when there is none.</summary>
    internal string Query(string name) => First(Http.Request, name) ?? "";

    /// <summary>All values of a name of the query string.</summary>
    internal string[] QueryAll(string name) =>
        [.. Http.Request.Query[name].Where(value => value is { Length: > 0 }).Select(value => value!).Take(32)];

    /// <summary>The part of the path behind a prefix.</summary>
    internal string Rest(string prefix) => Path.Length > prefix.Length ? Path[prefix.Length..] : "";

    /// <summary>A field of the form that was sent, which has been read; empty when there is none.</summary>
    internal string Field(string name) => Http.Request.Form[name].ToString();

    /// <summary>Where the request comes from, to count failures by. A proxy's own address stands for all behind it,
    /// since a header that anybody can send would let a guesser take a new address for each guess.</summary>
    internal string Address => Http.Connection.RemoteIpAddress?.ToString() ?? "";

    /// <summary>This page's address with some values changed; null takes one out.</summary>
    internal string With(params ReadOnlySpan<(string Name, string? Value)> changes)
    {
        var kept = new List<KeyValuePair<string, string>>();
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in Http.Request.Query)
        {
            bool changed = name is "part" or "lang" or "theme";
            foreach ((string changedName, _) in changes)
            {
                changed |= changedName == name;
            }

            kept.AddRange(changed ? [] : values.Select(value => new KeyValuePair<string, string>(name, value ?? "")));
        }

        foreach ((string name, string? value) in changes)
        {
            if (value is not null)
            {
                kept.Add(new(name, value));
            }
        }

        return Path + QueryOf(kept);
    }

    /// <summary>An address of the console.</summary>
    internal static string Link(string path, params ReadOnlySpan<(string Name, string Value)> values)
    {
        var all = new List<KeyValuePair<string, string>>();
        foreach ((string name, string value) in values)
        {
            all.Add(new(name, value));
        }

        return path + QueryOf(all);
    }

    /// <summary>A moment as a clock on the wall of the zone shows it.</summary>
    internal string Local(Timestamp time, string pattern = "uuuu-MM-dd HH:mm:ss") =>
        time == Timestamp.MinValue || time == Timestamp.MaxValue
            ? "–"
            : time.ToInstant().InZone(Zone).ToString(pattern, CultureInfo.InvariantCulture);

    /// <summary>Start of a day of the zone, some days from today.</summary>
    internal Timestamp Day(int offset) => Timestamp.FromInstant(
        Zone.AtStartOfDay(Now.ToInstant().InZone(Zone).Date.PlusDays(offset)).ToInstant());

    /// <summary>Keeps a choice of language or theme that the query states.</summary>
    internal void KeepChoices(bool secure)
    {
        var options = new CookieOptions
        {
            HttpOnly = true,
            Secure = secure,
            SameSite = SameSiteMode.Lax,
            Path = "/console",
            MaxAge = TimeSpan.FromDays(365),
        };
        if (Query("lang") is ("zh" or "en") and var language)
        {
            Http.Response.Cookies.Append(LanguageCookie, language, options);
        }

        if (Query("theme") is ("light" or "dark" or "auto") and var theme)
        {
            Http.Response.Cookies.Append(ThemeCookie, theme, options);
        }
    }

    private static Language ReadLanguage(HttpRequest request) =>
        (First(request, "lang") ?? request.Cookies[LanguageCookie]) == "en" ? Language.English : Language.Chinese;

    private static string? First(HttpRequest request, string name) =>
        request.Query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;

    private static string QueryOf(List<KeyValuePair<string, string>> values) => values.Count == 0
        ? ""
        : "?" + string.Join('&', values.Select(v => $"{Uri.EscapeDataString(v.Key)}={Uri.EscapeDataString(v.Value)}"));
}
