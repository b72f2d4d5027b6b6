using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Ciyuan.Tests.Cli;

/// <summary>Runs the built program: exit codes, and what goes to which output.</summary>
public sealed class ProgramTests : IDisposable
{
    private const string Setup =
        """
        parties: [{id: net, roles: [platform]}, {id: acme, roles: [consumer]}]
        books: [{id: list, version: 1, currency: USD, prices: [{model: m, per_million_tokens: {input: 2, output: 8}}]}]
        agreements: [{id: sale, payer: acme, payee: net, book: list}, {id: unused, payer: net, payee: acme, per_call: 1,
          currency: USD, where: {model: none}}]
        funding: [{party: acme, id: main, kind: prepaid, currency: USD}]
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(2, "report", "--period", "nonsense")]
    [InlineData(2, "import")]
    [InlineData(2, "report", "--group", "colour")]
    [InlineData(2, "report", "--zone", "Nowhere/City")]
    [InlineData(2, "report", "--from", "2026-01-02", "--to", "2026-01-01")]
    [InlineData(2, "deposit", "acme", "main", "-5", "--id", "d")]
    [InlineData(2, "import", "x.csv", "--as", "csv")]
    [InlineData(1, "setup", "missing.yaml")]
    [InlineData(1, "report")]
    [InlineData(1, "balance")]
    [InlineData(1, "import", "missing.jsonl")]
    public async Task Run_Wrong_SaysWhyOnStandardErrorAlone(int exit, params string[] arguments)
    {
        (int code, string output, string errors) = await RunAsync(arguments);
        Assert.Equal(exit, code);
        Assert.Contains("ciyuan: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.True(arguments[0] == "import" || output.Length == 0, output);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Rate_RawResponses_ShowsClassesAndChargesAndRecordsNothing()
    {
        File.WriteAllText(Path.Combine(_folder, "setup.yaml"), Setup);
        File.WriteAllText(Path.Combine(_folder, "r.json"), """
            [{"id":"c","created":1793491200,"model":"m",
             "usage":{"prompt_tokens":30,"completion_tokens":10,"total_tokens":40,
                      "prompt_tokens_details":{"cached_tokens":20}},"choices":[{"logprobs":{"content":[{"top":[1]}]}}]}]
            """);
        File.WriteAllText(Path.Combine(_folder, "r.sse"), """
            data: {"choices":[{"finish_reason":"stop"}]}

