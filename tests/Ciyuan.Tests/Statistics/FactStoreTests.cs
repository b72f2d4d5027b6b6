using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Xunit;

namespace Ciyuan.Tests.Statistics;

public sealed class FactStoreTests : IDisposable
{
    private const string FileName = "stats.db";

    private static readonly ReportQuery Query = new()
    {
        GroupBy = [Dimension.Class, Dimension.Model, Dimension.Agreement],
        Bucket = Bucket.Day,
        Zone = NodaTime.DateTimeZoneProviders.Tzdb["Asia/Shanghai"],
    };

    // Five frames of 30 000 records: two sealed segments and a tail.
    private static readonly Lazy<Frame[]> Frames = new(() => [.. new SyntheticFrames(11).Make(5, 30_000)]);

    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-facts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Takes", "Long")]
    public void Run_SealedAndOpenFrames_EqualsSegmentsInMemory()
    {
        using FactStore store = Fill(Frames.Value);

        AssertSame(ReportTests.Run(Frames.Value, Query, 2), store.Run(Query));
        Assert.Equal(5, store.Run(Query).Scope.DataToSeq);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Open_AfterClosing_GoesOnAfterTheLastSealedSegment()
    {
        Report before;
        using (FactStore store = Fill(Frames.Value))
        {
            before = store.Run(Query);
        }

        using FactStore again = FactStore.Open(_folder);
        Assert.Equal(3, again.LastSeq);
        Assert.Throws<InvalidOperationException>(() => again.Apply(Frames.Value[4]));
        Array.ForEach(Frames.Value, again.Apply);
        AssertSame(before, again.Run(Query));
    }

    [Theory]
    [InlineData("deleted")]
    [InlineData("garbage")]
    [InlineData("version")]
    [Trait("Takes", "Long")]
    public void Open_UnusableFile_IsBegunAnewWithTheSameAnswers(string damage)
    {
        Report before;
        using (FactStore store = Fill(Frames.Value))
        {
            before = store.Run(Query);
        }

        string path = Path.Combine(_folder, FileName);
        if (damage == "deleted")
        {
            File.Delete(path);
        }
        else
        {
            // Byte 63 of a SQLite file is the lowest of its user_version.
            byte[] bytes = File.ReadAllBytes(path);
            bytes.AsSpan(damage == "version" ? 63 : 0, damage == "version" ? 1 : 4096).Fill(0xEE);
            File.WriteAllBytes(path, bytes);
        }

        using FactStore again = Fill(Frames.Value);
        AssertSame(before, again.Run(Query));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void OpenReadOnly_BesideTheWriter_ReadsSealedSegmentsAndTheTail()
    {
        using FactStore store = Fill(Frames.Value);
        long asked = 0;
        using FactStore reader = FactStore.OpenReadOnly(_folder, from =>
        {
            asked = from;
            return Frames.Value.Where(frame => frame.Seq >= from);
        });

        Assert.Equal(4, asked);
        AssertSame(store.Run(Query), reader.Run(Query));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void OpenReadOnly_WithoutAFile_ReadsAllFrames()
    {
        using FactStore reader = FactStore.OpenReadOnly(_folder, _ => Frames.Value);

        AssertSame(ReportTests.Run(Frames.Value, Query, 2), reader.Run(Query));
        Assert.False(File.Exists(Path.Combine(_folder, FileName)));
    }

    [Fact]
    public void Run_DamagedColumn_ThrowsInsteadOfAnswering()
    {
        using (Fill(Frames.Value))
        {
        }

        string path = Path.Combine(_folder, FileName);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^(bytes.Length / 3)] ^= 0x10;
        File.WriteAllBytes(path, bytes);
        using FactStore store = FactStore.Open(_folder);

        Assert.Throws<InvalidDataException>(() => store.Run(new ReportQuery { Bucket = Bucket.Day }));
    }

    [Fact]
    public void RunStatement_SealedAndOpenFrames_EqualsTheSumOfTheCharges()
    {
        using FactStore store = Fill(Frames.Value);
        Statement statement = store.RunStatement(new StatementQuery("sale", Period.Always, Query.Zone));

        Amount charged = Frames.Value
            .SelectMany(frame => frame.RecordResults.SelectMany(result => result.Charges)
                .Concat(frame.CorrectionResults.SelectMany(r => r.Records).SelectMany(record => record.Charges)))
            .Where(charge => charge.Rate.Agreement == "sale")
            .Aggregate(Amount.Zero, (sum, charge) => sum + charge.Amount);
        Assert.Equal(charged, statement.Exact);
    }

    [Fact]
    public void Run_QueryWithAFault_SaysWhich()
    {
        using FactStore store = FactStore.Open(_folder);
        var query = new ReportQuery { GroupBy = [Dimension.Party, Dimension.Party] };

        Assert.Contains("each once", Assert.Throws<ArgumentException>(() =>
            store.Run(query)).Message, StringComparison.Ordinal);
    }

    private static void AssertSame(Report expected, Report actual)
    {
        Assert.Equal(expected.Columns, actual.Columns);
        Assert.Equal(expected.Rows.Select(Print), actual.Rows.Select(Print));
        Assert.Equal(Print(expected.Total), Print(actual.Total));
    }

    private static string Print(ReportRow row) => $"{string.Join('|', row.Key)}: {string.Join(' ', row.Values)}";

    private FactStore Fill(Frame[] frames)
    {
        FactStore store = FactStore.Open(_folder);
        Array.ForEach(frames, store.Apply);
        return store;
    }
}
