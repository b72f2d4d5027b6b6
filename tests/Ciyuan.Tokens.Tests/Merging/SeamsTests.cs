using System.Text;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Merging;

public sealed class SeamsTests
{
    /// <summary>
    /// Each boundary between characters of three bytes over which an entry reaches, with all of both or a part of
    /// either, is no seam.
    /// </summary>
    [Theory]
    [InlineData("o200k_base")]
    [InlineData("qwen3")]
    [InlineData("deepseek_v4")]
    public void Between_BoundaryWithinAnEntry_IsNoSeam(string name)
    {
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);
        using var seams = new Seams(vocabulary);
        int boundaries = 0;
        EntryBytes entries = vocabulary.Entries;
        for (int id = 0; id < entries.Count; id++)
        {
            ReadOnlySpan<byte> entry = entries.IsMade(id) ? entries[id] : [];
            for (int at = 1; at < entry.Length; at++)
            {
                if (entry[at] is >= 0xE0 and < 0xF0 && IsInside(entry[at - 1]))
                {
                    foreach (byte[] both in Completed(entry, at))
                    {
                        Assert.True(!IsSeam(seams, both), $"{id}: {Convert.ToHexString(entry)} at {at}");
                        boundaries++;
                    }
                }
            }
        }

        Assert.True(boundaries > 5000, $"{boundaries} boundaries");
    }

    /// <summary>Rare neighbours are seams: else nothing would ever be cut.</summary>
    [Fact]
    public void Between_RareNeighbours_AreMostlySeams()
    {
        using var seams = new Seams(VocabularyCatalog.Shipped.Get("o200k_base"));
        int found = 0;
        for (int i = 0; i < 1000; i++)
        {
            string both = $"{(char)(0x4E00 + (i * 20))}{(char)(0x9FA0 - i)}";
            found += IsSeam(seams, Encoding.UTF8.GetBytes(both)) ? 1 : 0;
        }

        Assert.InRange(found, 900, 1000);
    }

    private static bool IsInside(byte value) => (value & 0xC0) == 0x80;

    /// <summary>The six bytes around a boundary, with each way to complete what the entry does not have.</summary>
    private static IEnumerable<byte[]> Completed(ReadOnlySpan<byte> entry, int at)
    {
        byte[] left = at >= 3 && entry[at - 3] is >= 0xE0 and < 0xF0 ? entry[(at - 3)..at].ToArray()
            : at == 2 && IsInside(entry[0]) ? [0xE4, entry[0], entry[1]]
            : at == 1 ? [0xE4, 0xB8, entry[0]] : [];
        byte[] right = entry[at..Math.Min(at + 3, entry.Length)].ToArray();
        return left.Length == 0 ? []
            : right.Length == 3 ? [[.. left, .. right]]
            : right.Length == 2 ? [[.. left, .. right, 0x81], [.. left, .. right, 0xBF]]
            : Enumerable.Range(0x80, 0x40).Select(second => (byte[])[.. left, right[0], (byte)second, 0x8D]);
    }

    private static unsafe bool IsSeam(Seams seams, byte[] both)
    {
        byte* block = stackalloc byte[80];
        both.CopyTo(new Span<byte>(block + 11, 6));
        return seams.Between(block, 1UL << 14) == 1UL << 14;
    }
}