            data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}

            data: [DONE]
            """);
        string[] asked = ["rate", "r.json", "--provider", "openai", "--flavour", "chat", "--book", "list", "--books",
            "setup.yaml"];
        JsonElement rated = (await JsonAsync(asked)).GetProperty("responses")[0];
        JsonElement stream = (await JsonAsync("rate", "r.sse", "--as", "sse", "--api", "openai/chat"))
            .GetProperty("responses")[0];

        Assert.Equal("10", rated.GetProperty("counts").GetProperty("input.text.fresh").GetString());
        Assert.Equal("20", rated.GetProperty("counts").GetProperty("input.text.cache_read").GetString());
        Assert.Equal("0.00014", rated.GetProperty("charge").GetProperty("amount").GetString()); // 30 × 2 + 10 × 8
        Assert.Equal("7", stream.GetProperty("counts").GetProperty("input.text.fresh").GetString());
        Assert.Equal("reported", stream.GetProperty("grade").GetString());
        Assert.False(Directory.Exists(Path.Combine(_folder, "data")));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Run_MainJob_GivesExactFigures()
    {
        File.WriteAllText(Path.Combine(_folder, "setup.yaml"), Setup);
        const string Line = """{"source":"s","id":"1","time":"2026-11-01T00:00:00Z","party":"acme","model":"m","counts":{"input.text":3,"output.text":1}}""";
        File.WriteAllText(Path.Combine(_folder, "u.jsonl"), $"{Line}\n{Line}\n{{\"source\":\"s\"}}\n");
        Assert.Equal("done", (await JsonAsync("setup", "setup.yaml")).GetProperty("status").GetString());
        Assert.Equal("exists", (await JsonAsync("setup", "setup.yaml")).GetProperty("status").GetString());
        await JsonAsync("deposit", "acme", "main", "1", "--id", "d1", "--time", "2026-10-01T00:00:00Z");
        JsonElement import = await JsonAsync("import", "u.jsonl");
        Assert.Equal((3, 1, 1, 1), (
            import.GetProperty("read").GetInt32(), import.GetProperty("posted").GetInt32(),
            import.GetProperty("already_there").GetInt32(), import.GetProperty("rejected").GetInt32()));
        JsonElement total = (await JsonAsync("report", "--group", "party", "--period", "2026-11")).GetProperty("total");
        Assert.Equal(
            ("3", "0.000014"),
                (total.GetProperty("tokens_input").GetString(), total.GetProperty("income_USD").GetString()));
        Assert.Equal("0.000014", (await JsonAsync("statement", "sale")).GetProperty("exact").GetString());
        JsonElement balance = await JsonAsync("balance", "acme/prepaid/*");
        Assert.Equal("0.999986", balance.GetProperty("accounts")[0].GetProperty("balance").GetString());
        Assert.True((await JsonAsync("fsck")).GetProperty("clean").GetBoolean());
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Rerate_AfterANewBookVersion_CorrectsOnceAndThenNothing()
    {
        const string Later = """
            books:
              - id: list
                version: 2
                currency: USD
                from: 2026-10-01T00:00:00Z
                prices: [{model: m, per_million_tokens: {input: 4, output: 8}}]
            """;
        await SetUpAndImportAsync(records: 50);
        await JsonAsync("deposit", "acme", "main", "1", "--id", "d1");
        File.WriteAllText(Path.Combine(_folder, "later.yaml"), Later);
        await JsonAsync("setup", "later.yaml");
        JsonElement first = await JsonAsync("rerate", "--memo", "new prices");
        Assert.Equal(50, first.GetProperty("records_changed").GetInt32());
        Assert.True(first.GetProperty("frames_read").GetInt32() >= 3);

        // 50 records of 3 input tokens at 4 and 1 output token at 8 for a million.
        async Task AssertExactAsync()
        {
            Assert.Equal("0.001", (await JsonAsync("statement", "sale")).GetProperty("exact").GetString());
            JsonElement total = (await JsonAsync("report", "--group", "party")).GetProperty("total");
            Assert.Equal(("150", "0.001"),
                (total.GetProperty("tokens_input").GetString(), total.GetProperty("income_USD").GetString()));
            JsonElement accounts = (await JsonAsync("balance", "net/revenue/*")).GetProperty("accounts");
            Assert.Equal("0.001", accounts[0].GetProperty("balance").GetString());
        }

        await AssertExactAsync();
        JsonElement again = await JsonAsync("rerate");
        Assert.Equal(0, again.GetProperty("records_changed").GetInt32());
        await AssertExactAsync();
        Assert.True((await JsonAsync("fsck")).GetProperty("clean").GetBoolean());
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Deposit_SentAgainWithoutATime_IsThereAlready()
    {
        await SetUpAndImportAsync(records: 1);
        string[] deposit = ["deposit", "acme", "main", "5", "--id", "d1"];
        Assert.Equal("done", (await JsonAsync(deposit)).GetProperty("status").GetString());
        Assert.Equal("exists", (await JsonAsync(deposit)).GetProperty("status").GetString());
        (int code, _, string errors) = await RunAsync("deposit", "acme", "main", "6", "--id", "d1");
        Assert.Equal(1, code);
        Assert.Contains("another --id", errors, StringComparison.Ordinal);
        JsonElement balance = await JsonAsync("balance", "net/cash/main");
        Assert.Equal("-5", balance.GetProperty("accounts")[0].GetProperty("balance").GetString());
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Statement_UnknownOrUnused_SaysWhich()
    {
        await SetUpAndImportAsync(records: 1);
        (int code, _, string errors) = await RunAsync("statement", "sail");
        Assert.Equal(1, code);
        Assert.Contains("Near it: sale", errors, StringComparison.Ordinal);
        JsonElement unused = await JsonAsync("statement", "unused");
        Assert.Equal((false, "0", "net"), (unused.GetProperty("found").GetBoolean(),
            unused.GetProperty("exact").GetString(), unused.GetProperty("payer").GetString()));
        Assert.Equal("0", (await JsonAsync("statement", "sale", "--period", "2020")).GetProperty("exact").GetString());
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Report_AsCsv_SaysItsScopeOnStandardError()
    {
        await SetUpAndImportAsync(records: 2);
        (int code, string output, string errors) = await RunAsync("report", "--group", "party", "--format", "csv");
        Assert.Equal(0, code);
        Assert.DoesNotContain("Scope", output, StringComparison.Ordinal);
        Assert.StartsWith("Scope: ", errors, StringComparison.Ordinal);
    }

    private async Task SetUpAndImportAsync(int records)
    {
        File.WriteAllText(Path.Combine(_folder, "setup.yaml"), Setup);
        File.WriteAllLines(Path.Combine(_folder, "u.jsonl"), Enumerable.Range(0, records).Select(i => $$"""
            {"source":"s","id":"{{i}}","time":"2026-11-01T00:00:00Z","party":"acme","model":"m",
            """.TrimEnd() + """ "counts":{"input.text":3,"output.text":1}}"""));
        await JsonAsync("setup", "setup.yaml");
        await JsonAsync("import", "u.jsonl");
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        (int code, string output, string errors) = await RunAsync([.. arguments, "--format", "json"]);
        Assert.True(code == 0, errors);
        return JsonDocument.Parse(output).RootElement;
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ciyuan.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
