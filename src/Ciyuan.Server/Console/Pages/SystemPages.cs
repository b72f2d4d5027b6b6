using System.Globalization;
using System.Text.Json;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Users;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Server.Console.Pages;

/// <summary>Users, and the state of the system.</summary>
/// <param name="Users">Users with whether they have a password and a second factor.</param>
/// <param name="Link">A link of invitation that was just made; empty: none.</param>
/// <param name="LinkUser">For whom.</param>
internal sealed record SystemModel(
    IReadOnlyList<(UserSetup User, bool Password, bool Totp)> Users, string Link, string LinkUser);

/// <summary>A change in the audit trail.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Time">When it was recorded.</param>
/// <param name="By">Who made it.</param>
/// <param name="Kind">Name of the text that says what kind.</param>
/// <param name="Text">What was changed, as the journal has it.</param>
/// <param name="Parts">What it touches, in few words.</param>
/// <param name="IsRefused">It was refused, which is remembered too.</param>
internal sealed record AuditEntry(
    FramePosition Position, Timestamp Time, string By, string Kind, string Text, string Parts, bool IsRefused);

/// <summary>The audit trail.</summary>
/// <param name="Entries">Newest first.</param>
/// <param name="Next">Where the next page begins; 0: nowhere.</param>
/// <param name="Indexed">Frames that were looked through.</param>
/// <param name="Of">Frames that there are.</param>
internal sealed record AuditModel(IReadOnlyList<AuditEntry> Entries, long Next, long Indexed, long Of);

/// <summary>The state of the data folder.</summary>
/// <param name="Frames">Frames of the journal.</param>
/// <param name="Hash">Hash of the last one.</param>
/// <param name="LastTime">When it was recorded.</param>
/// <param name="Bytes">Bytes of the journal's file.</param>
/// <param name="Free">Bytes that are free on the disk.</param>
/// <param name="Version">Version of the program.</param>
/// <param name="Backups">Backups in the data folder, the newest first.</param>
internal sealed record StateModel(
    long Frames, string Hash, Timestamp? LastTime, long Bytes, long Free, string Version,
    IReadOnlyList<(string Name, long Bytes)> Backups);

