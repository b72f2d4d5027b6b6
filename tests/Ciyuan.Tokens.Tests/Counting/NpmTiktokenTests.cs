using System.Diagnostics;
using System.Text;
using Ciyuan.Tokens.Vocabularies;
using Xunit.Abstractions;

namespace Ciyuan.Tokens.Tests.Counting;

/// <summary>
/// Random text against npm's tiktoken (wasm), run by Node where its package is installed (<c>npm ci</c> in
/// <c>tests/peers</c>). CIYUAN_FUZZ multiplies how much is tried.
/// </summary>
public sealed class NpmTiktokenTests(ITestOutputHelper output)
{
    private static readonly string[] Names =
        ["o200k_base", "cl100k_base", "p50k_base", "p50k_edit", "r50k_base", "gpt2"];

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Encode_RandomText_GivesTheIdsOfTiktoken()
    {
        string? folder = FindPeers();
        if (folder is null || !Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            output.WriteLine("SKIPPED: run `npm ci` in tests/peers to compare with npm's tiktoken.");
            return;
        }

        List<(string Name, string Text)> cases = Cases();
        string[] answers = await AskAsync(folder, cases);
        Assert.Equal(cases.Count, answers.Length);
        Dictionary<string, Tokenizer> made = Names.ToDictionary(
            name => name, name => Tokenizer.For(VocabularyCatalog.Shipped.Get(name)));
        for (int i = 0; i < cases.Count; i++)
        {
            (string name, string text) = cases[i];
            string ids = string.Join(',', made[name].Encode(text));
            Assert.True(ids == answers[i], $"{name}, case {i}: {ids} is not {answers[i]}");
            int count = ids.Length == 0 ? 0 : ids.Count(c => c == ',') + 1;
            Assert.True(count == made[name].Count(text), $"{name}, case {i}: count");
            Assert.True(count == made[name].Count(Encoding.UTF8.GetBytes(text)), $"{name}, case {i}: bytes");
        }

        output.WriteLine($"{cases.Count} texts, {cases.Sum(c => (long)c.Text.Length)} characters, equal.");
    }

    /// <summary>
    /// Short texts of all kinds, with halves of surrogate pairs and what broken bytes become; long ones, so that
    /// blocks and windows end anywhere; and runs of one character around such ends.
    /// </summary>
    private static List<(string Name, string Text)> Cases()
    {
        int effort = int.TryParse(Environment.GetEnvironmentVariable("CIYUAN_FUZZ"), out int n) ? Math.Max(n, 1) : 1;
        List<(string, string)> cases = [];
        for (int seed = 0; seed < 2000 * effort; seed++)
        {
            string name = Names[seed % Names.Length];
            var random = new RandomText(seed + 1_000_000);
            cases.Add((name, random.Next(1 + (seed % 50))));
            cases.Add((name, Encoding.UTF8.GetString(random.NextBytes(1 + (seed % 40)))));
            if (seed % 50 == 0)
            {
                cases.Add((name, random.Next(20_000)));
                string run = "a \n中é\u0301😀=0"[(seed / 50 % 8)..][..1];
                cases.Add((name, random.Next(30) + string.Concat(Enumerable.Repeat(run, 60 + random.Below(80)))
                    + random.Next(5)));
            }
        }

        return cases;
    }

    private static async Task<string[]> AskAsync(string folder, List<(string Name, string Text)> cases)
    {
        var start = new ProcessStartInfo("node", ["tiktoken.mjs"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process node = Process.Start(start)!;
        Task<string> answers = node.StandardOutput.ReadToEndAsync();
        foreach ((string name, string text) in cases)
        {
            await node.StandardInput.WriteLineAsync(
                $"{name} {Convert.ToBase64String(Encoding.Unicode.GetBytes(text))}");
        }

        node.StandardInput.Close();
        string printed = await answers;
        await node.WaitForExitAsync();
        Assert.Equal(0, node.ExitCode);
        return printed[..^1].Split('\n');
    }

    private static string? FindPeers()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string peers = Path.Combine(at.FullName, "tests", "peers");
            if (File.Exists(Path.Combine(peers, "tiktoken.mjs")))
            {
                return peers;
            }
        }

        return null;
    }
}
