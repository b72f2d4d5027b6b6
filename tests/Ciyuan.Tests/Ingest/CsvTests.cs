using System.Globalization;
using System.Text;
using Ciyuan.Server.Ingest;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Ingest;

public sealed class CsvTests
{
    private static readonly string[] Pieces = ["a", "1", ",", "\"", "\n", "\r\n", "词", " ", ";"];

    [Fact]
    public void TrySplit_RandomRows_AgreesWithCsvHelper()
    {
        var random = new Random(99);
        for (int i = 0; i < 2_000; i++)
        {
            int columns = random.Next(2, 6);
            string[][] rows = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => RandomFields(random, columns))];
            string text = string.Concat(
                rows.Select(row => string.Join(',', row.Select(field => Quote(field, random))) + "\r\n"));
            Assert.Equal(ReadByCsvHelper(text), Read(text));
        }
    }

    [Theory]
    [InlineData("a,b\"c", "inside a field")]
    [InlineData("a,\"b\"c", "after a closing quote")]
    [InlineData("a,\"b", "not closed")]
    [InlineData("\"\"\"", "not closed")]
    public void TrySplit_WrongQuotes_SaysWhichColumn(string row, string reason)
    {
        Assert.False(new CsvRow(',').TrySplit(Encoding.UTF8.GetBytes(row), out string? fault));
        Assert.Contains(reason, fault, StringComparison.Ordinal);
        Assert.Contains("column", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_AzurePreset_GivesTheTokensAndTheTime()
    {
        CsvUsage reader = Bind(CsvMapping.FromPreset("azure-llm"), "TIMESTAMP,ContextTokens,GeneratedTokens");
        Assert.True(
            reader.TryParse(
                "2023-11-16 18:17:03.9799600,4808,10"u8, out UsageRecord? record, out UInt128 content, out _));
        Assert.Equal("2023-11-16T18:17:03.97996Z", record!.EventTime.ToString());
        Assert.Equal((4808L, 10L), (record.Tokens(Direction.Input), record.Tokens(Direction.Output)));
        Assert.Equal(
            new UsageContext(
                "azure-llm-2023", "acme", "code", "", "code-completion", "gpt-4", "", "azure-openai", "azure-east",
                    "completion"),
            record.Context);
        Assert.NotEqual(UInt128.Zero, content);
    }

    [Fact]
    public void TryParse_EveryKindOfField_IsTaken()
    {
        CsvMapping mapping = CsvMapping.FromYaml(
            """
            separator: ";"
            time_format: unix_ms
            map: {id: Id, time: When, counts.output.text: Out, units.second: Sec, tags.team: Team, latency_ms: Ms,
                grades.output.text: G}
            set: {source: s, outcome: cut}
            """);
        CsvUsage reader = Bind(mapping, "Id;When;Out;Sec;Team;Ms;G;Unused");
        Assert.True(
            reader.TryParse("x1;1500;7;0.25;\"a;b\";;exact;"u8, out UsageRecord? record, out _, out IngestFault fault),
                fault.ToString());
        Assert.Equal(("x1", Outcome.Cut, null), (record!.Id, record.Outcome, record.LatencyMs));
        Assert.Equal("1970-01-01T00:00:01.5Z", record.EventTime.ToString());
        Assert.Equal(
            ["output.text.fresh 7 Exact", "second 250000 Reported"],
                record.Counts.Select(c => $"{c.Meter} {c.Steps} {c.Grade}"));
        Assert.Equal([new Tag("team", "a;b")], record.Tags);
    }

    [Theory]
    [InlineData("local", "Asia/Shanghai", "2026-11-01 08:00:00", "2026-11-01T00:00:00Z")]
    [InlineData("local", "UTC", "2026-11-01T08:00:00.25", "2026-11-01T08:00:00.25Z")]
    [InlineData("unix_s", "UTC", "60", "1970-01-01T00:01:00Z")]
    [InlineData("dd/MM/yyyy HH:mm", "Europe/Berlin", "25/07/2026 10:00", "2026-07-25T08:00:00Z")]
    [InlineData("rfc3339", "UTC", "2026-11-01T08:00:00+08:00", "2026-11-01T00:00:00Z")]
    [InlineData("local", "Europe/Berlin", "2026-03-29 02:30:00", null)]
    [InlineData("local", "Europe/Berlin", "2026-10-25 02:30:00", null)]
    [InlineData("local", "UTC", "2026-11-01", null)]
    [InlineData("unix_s", "UTC", "999999999999", null)]
    public void TryParse_TimeFormats_GiveTheMomentOrAreRefused(
        string format, string zone, string text, string? expected)
    {
        CsvMapping mapping = CsvMapping.FromYaml(
            $"{{time_format: '{format}', time_zone: {zone}, map: {{time: T}}, set: {{source: s, id: i}}}}");
        bool read = Bind(mapping, "T")
            .TryParse(Encoding.UTF8.GetBytes(text), out UsageRecord? record, out _, out IngestFault fault);
        Assert.Equal(expected, read ? record!.EventTime.ToString() : null);
        Assert.Equal(expected is null ? "time" : null, fault.Field);
    }

    [Theory]
    [InlineData("x,2026-11-01T00:00:00Z,5,6", "not_csv")]
    [InlineData("x,2026-11-01T00:00:00Z", "not_csv")]
    [InlineData("x,2026-11-01T00:00:00Z,-5", "bad_value")]
    [InlineData("x,,5", "missing")]
    [InlineData(",2026-11-01T00:00:00Z,5", "missing")]
    public void TryParse_WrongRow_IsRefused(string row, string code)
    {
        CsvMapping mapping = new CsvMapping().With(
            [new("id", "Id"), new("time", "T"), new("counts.input.text", "N")], [new("source", "s")]);
        Assert.False(
            Bind(mapping, "Id,T,N").TryParse(Encoding.UTF8.GetBytes(row), out _, out _, out IngestFault fault));
        Assert.Equal(code, fault.CodeName);
    }

    [Theory]
    [InlineData("time", "Missing", "there is no column")]
    [InlineData("when", "T", "is not a field")]
    [InlineData("counts.words", "T", "is not a field")]
    [InlineData("counts.image", "T", "is not a field")]
    [InlineData("id.x", "T", "is not a field")]
    public void TryBind_WrongMapping_IsRefused(string field, string column, string reason)
    {
        CsvMapping mapping = new CsvMapping().With([new(field, column)], []);
        Assert.False(CsvColumns.TryBind(mapping, "T,N"u8, out _, out string? fault));
        Assert.Contains(reason, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void TryIdentify_EqualRows_GetIdsThatDependOnNothingElse()
    {
        CsvMapping mapping = CsvMapping.FromPreset("azure-llm");
        string[] first = [.. Ids(Bind(mapping, "TIMESTAMP,ContextTokens,GeneratedTokens"), "2023-11-16 18:17:03,5,6",
            "2023-11-16 18:17:03,5,6", "2023-11-16 18:17:03,6,5")];
        string[] moved = [.. Ids(
            Bind(mapping.With([], [new("party", "other")]), "GeneratedTokens,New,TIMESTAMP,ContextTokens"),
            "6,x,2023-11-16 18:17:03,5", "6,y,2023-11-16 18:17:03,5")];
        Assert.Equal(3, first.Distinct().Count());
        Assert.EndsWith("-2", first[1], StringComparison.Ordinal);
        Assert.Equal(first[..2], moved);
    }

    private static IEnumerable<string> Ids(CsvUsage reader, params string[] rows)
    {
        var ids = new CsvRowIds();
        foreach (string row in rows)
        {
            Assert.True(
                reader.TryParse(Encoding.UTF8.GetBytes(row), out UsageRecord? record, out UInt128 content, out _));
            Assert.True(ids.TryIdentify(record!, content, out record));
            yield return record!.Id;
        }
    }

    private static CsvUsage Bind(CsvMapping mapping, string header) =>
        CsvColumns.TryBind(mapping, Encoding.UTF8.GetBytes(header), out CsvColumns? columns, out string? fault)
            ? new CsvUsage(columns)
            : throw new Xunit.Sdk.XunitException(fault);

    private static string[] RandomFields(Random random, int columns) =>
        [.. Enumerable.Range(0, columns).Select(_ =>
            string.Concat(Enumerable.Range(0, random.Next(0, 6)).Select(_ => Pieces[random.Next(Pieces.Length)])))];

    private static string Quote(string field, Random random) => field.AsSpan().ContainsAny(",\"\r\n")
        || random.Next(4) == 0
        ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
        : field;

    private static List<string> ReadByCsvHelper(string text)
    {
        var options = new CsvHelper.CsvReaderOptions
        {
            Separator = ',',
            HasHeader = false,
            SkipEmptyLines = false,
            TrimWhitespace = false,
        };
        using CsvHelper.CsvReader reader = CsvHelper.CsvReader.FromText(text, options);
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join('|', reader.Current.ToArray()));
        }

        return rows;
    }

    private static List<string> Read(string text)
    {
        var splitter = new CsvRow(',');
        var rows = new List<string>();
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text);
        while (!rest.IsEmpty)
        {
            int end = CsvRow.FindRowEnd(rest);
            ReadOnlySpan<byte> row = rest[..(end - 2)];
            Assert.True(splitter.TrySplit(row, out string? fault), fault);
            var fields = new string[splitter.Count];
            for (int i = 0; i < fields.Length; i++)
            {
                fields[i] = Encoding.UTF8.GetString(splitter.Field(row, i));
            }

            rows.Add(string.Join('|', fields));
            rest = rest[end..];
        }

        return rows;
    }
}
