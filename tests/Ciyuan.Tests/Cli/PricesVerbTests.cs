using System.Diagnostics;
using System.Text.Json;
using Ciyuan.Tests.Tidy;

namespace Ciyuan.Tests.Cli;

/// <summary>The verbs of <c>ciyuan prices</c> in the built program: exit codes, files and figures.</summary>
public sealed class PricesVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-prices-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Sample(string file) => Path.Combine(Repository.Root, "samples/prices", file);

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Import_ToAFileAndToTheDataFolder_GivesTheSamePrices()
    {
        string catalogue = Path.Combine(Repository.Root, "tests/Ciyuan.Tests/Prices/genai-prices-excerpt.json");
        JsonElement written = await JsonAsync(
            0, "prices", "import", catalogue, "--from", "genai-prices", "--id", "list", "--out", "list.yaml");
        Assert.Equal("written to list.yaml", written.GetProperty("destination").GetString());
        Assert.NotEmpty(written.GetProperty("notes").EnumerateArray());
        await JsonAsync(
            0, "prices", "import", catalogue, "--from", "genai-prices", "--id", "list", "--version", "1");

        string[] question = ["--book", "list", "--model", "gpt-4o", "--provider", "openai", "--time",
            "2026-11-20T00:00:00Z", "--counts", "input.text=1000,output.text=100"];
        foreach (string[] files in (string[][])[["list.yaml"], []])
        {
            JsonElement why = await JsonAsync(0, ["prices", "explain", .. files, .. question]);
            Assert.Equal("0.0035", why.GetProperty("amount").GetString()); // 1 000 × 2.5 + 100 × 10
            Assert.Equal("Exact", why.GetProperty("match").GetString());
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Explain_PeakHour_SaysWhichRuleAndWhy()
    {
        (int code, string text, string errors) = await RunAsync(
            "prices", "explain", Sample("deepseek.yaml"), Sample("cn-public-holidays.yaml"), "--book", "deepseek-cny",
            "--model", "deepseek-v4-pro", "--time", "2026-11-20T09:00:00+08:00", "--counts", "input.text=1000000");
        Assert.True(code == 0, errors);
        Assert.Contains("高峰时段", text, StringComparison.Ordinal);
        Assert.Contains("Amount 9 CNY", text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Check_Book_ExitsByWhatIsFound()
    {
        const string Wrong = """
            books:
              - id: b
                version: 1
                currency: USD
                prices: [{ model: m, per_million_tokens: { input: "3", input.text.cache_read: "4" } }]
            """;
        File.WriteAllText(Path.Combine(_folder, "wrong.yaml"), Wrong);
        JsonElement found = await JsonAsync(1, "prices", "check", "wrong.yaml", "--at", "2026-11-25T00:00:00Z");
        JsonElement finding = found.GetProperty("findings")[0];
        Assert.Equal(("wrong", "unit", 5), (
            finding.GetProperty("weight").GetString(), finding.GetProperty("kind").GetString(),
            finding.GetProperty("line").GetInt32()));

        string[] good = ["prices", "check", Sample("moonshot.yaml"), "--at", "2026-11-25T00:00:00Z"];
        await JsonAsync(0, good);
        await JsonAsync(0, [.. good, "--strict"]);
        Assert.Equal(1, (await RunAsync("prices", "check", Sample("qwen.yaml"), "--strict")).Code);
    }

    [Theory]
    [InlineData(2, "prices", "explain", "--book", "b", "--model", "m", "--counts", "input")]
    [InlineData(2, "prices", "import", "x.json", "--id", "b", "--version", "0")]
    [InlineData(1, "prices", "import", "missing.json", "--id", "b")]
    [InlineData(1, "prices", "check", "missing.yaml")]
    [Trait("Takes", "Long")]
    public async Task Run_Wrong_SaysWhyOnStandardError(int exit, params string[] arguments)
    {
        (int code, string output, string errors) = await RunAsync(arguments);
        Assert.Equal((exit, ""), (code, output));
        Assert.Contains("ciyuan: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    private async Task<JsonElement> JsonAsync(int exit, params string[] arguments)
    {
        (int code, string output, string errors) = await RunAsync([.. arguments, "--format", "json"]);
        Assert.True(code == exit, $"{code}: {errors}{output}");
        using JsonDocument document = JsonDocument.Parse(output);
        return document.RootElement.Clone();
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
