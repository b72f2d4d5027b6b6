using Ciyuan.Storage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>A log whose room was written beforehand is a log like any other, after a crash too.</summary>
public sealed class PreparedLogTests
{
    [Fact]
    public async Task Folder_CopiedWhileOpen_HasAllThatWasAnswered()
    {
        const string Answer = "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":"
            + "\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}";
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(
            Upstream(upstream.Url), options: o => o with { Shard = o.Shard with { PrepareLog = true } });
        string log = Path.Combine(server.Folder, "journal.db-wal");
        long room = new FileInfo(log).Length;
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(200, (await server.ChatAsync()).Status);
        }

        _ = await server.RecordsAsync(5);
        Assert.Equal(room, new FileInfo(log).Length);
        Assert.True(room > 16 << 20);
        DirectoryInfo copy = Directory.CreateTempSubdirectory("ciyuan-copy-");
        foreach (string name in (string[])["journal.db", "journal.db-wal"])
        {
            File.Copy(Path.Combine(server.Folder, name), Path.Combine(copy.FullName, name));
        }

        await using (var shard = await Shard.OpenAsync(new ShardOptions(copy.FullName)))
        {
            Assert.Equal(server.Host.Shard.DurableSeq, shard.DurableSeq);
        }

        copy.Delete(recursive: true);
    }
}
