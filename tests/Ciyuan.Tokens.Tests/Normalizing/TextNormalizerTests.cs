using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Ciyuan.Tokens.Normalizing;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Normalizing;

public sealed class TextNormalizerTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \n\u3000", "")]
    [InlineData("a", "▁a")]
    [InlineData("  a \t b\u2003c\n", "▁a▁b▁c")]
    [InlineData("▁a b▁c", "▁a▁b▁c")]
    public void Write_Words_MarksEachAndDropsWhatIsBetween(string text, string expected) =>
        Assert.Equal(expected, Written(new TextNormalizer(Normalization.None, areWords: true), text));

    /// <summary>SentencePiece's remove_extra_whitespaces: a text of spaces alone has no token.</summary>
    [Theory]
    [InlineData("   ", "")]
    [InlineData("▁", "")]
    [InlineData(" a  b ▁ ", "▁a▁b")]
    public void Write_CollapsedSpaces_LeavesNoneAtTheEnds(string text, string expected) => Assert.Equal(
        expected, Written(new TextNormalizer(new(UnicodeForm.None, true, SpacePrefix.EachStretch, true)), text));

    /// <summary>A becomes b, AB becomes c; of a cluster that begins with A, all becomes b.</summary>
    [Theory]
    [InlineData(UnicodeForm.CharacterMap, "xAByA", "xcyb")]
    [InlineData(UnicodeForm.CharacterMap, "A\u0301中", "b\u0301中")]
    [InlineData(UnicodeForm.ClusterMap, "xAByA", "xbByb")]
    [InlineData(UnicodeForm.ClusterMap, "A\u0301中", "b中")]
    [InlineData(UnicodeForm.ClusterMap, "A\u0301\u0302\u0303", "b\u0301\u0302\u0303")]
    public void Write_CharacterMap_GivesWhatTheMapSays(UnicodeForm form, string text, string expected) =>
        Assert.Equal(expected, Written(Mapped(form, Map()), text));

    /// <summary>Marks in any order, and as many as one likes, are brought into form in linear time.</summary>
    [Fact]
    public void Write_MillionMarks_GivesAllOfThemInOrder()
    {
        string marks = string.Concat(Enumerable.Repeat("\u0301\u0316", 500_000));
        string ordered = new string('\u0316', 500_000) + new string('\u0301', 500_000);
        Normalization nfkc = new(UnicodeForm.Nfkc, false, SpacePrefix.None, false);

        Assert.Equal("q" + ordered, Written(new TextNormalizer(nfkc), "q" + marks));
    }

    [Fact]
    public void Write_DamagedMap_EndsAndReadsNothingBeyondIt()
    {
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] map = Map();
            for (int changes = 1 + (i % 4); changes > 0; changes--)
            {
                map[random.Next(4, map.Length - 1)] = (byte)random.Next(256);
            }

            UnicodeForm form = i % 2 == 0 ? UnicodeForm.CharacterMap : UnicodeForm.ClusterMap;
            Assert.Null(Record.Exception(() => Written(Mapped(form, map), "xAByA\u0301\n\n\n")));
        }
    }

    private static TextNormalizer Mapped(UnicodeForm form, byte[] map) =>
        new(new Normalization(form, false, SpacePrefix.None, false) { CharacterMap = map });

    /// <summary>A trie by hand: from the root (0) by A to 0x40, whose end is 0x140; from there by B to 0x102.</summary>
    internal static byte[] Map()
    {
        const int Units = 0x200;
        byte[] map = [.. new byte[4 + (4 * Units)], .. "b\0c\0"u8];
        BinaryPrimitives.WriteInt32LittleEndian(map, 4 * Units);
        Put(0, 1 << 10);
        Put(0x40, 'A' | (1 << 8) | (0x100 << 10));
        Put(0x140, int.MinValue | 0);
        Put(0x102, 'B' | (1 << 8) | (4 << 10));
        Put(0x106, int.MinValue | 2);
        return map;

        void Put(int unit, int value) => BinaryPrimitives.WriteInt32LittleEndian(map.AsSpan(4 + (4 * unit)), value);
    }

    private static string Written(TextNormalizer normalizer, string text)
    {
        ArrayBufferWriter<byte> to = new();
        normalizer.Write(Encoding.UTF8.GetBytes(text), first: true, to);
        return Encoding.UTF8.GetString(to.WrittenSpan);
    }
}
