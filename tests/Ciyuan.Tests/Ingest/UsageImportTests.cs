using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Server.Ingest;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Ingest;

public sealed class UsageImportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-import-").FullName;
    private readonly Dictionary<(string Source, string Id), ulong> _ledger = [];
    private readonly List<UsageRecord> _recorded = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task RunAsync_AzureTrace_GivesItsSumsOnce()
    {
        string? trace = FindTrace();
        if (trace is null)
        {
            await Console.Error.WriteLineAsync(
                "SKIPPED: the Azure trace is not there (../shared/data or CIYUAN_SHARED).");
            return;
        }

        var options = new ImportOptions { Format = ImportFormat.Csv, Mapping = CsvMapping.FromPreset("azure-llm") };
        ImportTally tally = await ImportAsync(options with { Rejects = InFolder("r") }, trace);
        Assert.Equal((8_819L, 8_819L, 0L), (tally.Read, tally.Posted, tally.Rejected));
        Assert.Equal((18_059_974L, 245_896L), (tally.InputTokens, tally.OutputTokens));

        string renamed = InFolder("renamed.csv");
        File.Copy(trace, renamed);
        ImportTally again = await ImportAsync(options, renamed);
        Assert.Equal((8_819L, 0L, 8_819L), (again.Read, again.Posted, again.Existing));
    }

    [Fact]
    public async Task RunAsync_BadLines_GoAsideAndTheRestGoesOn()
    {
        string file = Write("a.jsonl", $"\ufeff{Line(1)}\r\n\nnot json\n{Line(2)}\n{{\"colour\":1}}\n{Line(3)}");
        ImportTally tally = await ImportAsync(new ImportOptions(), file);
        Assert.Equal((5L, 3L, 2L), (tally.Read, tally.Posted, tally.Rejected));
        string[] rejects = File.ReadAllLines(Assert.Single(tally.RejectFiles));
        Assert.Equal([(3, "not_json", "not json"), (5, "unknown_field", "{\"colour\":1}")], rejects.Select(line =>
        {
            JsonElement reject = JsonDocument.Parse(line).RootElement;
            return (reject.GetProperty("line").GetInt32(), reject.GetProperty("code").GetString(),
                reject.GetProperty("text").GetString());
        }));
        Assert.Equal(file + ".rejects.jsonl", tally.RejectFiles[0]);
    }

    [Fact]
    public async Task RunAsync_CleanAfterBadLines_TakesTheRejectFileAway()
    {
        string file = Write("a.jsonl", "bad\n");
        await ImportAsync(new ImportOptions(), file);
        Assert.True(File.Exists(file + ".rejects.jsonl"));
        Write("a.jsonl", Line(1) + "\n");
        await ImportAsync(new ImportOptions(), file);
        Assert.False(File.Exists(file + ".rejects.jsonl"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Trait("Takes", "Long")]
    public async Task RunAsync_ManyChunks_KeepsTheOrder(int workers)
    {
        const int Lines = 30_000;
        string padding = new('x', 200);
        string file = Write("a.jsonl", string.Concat(Enumerable.Range(0, Lines).Select(i => Line(i, padding) + "\n")));
        ImportTally tally = await ImportAsync(new ImportOptions { Workers = workers, BatchSize = 1_000 }, file);
        Assert.Equal((Lines, Lines), (tally.Posted, _recorded.Count));
        Assert.Equal(Enumerable.Range(0, Lines).Select(i => $"r{i}"), _recorded.Select(record => record.Id));
        Assert.Equal(new FileInfo(file).Length, tally.ReadBytes);
    }

    [Fact]
    public async Task RunAsync_LineLongerThanAChunk_IsRefusedAloneAndNumbersStayRight()
    {
        string huge = $"{{\"tags\":{{\"a\":\"{new string('x', 5 << 20)}\"}}}}";
        string file = Write("a.jsonl", $"{Line(1)}\n{huge}\n{Line(2)}\nbad\n{Line(3)}\n");
        ImportTally tally = await ImportAsync(new ImportOptions(), file);
        Assert.Equal((3L, 2L), (tally.Posted, tally.Rejected));
        Assert.Equal(["2 too_long", "4 not_json"], File.ReadLines(tally.RejectFiles[0]).Select(line =>
        {
            JsonElement reject = JsonDocument.Parse(line).RootElement;
            return $"{reject.GetProperty("line")} {reject.GetProperty("code")}";
        }));
    }

    [Fact]
    public async Task RunAsync_Gzip_IsUnpacked()
    {
        string file = InFolder("a.jsonl.gz");
        await using (var gzip = new GZipStream(File.Create(file), CompressionLevel.Fastest))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Line(1) + "\n" + Line(2) + "\n"));
        }

        Assert.Equal(2, (await ImportAsync(new ImportOptions(), file)).Posted);
    }

    [Fact]
    public async Task RunAsync_BrokenGzip_SaysSo()
    {
        string file = Write("a.jsonl.gz", "this is no gzip");
        var fault = await Assert.ThrowsAsync<ImportException>(() => ImportAsync(new ImportOptions(), file));
        Assert.Contains("a.jsonl.gz", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_CloudEventsAsOneArrayAndAsLines_AreTheSame()
    {
        const string Event = """{"specversion":"1.0","id":"ID","source":"gw","type":"u","time":"2026-11-01T00:00:00Z","data":{"tokens":3,"type":"input"}}""";
        string[] events = [.. Enumerable.Range(0, 3)
            .Select(i => Event.Replace("ID", $"e{i}", StringComparison.Ordinal))];
        var options = new ImportOptions { Format = ImportFormat.CloudEvents };
        ImportTally array = await ImportAsync(
            options, Write("a.json", $"[\n  {string.Join(",\n  ", events)},\n  {{}}\n]\n"));
        Assert.Equal((3L, 1L), (array.Posted, array.Rejected));
        Assert.Contains("\"line\":5", File.ReadAllText(array.RejectFiles[0]), StringComparison.Ordinal);
        ImportTally lines = await ImportAsync(options, Write("b.jsonl", $"{events[0]}\n[{events[1]},{events[2]}]\n"));
        Assert.Equal((0L, 3L), (lines.Posted, lines.Existing));
    }

    [Fact]
    public async Task RunAsync_CsvWithLineBreaksInQuotes_NumbersLinesOfTheFile()
    {
        string file = Write(
            "a.csv",
            "id,time,note\n1,2026-11-01T00:00:00Z,\"two\nlines\"\n2,bad,x\n3,2026-11-01T00:00:00Z,\"a\"\"b\"\n");
        CsvMapping mapping = new CsvMapping()
            .With([new("id", "id"), new("time", "time"), new("tags.note", "note")], [new("source", "s")]);
        ImportTally tally = await ImportAsync(new ImportOptions { Format = ImportFormat.Csv, Mapping = mapping }, file);
        Assert.Equal(["two\nlines", "a\"b"], _recorded.Select(record => record.Tags[0].Value));
        Assert.Contains("\"line\":4", File.ReadAllText(Assert.Single(tally.RejectFiles)), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task RunAsync_StoppedAtAnyBatchAndRunAgain_LosesAndDoublesNothing()
    {
        const int Lines = 1_000;
        string file = Write("a.jsonl", string.Concat(Enumerable.Range(0, Lines).Select(i => Line(i) + "\n")));
        var random = new Random(3);
        for (int attempt = 0; attempt < 20; attempt++)
        {
            int left = random.Next(1, 10);
            var import = new UsageImport(new ImportOptions { BatchSize = 37 }, (records, cancel) => left-- > 0
                ? Record(records, cancel)
                : throw new IOException("no space"));
            await Assert.ThrowsAsync<IOException>(() => import.RunAsync([file], CancellationToken.None));
            Assert.NotEqual("", import.Tally.AcceptedUpTo);
        }

        Assert.InRange(_recorded.Count, 37, Lines - 1);
        await ImportAsync(new ImportOptions(), file);
        Assert.Equal(Lines, _recorded.Count);
        Assert.Equal(Lines, _ledger.Count);
    }

    [Fact]
    public async Task RunAsync_Cancelled_AwaitsWhatIsOnItsWay()
    {
        string file = Write("a.jsonl", string.Concat(Enumerable.Range(0, 1_000).Select(i => Line(i) + "\n")));
        using var cancel = new CancellationTokenSource();
        var import = new UsageImport(new ImportOptions { BatchSize = 10 }, (records, token) =>
        {
            if (_recorded.Count == 500)
            {
                cancel.Cancel();
            }

            return Record(records, token);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import.RunAsync([file], cancel.Token));
        Assert.Equal(_recorded.Count, import.Tally.Posted);
        Assert.InRange(_recorded.Count, 501, 999);
    }

    [Fact]
    public async Task RunAsync_RejectsIntoTheInput_IsRefused()
    {
        string file = Write("a.jsonl", Line(1));
        await Assert.ThrowsAsync<ImportException>(() => ImportAsync(new ImportOptions { Rejects = file }, file));
        Assert.True(File.Exists(file));
    }

    [Fact]
    public async Task RunAsync_MissingFile_SaysSo() =>
        await Assert.ThrowsAsync<ImportException>(() => ImportAsync(new ImportOptions(), InFolder("none")));

    [Fact]
    public async Task RunAsync_CsvWithoutTheColumn_SaysWhich()
    {
        string file = Write("a.csv", "a,b\n1,2\n");
        var options = new ImportOptions
        {
            Format = ImportFormat.Csv,
            Mapping = new CsvMapping().With([new("time", "T")], []),
        };
        var fault = await Assert.ThrowsAsync<ImportException>(() => ImportAsync(options, file));
        Assert.Contains("'T'", fault.Message, StringComparison.Ordinal);
    }

    private async Task<ImportTally> ImportAsync(ImportOptions options, params string[] files)
    {
        var import = new UsageImport(options, Record);
        await import.RunAsync(files, CancellationToken.None);
        return import.Tally;
    }

    // What the shard does with ids, without journal and ledger.
    private ValueTask<UsageReply[]> Record(IReadOnlyList<UsageRecord> records, CancellationToken cancel)
    {
        var replies = new UsageReply[records.Count];
        for (int i = 0; i < replies.Length; i++)
        {
            UsageRecord record = records[i];
            bool isNew = _ledger.TryAdd((record.Context.Source, record.Id), record.Fingerprint());
            ulong known = _ledger[(record.Context.Source, record.Id)];
            UsageStatus status = isNew ? UsageStatus.Posted
                : known == record.Fingerprint() ? UsageStatus.Exists
                : UsageStatus.Conflict;
            replies[i] = new UsageReply(status, UsageRemarks.None, default);
            if (isNew)
            {
                _recorded.Add(record);
            }
        }

        return ValueTask.FromResult(replies);
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    private string Write(string name, string text)
    {
        File.WriteAllText(InFolder(name), text);
        return InFolder(name);
    }

    private static string Line(int i, string padding = "") =>
        $$"""{"source":"s","id":"r{{i}}","time":"2026-11-01T00:00:00Z","counts":{"input.text":{{i}} },"tags":{"p":"{{padding}}"} }""";

    private static string? FindTrace()
    {
        const string Name = "AzureLLMInferenceTrace_code.csv";
        if (Environment.GetEnvironmentVariable("CIYUAN_SHARED") is { Length: > 0 } shared)
        {
            return File.Exists(Path.Combine(shared, "data", Name)) ? Path.Combine(shared, "data", Name) : null;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string trace = Path.Combine(folder.FullName, "..", "shared", "data", Name);
            if (File.Exists(Path.Combine(folder.FullName, "Ciyuan.slnx")))
            {
                return File.Exists(trace) ? trace : null;
            }
        }

        return null;
    }
}
