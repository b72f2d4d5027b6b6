using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Ciyuan.Tests.Cli;

/// <summary>Runs the built program: a provider's bill, two signatures, the exports.</summary>
public sealed class ReconcileVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-reconcile-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Reconcile_BillWithDifferences_IsExplainedSignedByTwoAndPosted()
    {
        await PrepareAsync();
        Write("bill.csv", """
            id,time,model,class,quantity,amount
            a,2026-11-02T00:00:00Z,m,input.text,1000,0.003
            b,2026-11-03T00:00:00Z,m,input.text,500,0.0005
            x,2026-11-04T00:00:00Z,m,input.text,10,0.5

            """);
        string[] reconcile = ["reconcile", "supply", "bill.csv", "--period", "2026-11", "--zone", "UTC"];
        (int code, string output, string errors) = await RunAsync([.. reconcile, "--format", "json"]);
        Assert.True(code == 0, errors);
        using (JsonDocument json = JsonDocument.Parse(output))
        {
            Assert.Equal("0.5005", json.RootElement.GetProperty("difference").GetString());
            Assert.Equal(["missing_here 0.5", "missing_there -0.0005", "count 0.0005", "price 0.0005"], Sums(json));
        }

        (_, string chinese, _) = await RunAsync([.. reconcile, "--language", "zh"]);
        Assert.Contains("价格差异", chinese, StringComparison.Ordinal);
        Assert.Contains("对账：合约 supply", chinese, StringComparison.Ordinal);

        (code, _, errors) = await RunAsync([.. reconcile, "--sign", "accept"]);
        Assert.Equal(2, code);
        (code, _, errors) = await RunAsync([.. reconcile, "--sign", "accept", "--by", "alice"]);
        Assert.True(code == 0, errors);
        Assert.Contains("a second person must sign", errors, StringComparison.Ordinal);
        (code, _, errors) = await RunAsync([.. reconcile, "--sign", "dispute", "--by", "bob"]);
        Assert.Equal(1, code);
        (code, _, errors) = await RunAsync([.. reconcile, "--sign", "accept", "--by", "bob"]);
        Assert.True(code == 0, errors);
        Assert.Contains("signed by alice and bob", errors, StringComparison.Ordinal);
        (_, string balances, _) = await RunAsync("balance", "provider/payable/*", "--format", "csv");
        Assert.Contains("0.5035", balances, StringComparison.Ordinal); // what they bill
        (code, output, _) = await RunAsync("fsck");
        Assert.Equal(0, code);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task ExportAndForecast_AfterUse_Answer()
    {
        await PrepareAsync();
        (int code, string output, string errors) = await RunAsync(
            "export", "focus", "--spec", "1.4", "--period", "2026-11", "--side", "cost");
        Assert.True(code == 0, errors);
        Assert.StartsWith("BilledCost,BillingAccountId,", output, StringComparison.Ordinal);
        Assert.Contains("add up to the charges of the ledger", errors, StringComparison.Ordinal);
        (code, output, errors) = await RunAsync("report", "margin", "--group", "model", "--format", "json");
        Assert.True(code == 0, errors);
        Assert.Contains("\"margin\": \"0.003\"", output, StringComparison.Ordinal);
        (code, output, errors) = await RunAsync("forecast", "balances", "--at", "2026-11-10T00:00:00Z");
        Assert.True(code == 0, errors);
        Assert.Contains("acme", output, StringComparison.Ordinal);
        (code, _, errors) = await RunAsync("forecast", "budgets");
        Assert.True(code == 0, errors);
        (code, _, errors) = await RunAsync("export", "focus", "--dataset", "invoice-detail", "--period", "2026-11");
        Assert.Equal(2, code);
        Assert.Contains("came with 1.4", errors, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Sums(JsonDocument json) => json.RootElement.GetProperty("sums").EnumerateArray()
        .Select(s => $"{s.GetProperty("class").GetString()} {s.GetProperty("difference").GetString()}");

    private async Task PrepareAsync()
    {
        Write("setup.yaml", """
            parties: [{id: net, roles: [platform]}, {id: acme, roles: [consumer]}, {id: provider, roles: [provider]}]
            books:
              - {id: sell, version: 1, currency: USD, prices: [{model: m, per_million_tokens: {input: 4}}]}
              - {id: cost, version: 1, currency: USD, prices: [{model: m, per_million_tokens: {input: 2}}]}
            agreements:
              - {id: sale, payer: acme, payee: net, book: sell}
              - {id: supply, payer: net, payee: provider, book: cost}
            funding: [{party: acme, id: main, kind: prepaid, currency: USD}]
            """);
        Write("usage.jsonl", Usage("a", 2, 1000) + Usage("b", 3, 250) + Usage("c", 5, 250));
        (int code, _, string errors) = await RunAsync("setup", "setup.yaml", "--by", "test");
        Assert.True(code == 0, errors);
        (code, _, errors) = await RunAsync("import", "usage.jsonl");
        Assert.True(code == 0, errors);
    }

    private static string Usage(string id, int day, int tokens) =>
        $"{{\"source\":\"gw\",\"id\":\"{id}\",\"time\":\"2026-11-0{day}T00:00:00Z\",\"party\":\"acme\",\"model\":\"m\","
            + $"\"provider\":\"provider\",\"counts\":{{\"input.text\":{tokens}}}}}\n";

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ciyuan.dll"), .. arguments])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process program = Process.Start(start)!;
        Task<string> output = program.StandardOutput.ReadToEndAsync();
        Task<string> errors = program.StandardError.ReadToEndAsync();
        await program.WaitForExitAsync();
        return (program.ExitCode, await output, await errors);
    }
}
