using Ciyuan.Journal;
using Ciyuan.Storage;
using Xunit;

namespace Ciyuan.Tests.Storage;

public sealed class IdIndexTests
{
    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 33)]
    [InlineData(3, 1_000)]
    [Trait("Takes", "Long")]
    public void TryFind_AfterFlushesMergesAndReopening_AnswersLikeADictionary(int seed, int generation)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(seed);
        var model = new Dictionary<UInt128, PastId>();
        IdIndex index = Open(folder, generation);
        for (long seq = 1; seq <= 600; seq++)
        {
            index.BeginFrame(seq);
            for (int i = random.Next(0, 12); i > 0; i--)
            {
                UInt128 digest = Digest(random);
                var past = new PastId(Half(random), new FramePosition(seq, i), (byte)random.Next(256));
                Assert.False(index.TryFind(digest, out _));
                index.Add(digest, past);
                model.Add(digest, past);
            }

            index.EndFrame();
            index.SetDurable(seq);
            if (random.Next(100) == 0)
            {
                index.Freeze();
                index.WaitForFlush();
                index.Dispose();
                index = Open(folder, generation);
                Assert.Equal(seq, index.CoveredSeq);
            }
        }

        index.BeginFrame(601);
        AssertSame(index, model, random);
        index.Dispose();
    }

    [Fact]
    public void TryFind_WithDigestsThatAreNotUniform_FindsThemAll()
    {
        using var folder = new TemporaryFolder();
        using IdIndex index = Open(folder, 100);
        var model = new Dictionary<UInt128, PastId>();
        var random = new Random(7);
        for (int seq = 1; seq <= 40; seq++)
        {
            index.BeginFrame(seq);
            for (int i = 0; i < 50; i++)
            {
                var number = (UInt128)((seq * 1_000) + i);
                UInt128 digest = i % 2 == 0 ? number : UInt128.MaxValue - number;
                index.Add(digest, new PastId(1, new FramePosition(seq, i), 0));
                model.Add(digest, new PastId(1, new FramePosition(seq, i), 0));
            }

            index.EndFrame();
            index.SetDurable(seq);
        }

        index.Freeze();
        index.WaitForFlush();
        index.BeginFrame(41);
        AssertSame(index, model, random);
    }

    [Fact]
    public void TryFind_WhenReplayingFramesThatFilesCover_SeesOnlyEarlierOnes()
    {
        using var folder = new TemporaryFolder();
        using (IdIndex first = Open(folder, 4))
        {
            Fill(first, 1, 20, 4);
        }

        using IdIndex index = Open(folder, 4);
        Assert.Equal(20, index.CoveredSeq);
        index.BeginFrame(10);
        Assert.True(index.TryFind(Key(9, 3), out PastId past));
        Assert.Equal(new FramePosition(9, 3), past.Position);
        Assert.False(index.TryFind(Key(10, 0), out _));
        Assert.False(index.TryFind(Key(20, 0), out _));
        index.Add(Key(10, 0), new PastId(5, new FramePosition(10, 0), 0));
        Assert.True(index.TryFind(Key(10, 0), out _));
        Assert.False(index.TryFind(Key(10, 1), out _));
        index.EndFrame();
        index.BeginFrame(21);
        Assert.True(index.TryFind(Key(20, 3), out _));
    }

    [Fact]
    public void Open_WithADamagedFile_CoversOnlyTheFramesBeforeIt()
    {
        using var folder = new TemporaryFolder();
        using (IdIndex index = Open(folder, 4))
        {
            Fill(index, 1, 5, 4);
        }

        string[] files = [.. Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal)];
        byte[] bytes = File.ReadAllBytes(files[2]);
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(files[2], bytes);
        using IdIndex damaged = Open(folder, 4);
        Assert.Equal(2, damaged.CoveredSeq);
        damaged.BeginFrame(3);
        Assert.True(damaged.TryFind(Key(2, 0), out _));
        Assert.False(damaged.TryFind(Key(3, 0), out _));
    }

    [Fact]
    public void Freeze_BeforeItsFramesAreDurable_WritesNothing()
    {
        using var folder = new TemporaryFolder();
        using (IdIndex index = Open(folder, 4))
        {
            index.BeginFrame(1);
            index.Add(Key(1, 0), new PastId(1, new FramePosition(1, 0), 0));
            index.EndFrame();
            index.Freeze();
            Assert.True(index.TryFind(Key(1, 0), out _));
        }

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Merging_OfManyFiles_KeepsFewerThanEightOfEachSize()
    {
        using var folder = new TemporaryFolder();
        using (IdIndex index = Open(folder, 4))
        {
            Fill(index, 1, 400, 4);
        }

        // Merges that the end of the first index interrupted go on with the next one.
        for (int i = 0; i < 3; i++)
        {
            using IdIndex next = Open(folder, 4);
            Fill(next, 401 + (i * 100), 100, 4);
        }

        List<IdRun> runs = IdRunFolder.OpenRuns(folder.Path, verify: true);
        Assert.Equal(700 * 4, runs.Sum(r => r.Format.Count));
        Assert.Equal(700, runs[^1].Format.LastSeq);
        Assert.InRange(runs.Count, 1, 200);
        runs.ForEach(r => r.Dispose());
    }

    [Theory]
    [InlineData(new long[] { 9, 9, 9, 9, 9, 9, 9 }, -1)]
    [InlineData(new long[] { 9, 9, 9, 9, 9, 9, 9, 9 }, 0)]
    [InlineData(new long[] { 100, 9, 9, 9, 9, 9, 9, 9, 9 }, 1)]
    [InlineData(new long[] { 100, 9, 9, 9, 9, 9, 9, 9 }, -1)]
    [InlineData(new long[] { 5_000, 100, 100, 9, 100, 100, 100, 100, 9, 100, 100 }, 1)]
    public void FindMerge_BySizes_TakesEightOfAClassAndWhatIsBetween(long[] sizes, int from) =>
        Assert.Equal(from, IdRunFolder.FindMerge(sizes));

    private static IdIndex Open(TemporaryFolder folder, int generation)
    {
        return IdIndex.Open(folder.Path, NoFrames, generation);
    }

    private static FrameReader NoFrames => null!;

    private static void Fill(IdIndex index, int from, int frames, int each)
    {
        for (int seq = from; seq < from + frames; seq++)
        {
            index.BeginFrame(seq);
            for (int i = 0; i < each; i++)
            {
                index.Add(Key(seq, i), new PastId(5, new FramePosition(seq, i), 0));
            }

            index.EndFrame();
            index.SetDurable(seq);
        }

        index.WaitForFlush();
    }

    private static void AssertSame(IdIndex index, Dictionary<UInt128, PastId> model, Random random)
    {
        foreach ((UInt128 digest, PastId past) in model)
        {
            Assert.True(index.TryFind(digest, out PastId found));
            Assert.Equal(past, found);
            Assert.False(index.TryFind(digest ^ 1, out _) && !model.ContainsKey(digest ^ 1));
        }

        for (int i = 0; i < 1_000; i++)
        {
            Assert.False(index.TryFind(Digest(random), out _));
        }
    }

    private static UInt128 Key(int seq, int i)
    {
        var random = new Random((seq * 1_000) + i);
        return Digest(random);
    }

    private static UInt128 Digest(Random random) => new(Half(random), Half(random));

    private static ulong Half(Random random) => unchecked((ulong)random.NextInt64(long.MinValue, long.MaxValue));
}