/// <summary>系统 System: users, audit trail, setup files, state and backup.</summary>
internal static class SystemPages
{
    internal const string Path = "/console/system";

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.Staff, v => ShowAsync(v, "", "")),
        new("POST", Path + "/users", ConsoleRoute.Operators, SetUserAsync),
        new("POST", Path + "/invite", ConsoleRoute.Operators, InviteAsync),
        new("GET", Path + "/audit", ConsoleRoute.Staff, AuditAsync),
        new("GET", Path + "/audit.csv", ConsoleRoute.Staff, AuditCsvAsync),
        new("GET", Path + "/setup", ConsoleRoute.Operators, v => v.PageAsync<SetupSheet>(v.T("setup.title"), "")),
        new("POST", Path + "/setup", ConsoleRoute.Operators, ApplySetupAsync),
        new("GET", Path + "/state", ConsoleRoute.Staff, StateAsync),
        new("POST", Path + "/backup", ConsoleRoute.Operators, BackUpAsync),
        new("POST", "/console/start", ConsoleRoute.Operators, StartAsync),
    ];

    private static Task ShowAsync(Visit visit, string link, string linkUser) => visit.PageAsync<SystemSheet>(
        visit.T("nav.system"),
        new SystemModel(
            [.. visit.Desk.Catalog.Users.All.Select(u => (u, visit.Desk.Users.StateOf(u)))
                .Select(u => (u.u, u.Item2.Password, u.Item2.Totp))],
            link, linkUser));

    private static async Task SetUserAsync(Visit visit)
    {
        string id = visit.Field("id").Trim();
        UserSetup? old = visit.Desk.Catalog.Users.Find(id);
        bool disabled = visit.Field("disabled") == "1";
        if (!Enum.TryParse(visit.Field("role"), out UserRole role) || !Enum.IsDefined(role))
        {
            await visit.FailAsync(422, "users.fault");
            return;
        }

        if (id == visit.User!.Id && (disabled || role != UserRole.Operator))
        {
            await visit.FailAsync(422, "users.self"); // an operator stays who can mend things
            return;
        }

        var user = new UserSetup(
            id, role, visit.Field("name").Trim(), role == UserRole.Counterparty ? visit.Field("party") : "", disabled,
            old?.Credential ?? 0);
        if (!await visit.TryApplyAsync(new Setup { Users = [user] }))
        {
            return;
        }

        if (old is null)
        {
            await ShowAsync(visit, LinkOf(visit, id), id);
            return;
        }

        await visit.GoAsync(Path);
    }

    // The old password and second factor go out of use with the link that is made.
    private static async Task InviteAsync(Visit visit)
    {
        string id = visit.Field("id");
        if (visit.Desk.Catalog.Users.Find(id) is not { Disabled: false } user || id == visit.User!.Id)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        if (await visit.TryApplyAsync(new Setup { Users = [user with { Credential = user.Credential + 1 }] }))
        {
            await ShowAsync(visit, LinkOf(visit, id), id);
        }
    }

    private static string LinkOf(Visit visit, string user)
    {
        string scheme = visit.Http.Response.Headers.ContainsKey("Strict-Transport-Security") ? "https" : "http";
        return $"{scheme}://{visit.Http.Request.Host}{SignInPages.FirstPath}?code={visit.Desk.Users.Invite(user)}";
    }

    private static async Task AuditAsync(Visit visit) =>
        await visit.PageAsync<AuditSheet>(visit.T("audit.title"), await FindAuditAsync(visit, 50));

    private static async Task AuditCsvAsync(Visit visit)
    {
        long last = visit.Desk.Shard.DurableSeq;
        CancellationToken left = visit.Http.RequestAborted;
        await visit.Desk.WorkAsync(() => visit.Desk.IndexCommands(last, left), left);
        var table = new Table(
            [new("time"), new("by"), new("kind"), new("what"), new("refused"), new("frame", true), new("text")]);
        foreach (AuditEntry entry in (await FindAuditAsync(visit, int.MaxValue)).Entries)
        {
            table.Add(entry.Time.ToString(), entry.By, entry.Kind["audit.".Length..], entry.Parts,
                entry.IsRefused ? "1" : "", entry.Position.Seq.ToString(CultureInfo.InvariantCulture), entry.Text);
        }

        await visit.CsvAsync(table, "audit");
    }

    private static async Task<AuditModel> FindAuditAsync(Visit visit, int most)
    {
        long before = long.TryParse(
            visit.Query("before"), NumberStyles.None, CultureInfo.InvariantCulture, out long given)
                ? given
                : long.MaxValue;
        (IReadOnlyList<long> frames, long indexed, long of) = await visit.Desk.WorkAsync(
            () => visit.Desk.CommandFrames(before, most), visit.Http.RequestAborted);
        var entries = new List<AuditEntry>();
        foreach (long seq in frames)
        {
            if (visit.Desk.Journal.Read(seq) is { } frame)
            {
                entries.AddRange(EntriesOf(frame).Reverse());
            }
        }

        return new AuditModel(entries, frames.Count == most ? frames[^1] : 0, indexed, of);
    }

    private static IEnumerable<AuditEntry> EntriesOf(Frame frame)
    {
        for (int i = 0; i < frame.Setups.Count; i++)
        {
            Setup setup = frame.Setups[i];
            using JsonDocument json = JsonDocument.Parse(
                JsonSerializer.SerializeToUtf8Bytes(setup, SetupJson.Default.Setup));
            yield return new AuditEntry(
                new(frame.Seq, i), frame.Time, setup.By, "audit.setup", JsonSerializer.Serialize(json, Readable),
                PartsOf(json.RootElement), false);
        }

        for (int i = 0; i < frame.Settlements.Count; i++)
        {
            yield return EntryOf(frame, i);
        }

        for (int i = 0; i < frame.Groups.Count; i++)
        {
            LedgerGroup group = frame.Groups[i];
            if (group.Source != Gateway.GatewayRecorder.Source)
            {
                yield return new AuditEntry(
                    new(frame.Seq, i), frame.Time, WhoOf(group), "audit.group",
                    string.Join('\n', group.Operations.Select(o => o.ToString())), $"{group.Id} {group.Memo}",
                    frame.GroupResults[i].Status != LedgerStatus.Done);
            }
        }

        for (int i = 0; i < frame.Corrections.Count; i++)
        {
            Correction correction = frame.Corrections[i];
            yield return new AuditEntry(
                new(frame.Seq, i), frame.Time, correction.Source, "audit.correction", correction.ToString(),
                $"{correction.Id} {correction.Memo}", false);
        }
    }

    private static AuditEntry EntryOf(Frame frame, int index)
    {
        SettlementCommand step = frame.Settlements[index];
        string[] lines =
        [
            $"{step.Action} {step.Agreement} {step.Period}", $"id: {step.Id}", $"side: {step.Side}",
            $"dispute: {step.Dispute}", $"amount: {step.Amount}", $"hash: {step.Hash}",
            $"accept waiting: {step.AcceptWaiting}", $"memo: {step.Memo}",
        ];
        return new AuditEntry(
            new(frame.Seq, index), frame.Time, step.By, "audit.settlement", string.Join('\n', lines),
            $"{step.Action} {step.Agreement} {step.Period} {step.Dispute}".TrimEnd(),
            frame.SettlementResults[index].Status != SettlementStatus.Done);
    }

    // The console's groups say who in their memo; others are by who sent them.
    private static string WhoOf(LedgerGroup group) =>
        group.Source == LedgerPages.Source && group.Memo.Split([' ', ':'], 3) is ["by", { Length: > 0 } user, ..]
            ? user
            : group.Source;

    // "parties: acme, bravo; keys: k1"
    private static string PartsOf(JsonElement setup) => string.Join("; ", setup.EnumerateObject()
        .Where(p => p.Value.ValueKind == JsonValueKind.Array && p.Value.GetArrayLength() > 0)
        .Select(p => $"{p.Name}: " + string.Join(", ", p.Value.EnumerateArray().Take(5).Select(NameOf))
            + (p.Value.GetArrayLength() > 5 ? " …" : "")));

    private static string NameOf(JsonElement entry)
    {
        foreach (string name in (string[])["id", "key", "model", "agreement", "party", "until"])
        {
            if (entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String)
            {
                return value.GetString()!;
            }
        }

        return "";
    }

    private static async Task ApplySetupAsync(Visit visit)
    {
        string text = visit.Field("text");
        Setup setup;
        try
        {
            setup = SetupYaml.Parse(text, visit.User!.Id);
        }
        catch (YamlFileException fault)
        {
            await visit.FailAsync(422, "error.refused", fault.Message);
            return;
        }

        if (setup.Users is not null)
        {
            await visit.FailAsync(422, "setup.users"); // there a mistake shuts nobody out
            return;
        }

        await visit.ApplyAsync(setup, Path + "/audit");
    }

    private static async Task StateAsync(Visit visit)
    {
        string folder = visit.Desk.Options.Folder;
        long seq = visit.Desk.Shard.DurableSeq;
        string backups = System.IO.Path.Combine(folder, Backup.Folder);
        var journal = new FileInfo(DataFolder.JournalPath(System.IO.Path.GetFullPath(folder)));
        await visit.PageAsync<StateSheet>(visit.T("state.title"), new StateModel(
            seq, visit.Desk.Journal.HashOf(seq), visit.Desk.Journal.TimeOf(seq), journal.Length,
            new DriveInfo(System.IO.Path.GetFullPath(folder)).AvailableFreeSpace,
            typeof(SystemPages).Assembly.GetName().Version?.ToString(3) ?? "",
            !Directory.Exists(backups) ? [] : [.. new DirectoryInfo(backups).GetFiles("*.db")
                .OrderByDescending(f => f.Name, StringComparer.Ordinal).Take(20).Select(f => (f.Name, f.Length))]));
    }

    private static async Task BackUpAsync(Visit visit)
    {
        await visit.Desk.WorkAsync(
            () => Backup.Make(visit.Desk.Options.Folder, visit.Desk.Shard.DurableSeq), CancellationToken.None);
        await visit.GoAsync(Path + "/state");
    }

    // The same terms as samples/gateway.yaml: made up, and enough for a first call.
    private static Task StartAsync(Visit visit)
    {
        Catalog catalog = visit.Desk.Catalog;
        string platform = catalog.Platform.Length > 0 ? catalog.Platform : "platform";
        var newcomer = new PartySetup("newcomer", "Newcomer (新用户)", [Role.Consumer]);
        return visit.ApplyAsync(
            new Setup
            {
                Parties = catalog.Platform.Length > 0
                    ? [newcomer]
                    : [new PartySetup(platform, "Platform (平台)", [Role.Platform]), newcomer],
                Books =
                [
                    new BookSetup("sandbox-list", 1, "CNY", "", "", "example terms: nobody's prices",
                    [
                        new PriceSetup("sandbox*", new Dictionary<string, string>
                        {
                            ["input"] = "2", ["input.text.cache_read"] = "0.4", ["output"] = "8",
                        }),
                    ]),
                ],
                Agreements = [new AgreementSetup("newcomer-sandbox", "newcomer", platform, Book: "sandbox-list")],
                Funding = [new FundingSetup("newcomer", "welcome", FundingKind.Credit, "CNY", Limit: "100")],
                Upstreams =
                [
                    new UpstreamSetup("sandbox", "", UpstreamProtocol.Sandbox, "",
                    [
                        new ServedModelSetup("sandbox-chat", MaxOutput: 1024),
                        new ServedModelSetup("sandbox-reason", MaxOutput: 1024),
                        new ServedModelSetup("sandbox-embed"),
                    ]),
                ],
            },
            "/console/parties/newcomer#keys");
    }
}
