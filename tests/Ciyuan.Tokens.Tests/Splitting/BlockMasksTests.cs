using System.Text;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Tests.Splitting;

public sealed class BlockMasksTests
{
    /// <summary>What is passed over without a look at its kind is punctuation or a symbol, and not Han.</summary>
    [Fact]
    public unsafe void Signs_EveryCharacter_AreThosePromisedAndPunctuation()
    {
        byte* bytes = stackalloc byte[64];
        List<int> found = [];
        for (int codePoint = 0x80; codePoint < 0x10FFFF; codePoint++)
        {
            if (Rune.IsValid(codePoint))
            {
                new Span<byte>(bytes, 64).Fill((byte)'a');
                new Rune(codePoint).EncodeToUtf8(new Span<byte>(bytes + 7, 4));
                ulong signs = BlockMasks.Signs(Block.Load(bytes));
                Assert.True(signs is 0 or 1 << 7);
                found.AddRange(signs == 0 ? [] : [codePoint]);
            }
        }

        (int From, int To)[] promised =
            [(0x2010, 0x2027), (0x3001, 0x3003), (0x3008, 0x3011), (0xFF01, 0xFF0F), (0xFF1A, 0xFF1F)];
        Assert.Equal(promised.SelectMany(range => Enumerable.Range(range.From, range.To - range.From + 1)), found);
        Assert.All(found, codePoint => Assert.True(
            (CharacterKind)UnicodeTable.Kinds[codePoint] is CharacterKind.Punctuation or CharacterKind.Symbol));
    }
}
