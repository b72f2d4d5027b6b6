using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// What stands in a block of 64 bytes: a bit for each byte, the first lowest. All bytes of a character have its bits.
/// Punctuation is what no other mask has.
/// </summary>
internal unsafe struct BlockMasks
{
    internal ulong Upper;
    internal ulong Lower;
    internal ulong Caseless;

    /// <summary>Letters whose runs are pieces of their own; they are in no other mask.</summary>
    internal ulong Apart;
    internal ulong Digits;
    internal ulong Space;
    internal ulong Blank;
    internal ulong LineEnd;
    internal ulong Apostrophe;
    internal ulong Slash;

    /// <summary>Characters about which a block does not decide: from the first of them on nothing is certain.</summary>
    internal ulong Hard;

    private const byte LetterA = 128;
    private const byte LetterB = 64;

    /// <summary>A bit of a class is set in what both tables say of the halves of a byte.</summary>
    private static Vector128<byte> LowTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(
            (byte)(LetterB | 32 | 16), LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32,
            LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32 | 2,
            LetterA | LetterB | 32, LetterA | LetterB | 32 | 8, LetterA | LetterB | 4, LetterA | 8,
            LetterA | 8, LetterA | 4, LetterA, LetterA | 1);
    }

    private static Vector128<byte> HighTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(
            (byte)(8 | 4), 0, 16 | 2 | 1, 32, LetterA, LetterB, LetterA, LetterB, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /// <summary>The masks of what is ASCII.</summary>
    /// <returns>The bytes that are not.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Classify(byte* at, out BlockMasks masks)
    {
        Block bytes = Block.Load(at);
        Block classes = bytes.Look(LowTable, HighTable);
        ulong letters = (classes | (classes << 1)).Bits;
        ulong small = (bytes << 2).Bits;
        masks.Upper = letters & ~small;
        masks.Lower = letters & small;
        masks.Caseless = masks.Apart = 0;
        masks.Digits = (classes << 2).Bits;
        masks.Blank = (classes << 3).Bits;
        masks.Space = masks.Blank | (classes << 4).Bits;
        masks.LineEnd = (classes << 5).Bits;
        masks.Apostrophe = (classes << 6).Bits;
        masks.Slash = (classes << 7).Bits;
        masks.Hard = 0;
        return bytes.Bits;
    }

    /// <summary>Adds what is not ASCII.</summary>
    /// <param name="at">The block; four bytes after it are read.</param>
    /// <param name="wide">The bytes that are not ASCII.</param>
    /// <param name="kinds">The kind of each code point.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void AddWide<TRule>(byte* at, ulong wide, byte* kinds)
        where TRule : IBlockRule
    {
        unchecked
        {
            Block bytes = Block.Load(at);
            ulong leads = wide & ~bytes.Between(0x80, 0xBF);
            ulong common = bytes.Between(0xE5, 0xE8) | (bytes.Are(0xE4) & (bytes.Between(0xB8, 0xBF) >> 1));
            common |= bytes.Are(0xE9) & (bytes.Between(0x80, 0xBD) >> 1);
            ulong bits = common | (common << 1) | (common << 2); // U+4E00 … U+9F7F
            Caseless = TRule.Apart == LettersApart.None ? bits : 0;
            Apart = TRule.Apart == LettersApart.None ? 0 : bits;
            for (ulong left = leads & ~(common | Signs(bytes)); left != 0; left &= left - 1)
            {
                int bit = BitOperations.TrailingZeroCount(left);
                int codePoint = Utf8Reader.Decode(at + bit, out int length);
                Add<TRule>(codePoint, kinds[codePoint], ((1UL << length) - 1) << bit);
            }
        }
    }

    /// <summary>
    /// Where the usual punctuation of Chinese begins, which has no bit in any mask: U+2010 to U+2027, U+3001 to U+3003,
    /// U+3008 to U+3011, U+FF01 to U+FF0F, U+FF1A to U+FF1F.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Signs(Block bytes)
    {
        // Of the third byte: two classes for each of the three beginnings E3 80, EF BC and E2 80.
        Block classes = bytes.Look(
            Vector128.Create(
                (byte)(64 | 8 | 4), 128 | 64 | 32 | 8 | 4, 128 | 32 | 8 | 4, 128 | 32 | 8 | 4,
                32 | 8 | 4, 32 | 8 | 4, 32 | 8 | 4, 32 | 8 | 4, 128 | 32 | 8, 128 | 32 | 8,
                128 | 32 | 16 | 8, 128 | 32 | 16 | 8, 128 | 32 | 16 | 8, 128 | 32 | 16 | 8,
                128 | 32 | 16 | 8, 128 | 32 | 16 | 8),
            Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 128 | 32, 64 | 16 | 8, 4, 0, 0, 0, 0, 0));
        classes |= classes << 1;
        ulong after80 = bytes.Are(0x80) >> 1;
        return (bytes.Are(0xE3) & after80 & (classes.Bits >> 2))
            | (bytes.Are(0xEF) & (bytes.Are(0xBC) >> 1) & ((classes << 2).Bits >> 2))
            | (bytes.Are(0xE2) & after80 & ((classes << 4).Bits >> 2));
    }

    /// <summary>Control characters of ASCII that are no white space.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ulong Controls(byte* at)
    {
        Block bytes = Block.Load(at);
        return (bytes.Between(0, 0x1F) & ~(Space | LineEnd)) | bytes.Between(0x7F, 0x7F);
    }

    /// <summary>The first bytes of characters of three bytes, and of four; of two are the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Leads(byte* at, byte from, byte to) =>
        Block.Load(at).Between(from, to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add<TRule>(int codePoint, byte value, ulong bits)
        where TRule : IBlockRule
    {
        CharacterKind kind = (CharacterKind)(value & UnicodeTable.KindBits);
        if (IsApart<TRule>(codePoint, value))
        {
            Apart |= kind == CharacterKind.Caseless ? bits : 0;
            Hard |= kind == CharacterKind.Caseless ? 0 : bits;
            return;
        }

        switch (kind)
        {
            case CharacterKind.Upper:
                Upper |= bits;
                break;
            case CharacterKind.Lower:
                Lower |= bits;
                break;
            case CharacterKind.Caseless:
                Caseless |= bits;
                break;
            case CharacterKind.Space:
                Space |= bits;
                Hard |= bits;
                break;
            case CharacterKind.Mark or CharacterKind.Number:
                Hard |= bits;
                break;
            case CharacterKind.Other when TRule.Segments:
                Hard |= bits;
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsApart<TRule>(int codePoint, byte value)
        where TRule : IBlockRule => TRule.Apart switch
        {
            LettersApart.Han => (value & UnicodeTable.Han) != 0,
            LettersApart.ChineseAndKana => codePoint is (>= 0x4E00 and <= 0x9FA5) or (>= 0x3040 and <= 0x30FF),
            _ => false,
        };
}
