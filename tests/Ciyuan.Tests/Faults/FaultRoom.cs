using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ciyuan.Parties;
using Ciyuan.Storage;

namespace Ciyuan.Tests.Faults;

/// <summary>
/// A folder of its own, the real program as a process, and made-up usage whose sums are known. Faults come from
/// outside: signals, failing system calls, a full disk.
/// </summary>
internal sealed class FaultRoom : IDisposable
{
    /// <summary>True in CI: all kills and failing calls; otherwise a few of each, so that the tests stay
    /// quick.</summary>
    public static bool Full => Environment.GetEnvironmentVariable("CIYUAN_FAULTS") == "full";

    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public string Folder { get; } = Directory.CreateTempSubdirectory("ciyuan-faults-").FullName;

    public string Data => Path.Combine(Folder, "data");

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "ciyuan.dll");

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>One usage record as a line of JSON; its tokens follow from its number.</summary>
    public static string Line(string prefix, int number) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"source\":\"faults\",\"id\":\"{prefix}-{number}\",\"time\":\"2026-11-01T00:00:{number % 60:00}Z\","
        + $"\"party\":\"acme\",\"model\":\"m\",\"provider\":\"maker\","
        + $"\"counts\":{{\"input.text\":{InputOf(number)},\"output.text\":7}}}}");

    public static long InputOf(int number) => 1000 + (number % 997);

    public string WriteLines(string name, string prefix, int count)
    {
        File.WriteAllLines(this[name], Enumerable.Range(0, count).Select(i => Line(prefix, i)));
        return this[name];
    }

    /// <summary>The network that the lines are rated in, in the data folder.</summary>
    public async Task SetUpAsync()
    {
        await using Shard shard = await Shard.OpenAsync(new ShardOptions(Data));
        SetupResultIsDone(await shard.SetUpAsync(new Setup
        {
            By = "faults",
            Parties =
            [
                new PartySetup("net", "Net", [Role.Platform]),
                new PartySetup("acme", "Acme", [Role.Consumer]),
                new PartySetup("maker", "Maker", [Role.Provider]),
            ],
            Books = [new BookSetup("list", 1, "CNY", "", "", "made up",
                [new PriceSetup("*", new Dictionary<string, string> { ["input"] = "2", ["output"] = "8" })])],
            Agreements =
            [
                new AgreementSetup("retail", "acme", "net", Book: "list"),
                new AgreementSetup("wholesale", "net", "maker", Book: "list"),
            ],
        }));
    }

    /// <summary>Starts <c>ciyuan</c>, under another program when one is named.</summary>
    public Process Start(IEnumerable<string> arguments, params string[] under)
    {
        string[] command = [.. under, "dotnet", Program, .. arguments, "--data", Data];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        start.Environment["DOTNET_TieredPGO"] = "0"; // starts sooner
        start.Environment.Remove("CIYUAN_TOKEN");
        return Process.Start(start)!;
    }

    /// <summary>Runs <c>ciyuan</c> to its end.</summary>
    public async Task<(int Exit, string Output, string Errors)> RunAsync(
        IEnumerable<string> arguments, params string[] under)
    {
        using Process process = Start(arguments, under);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"ciyuan {string.Join(' ', arguments)} did not end: {await errors}");
        }

        return (process.ExitCode, await output, await errors);
    }

    /// <summary>Every check of <c>fsck</c> passes.</summary>
    public void AssertClean(string when)
    {
        FsckReport report = Fsck.Run(Data);
        Assert.True(report.IsClean, $"{when}: {Describe(report)}");
    }

    /// <summary>Each of the lines is recorded once: resent, all are there already; and the tokens are those of each
    /// once.</summary>
    public async Task AssertEachOnceAsync(IReadOnlyList<string> lines, long inputTokens)
    {
        var (exit, output, errors) = await ImportAsync(lines);
        Assert.True(exit == 0, errors);
        Assert.Equal(lines.Count, Number(output, "already_there"));
        Assert.Equal(inputTokens, await InputTokensAsync());
    }

    public async Task<(int Exit, string Output, string Errors)> ImportAsync(IReadOnlyList<string> lines)
    {
        File.WriteAllLines(this["resend.jsonl"], lines);
        return await RunAsync(["import", this["resend.jsonl"], "--format", "json"]);
    }

    /// <summary>Input tokens in the statistics, counted from the journal.</summary>
    public async Task<long> InputTokensAsync()
    {
        var (exit, output, errors) = await RunAsync(["report", "--format", "json"]);
        Assert.True(exit == 0, errors);
        using var report = System.Text.Json.JsonDocument.Parse(output);
        return Number(report.RootElement.GetProperty("total").GetRawText(), "tokens_input");
    }

    /// <summary>An integer of a JSON answer, written as a number or as a text.</summary>
    public static long Number(string json, string name)
    {
        int at = json.IndexOf($"\"{name}\":", StringComparison.Ordinal);
        Assert.True(at >= 0, $"{name} is not in {json}");
        string rest = json[(at + name.Length + 3)..].TrimStart(' ', '"');
        return long.Parse(
            rest.AsSpan(0, rest.AsSpan().IndexOfAnyExceptInRange('0', '9')), CultureInfo.InvariantCulture);
    }

    private static string Describe(FsckReport report)
    {
        var text = new StringBuilder();
        foreach (FsckCheck check in report.Checks.Where(c => !c.Passed))
        {
            text.Append(check.Name).Append(": ").Append(check.Detail).Append("; ");
        }

        return text.ToString();
    }

    private static void SetupResultIsDone(Ciyuan.Journal.SetupResult result) =>
        Assert.True(result.Status == Ciyuan.Journal.SetupStatus.Done, string.Join("; ", result.Faults));
}

/// <summary>Faults are tested one after the other, and beside no other test: they need the machine for
/// themselves.</summary>
[CollectionDefinition("faults", DisableParallelization = true)]
public sealed class FaultTests;
