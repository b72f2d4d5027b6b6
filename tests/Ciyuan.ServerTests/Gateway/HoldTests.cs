using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>What calls reserve: for each try, and from packs where money does not suffice.</summary>
public sealed class HoldTests
{
    private const string Answer = "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":"
        + "\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}";

    [Fact]
    public async Task Call_TriedThrice_HasAHoldOfItsOwnForEachTry()
    {
        await using ScriptedUpstream first = ScriptedUpstream.Whole("{}", 503);
        await using ScriptedUpstream second = ScriptedUpstream.Whole("{}", 429);
        await using ScriptedUpstream third = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(string.Join('\n',
            Upstream(first.Url, "u1", more: ", priority: 1"), Upstream(second.Url, "u2", more: ", priority: 2"),
            Upstream(third.Url, "u3", more: ", priority: 3")));

        (int status, _, HttpResponseMessage answer) = await server.ChatAsync();

        Assert.Equal(200, status);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal(answer.Headers.GetValues("x-ciyuan-record").Single(), record.Id);
        Assert.Equal(record.Id + "-3", record.Hold);
        Assert.Contains(new Tag("attempts", "3"), record.Tags);
        string[] operations = [.. Groups(server.Folder).SelectMany(g => g.Operations).Select(o => o switch
        {
            PlaceHold place => "hold " + place.Hold,
            ReleaseHold release => "release " + release.Hold,
            _ => "other",
        })];
        Assert.Equal(
            [
                $"hold {record.Id}", $"release {record.Id}", $"hold {record.Id}-2", $"release {record.Id}-2",
                $"hold {record.Id}-3",
            ],
            operations);
        await server.AssertNoHoldAsync();
    }

    [Fact]
    public async Task Call_PackAndNoMoney_IsAdmittedAndPaidInTokens()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url), credit: "0", more: "");
        (int without, _, _) = await server.ChatAsync();
        await server.SetUpAsync("funding: [{ party: acme, id: tokens, kind: pack }]");
        (int empty, _, _) = await server.ChatAsync();
        GroupReply reply = await server.Host.Shard.PostAsync(new LedgerGroup(
            "test", "buy", Timestamp.MinValue,
            [new PostTransfer("net/cash/main", "acme/pack/tokens", Currency.Tok, Amount.FromUnits(1_000))]));
        Assert.Equal(LedgerStatus.Done, reply.Status);

        (int with, string body, _) = await server.ChatAsync();

        Assert.Equal((402, 402), (without, empty));
        Assert.True(with == 200, body);
        (UsageRecord record, UsageResult result) = Assert.Single(await server.RecordsAsync(1));
        Assert.Equal(4, record.Tokens(Direction.Input) + record.Tokens(Direction.Output));
        Assert.Contains(result.Postings, p => p.Amount == Amount.FromUnits(4));
        Assert.Equal(UsageRemarks.None, result.Remarks & UsageRemarks.OverHold);
        IReadOnlyList<AccountView> accounts = await server.Host.Shard.BalancesAsync();
        AccountView pack = accounts.Single(a => a.Name.ToString().Contains("acme/pack/tokens"));
        Assert.Equal(Amount.FromUnits(996), pack.Balance);
        await server.AssertNoHoldAsync();
    }

    [Fact]
    public async Task Call_MoreThanThePackHas_IsRefused()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url), credit: "0");
        await server.SetUpAsync("funding: [{ party: acme, id: tokens, kind: pack }]");
        await server.Host.Shard.PostAsync(new LedgerGroup(
            "test", "buy", Timestamp.MinValue,
            [new PostTransfer("net/cash/main", "acme/pack/tokens", Currency.Tok, Amount.FromUnits(100))]));

        (int status, _, _) = await server.ChatAsync(); // up to 100 out, besides what goes in

        Assert.Equal((402, 0), (status, upstream.Calls.Count));
        await server.AssertNoHoldAsync();
    }

    private static IEnumerable<LedgerGroup> Groups(string folder)
    {
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(folder);
        for (long seq = 1; seq <= journal.LastSeq(); seq++)
        {
            StoredFrame stored = journal.Read(seq)!.Value;
            foreach (LedgerGroup group in FrameDecoder.Decode(0, seq, stored.Time, stored.Body).Groups)
            {
                yield return group;
            }
        }
    }
}
