using System.Buffers.Binary;
using System.Text;
using Ciyuan.Tokens.Counting;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Counting;

/// <summary>The index that compact files have of themselves, and what is counted with it alone.</summary>
public sealed class EarlyCounterTests
{
    public static TheoryData<string> Names => new(ShippedVocabularies.Names.ToArray());

    [Theory]
    [MemberData(nameof(Names))]
    public void TryCount_RandomText_GivesWhatTheTablesGive(string name)
    {
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);
        var scanner = PieceScanner.For(vocabulary.Split);
        using var tokenizer = Tokenizer.For(vocabulary);
        int decided = 0;
        EarlyCounter? early = null;
        for (int seed = 0; seed < 400; seed++)
        {
            early = seed % 40 == 0 ? EarlyCounter.For(vocabulary, scanner) : early; // each may spend so much
            byte[] text = Encoding.UTF8.GetBytes(new RandomText(seed).Next(1 + (seed % 30)));
            List<int> ids = [];
            tokenizer.Encode(text, ids); // by the tables
            if (early!.TryCount(text, out int count))
            {
                decided++;
                Assert.True(ids.Count == count, $"{name}, seed {seed}");
            }
        }

        Assert.True(decided > 20, $"{name}: only {decided} of 400 were decided");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Count_FirstText_IsThatOfTheIds(string name)
    {
        string[] texts =
            ["", "x", "Hello, world! It's 2026.", "你好，世界。词元计数", "<think>a</think>", "é\u0301ſ"];
        foreach (string text in texts)
        {
            using var fresh = Tokenizer.For(VocabularyCatalog.Shipped.Get(name));
            using var tables = Tokenizer.For(VocabularyCatalog.Shipped.Get(name));
            int expected = tables.Encode(text).Length;

            Assert.Equal(expected, fresh.Count(text));
            Assert.Equal(expected, fresh.Count(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(Math.Min(expected, 2), fresh.CountUpTo(text, 1));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Takes", "Long")]
    public void Index_Shipped_FindsEveryEntryAndEveryMerge(string name)
    {
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);
        StoredIndex index = vocabulary.Index!;
        ReadOnlySpan<Merge> merges = vocabulary.Merges;
        Merge? absent = null;
        if (vocabulary.Model == TokenModel.MergeBpe)
        {
            for (int rank = 0; rank < merges.Length; rank++)
            {
                ulong found = index.Find([], merges[rank].Left, merges[rank].Right);
                absent ??= found == ((ulong)rank << 32 | (uint)merges[rank].Result) ? null : merges[rank];
            }
        }
        else
        {
            for (int id = 0; id <= vocabulary.MaxId; id++)
            {
                bool isEntry = vocabulary.KindOf(id) is EntryKind.Normal or EntryKind.Unused;
                absent ??= !isEntry || index.FindEntry(vocabulary.BytesOf(id)) == id ? null : new Merge(0, 0, id);
            }
        }

        Assert.Null(absent);
        Assert.Equal(-1, index.FindEntry("no entry has these bytes"u8));
        Assert.Equal(ulong.MaxValue, index.Find("no entry has these bytes"u8, 0xFFFFF, 0xFFFFF));
    }

    /// <summary>A file of before the index is still read, and counts the same.</summary>
    [Fact]
    public void Open_FirstVersion_CountsTheSame()
    {
        (_, ReadOnlyMemory<byte> image) = Assert.Single(
            ShippedVocabularies.Files(), file => file.FileName == "cl100k_base.vocab");
        ImageHeader header = ImageReader.ReadHeader(image.Span);
        byte[] first = image[..header.IndexAt].ToArray();
        first[7] = ImageFormat.FirstVersion;
        first.AsSpan(56, 4).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(first.AsSpan(8), ImageFormat.Checksum(first));
        Vocabulary old = Vocabulary.Open(first);
        using var before = Tokenizer.For(old);
        using var now = Tokenizer.For(VocabularyCatalog.Shipped.Get("cl100k_base"));

        Assert.Null(old.Index);
        Assert.Equal(now.Count("It's the same, 一样的。"), before.Count("It's the same, 一样的。"));
    }
}
