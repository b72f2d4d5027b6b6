using System.Security.Cryptography;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Console.Users;

namespace Ciyuan.Server.Console.Pages;

/// <summary>One's own account.</summary>
/// <param name="HasTotp">A second factor is set.</param>
/// <param name="Secret">The secret of a second factor that is being set, in base 32; empty: none.</param>
/// <param name="Key">The same in base 64, which the form sends back.</param>
/// <param name="Note">Name of the text that says what was done, or what is wrong; empty: nothing.</param>
/// <param name="IsFault">It is wrong.</param>
internal sealed record AccountPageModel(bool HasTotp, string Secret, string Key, string Note, bool IsFault);

/// <summary>One's own password and second factor.</summary>
internal static class AccountPages
{
    internal const string Path = "/console/account";

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.All, v => ShowAsync(v, "", false)),
        new("POST", Path + "/password", ConsoleRoute.All, SetPasswordAsync),
        new("POST", Path + "/totp", ConsoleRoute.All, SetTotpAsync),
        new("GET", "/console/find", ConsoleRoute.All, FindAsync),
    ];

    private static Task ShowAsync(Visit visit, string note, bool isFault)
    {
        byte[] secret = RandomNumberGenerator.GetBytes(Totp.SecretBytes);
        bool has = visit.Desk.Users.StateOf(visit.User!).Totp;
        return visit.PageAsync<OwnSheet>(visit.T("own.title"), new AccountPageModel(
            has, has ? "" : Totp.ToBase32(secret), has ? "" : Convert.ToBase64String(secret), note, isFault),
            isFault ? 422 : 200);
    }

    private static async Task SetPasswordAsync(Visit visit)
    {
        UserSetup user = visit.User!;
        string password = visit.Field("password");
        string? fault = password != visit.Field("again") ? "password.again"
            : Passwords.FindFault(password, user.Id)
            ?? (await visit.Desk.Users.IsPasswordAsync(user, visit.Field("old"), visit.Address) ? null : "own.old");
        if (fault is not null)
        {
            await ShowAsync(visit, fault, true);
            return;
        }

        await ChangeAsync(visit, password, visit.Desk.Users.TotpOf(user), "own.password.done");
    }

    private static async Task SetTotpAsync(Visit visit)
    {
        UserSetup user = visit.User!;
        if (!await visit.Desk.Users.IsPasswordAsync(user, visit.Field("old"), visit.Address))
        {
            await ShowAsync(visit, "own.old", true);
            return;
        }

        if (visit.Field("remove") == "1")
        {
            await ChangeAsync(visit, null, null, "own.totp.removed");
            return;
        }

        byte[] secret = new byte[Totp.SecretBytes];
        bool read = Convert.TryFromBase64String(visit.Field("key"), secret, out int length)
            && length == Totp.SecretBytes;
        long now = visit.Desk.Time.GetUtcNow().ToUnixTimeSeconds();
        if (!read || Totp.FindStep(secret, visit.Field("code").Trim(), now, 0) is null)
        {
            await ShowAsync(visit, "own.totp.wrong", true);
            return;
        }

        await ChangeAsync(visit, null, Convert.ToBase64String(secret), "own.totp.done");
    }

    // Every session of before ends; this browser gets a new one.
    private static async Task ChangeAsync(Visit visit, string? password, string? totp, string note)
    {
        SetupResult result = await visit.Desk.Users.SetCredentialAsync(visit.User!, password, totp, visit.User!.Id);
        if (result.Status == SetupStatus.Refused)
        {
            await visit.FailAsync(422, "error.refused", [.. result.Faults]);
            return;
        }

        ConsoleServer.SetSession(visit, visit.Desk.Users.Begin(visit.User!));
        await visit.GoAsync(Visit.Link(Path, ("note", note)));
    }

    // A record by place or id, else a party, agreement, book, key, account.
    private static async Task FindAsync(Visit visit)
    {
        string q = visit.Query("q").Trim();
        if (UsagePages.TryParse(q, out FramePosition place))
        {
            await visit.GoAsync(UsagePages.LinkTo(place));
            return;
        }

        Catalog catalog = visit.Desk.Catalog;
        string? link = catalog.Parties.ContainsKey(q) && visit.Scope.SeesParty(q) ? $"{PartyPages.Path}/{q}"
            : catalog.FindAgreement(q) is not null && visit.Scope.Sees(q)
                ? Visit.Link(LedgerPages.Path + "/statement", ("agreement", q))
            : visit.Scope.IsAll && visit.Desk.Books.Versions(q).Count > 0
                ? Visit.Link(PricePages.Path + "/book", ("id", q))
            : catalog.FindKey(q) is { } key && visit.Scope.SeesParty(key.Party) && (visit.Scope.IsAll
                || visit.Scope.IsConsumer) ? Visit.Link(UsagePages.Path, ("f", "key:" + q))
            : q.Contains('/') ? Visit.Link(LedgerPages.Path, ("match", q.TrimEnd('*') + "*"))
            : FindNamed(visit, q) is { } party ? $"{PartyPages.Path}/{party}"
            : await FindRecordAsync(visit, q);
        await (link is null ? visit.FailAsync(404, "find.none") : visit.GoAsync(link));
    }

    // The one party that has this in its name; null when none or several have.
    private static string? FindNamed(Visit visit, string part)
    {
        string[] ids = [.. visit.Desk.Catalog.Parties.Values
            .Where(p => visit.Scope.SeesParty(p.Id) && p.Name.Contains(part, StringComparison.OrdinalIgnoreCase))
            .Select(p => p.Id).Take(2)];
        return part.Length > 1 && ids.Length == 1 ? ids[0] : null;
    }

    private static async Task<string?> FindRecordAsync(Visit visit, string id)
    {
        if (id.Length is 0 or > Ciyuan.Usage.UsageRecord.MaxNameLength)
        {
            return null;
        }

        Statistics.Report sources = await visit.Desk.ReportAsync(
            new Statistics.ReportQuery { GroupBy = [Statistics.Dimension.Source] }, visit.Http.RequestAborted);
        foreach (string source in sources.Rows.Select(r => r.Key[0]).Take(64))
        {
            if (await visit.Desk.Shard.FindAsync(Ciyuan.Usage.IdKind.Usage, source, id, visit.Http.RequestAborted)
                is { } position)
            {
                return UsagePages.LinkTo(position); // which is not found there when it is not one's own
            }
        }

        return null;
    }
}
