using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
    private static Vector256<byte> LowTable => Vector256.Create(
        (byte)(LetterB | 32 | 16), LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32,
        LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32 | 2,
        LetterA | LetterB | 32, LetterA | LetterB | 32 | 8, LetterA | LetterB | 4, LetterA | 8,
        LetterA | 8, LetterA | 4, LetterA, LetterA | 1,
        LetterB | 32 | 16, LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32,
        LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32, LetterA | LetterB | 32 | 2,
        LetterA | LetterB | 32, LetterA | LetterB | 32 | 8, LetterA | LetterB | 4, LetterA | 8,
        LetterA | 8, LetterA | 4, LetterA, LetterA | 1);

    private static Vector256<byte> HighTable => Vector256.Create(
        (byte)(8 | 4), 0, 16 | 2 | 1, 32, LetterA, LetterB, LetterA, LetterB, 0, 0, 0, 0, 0, 0, 0, 0,
        8 | 4, 0, 16 | 2 | 1, 32, LetterA, LetterB, LetterA, LetterB, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>The masks of what is ASCII.</summary>
    /// <returns>The bytes that are not.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Classify(byte* at, out BlockMasks masks)
    {
        Vector256<byte> a = Vector256.Load(at);
        Vector256<byte> b = Vector256.Load(at + 32);
        Vector256<byte> classesA = Classes(a);
        Vector256<byte> classesB = Classes(b);
        ulong letters = Bits(classesA | (classesA << 1), classesB | (classesB << 1));
        ulong small = Bits(a << 2, b << 2);
        masks.Upper = letters & ~small;
        masks.Lower = letters & small;
        masks.Caseless = masks.Apart = 0;
        masks.Digits = Bits(classesA << 2, classesB << 2);
        masks.Blank = Bits(classesA << 3, classesB << 3);
        masks.Space = masks.Blank | Bits(classesA << 4, classesB << 4);
        masks.LineEnd = Bits(classesA << 5, classesB << 5);
        masks.Apostrophe = Bits(classesA << 6, classesB << 6);
        masks.Slash = Bits(classesA << 7, classesB << 7);
        masks.Hard = 0;
        return Bits(a, b);
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
            Vector256<byte> a = Vector256.Load(at);
            Vector256<byte> b = Vector256.Load(at + 32);
            ulong leads = wide & ~Between(a, b, 0x80, 0xBF);
            ulong common = Between(a, b, 0xE5, 0xE8) | (Between(a, b, 0xE4, 0xE4) & (Between(a, b, 0xB8, 0xBF) >> 1));
            common |= Between(a, b, 0xE9, 0xE9) & (Between(a, b, 0x80, 0xBD) >> 1);
            ulong bits = common | (common << 1) | (common << 2); // U+4E00 … U+9F7F
            Caseless = TRule.Apart == LettersApart.None ? bits : 0;
            Apart = TRule.Apart == LettersApart.None ? 0 : bits;
            for (ulong left = leads & ~common; left != 0; left &= left - 1)
            {
                int bit = BitOperations.TrailingZeroCount(left);
                int codePoint = Utf8Reader.Decode(at + bit, out int length);
                Add<TRule>(codePoint, kinds[codePoint], ((1UL << length) - 1) << bit);
            }
        }
    }

    /// <summary>Control characters of ASCII that are no white space.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ulong Controls(byte* at)
    {
        Vector256<byte> a = Vector256.Load(at);
        Vector256<byte> b = Vector256.Load(at + 32);
        return (Between(a, b, 0, 0x1F) & ~(Space | LineEnd)) | Between(a, b, 0x7F, 0x7F);
    }

    /// <summary>The first bytes of characters of three bytes, and of four; of two are the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Leads(byte* at, byte from, byte to) =>
        Between(Vector256.Load(at), Vector256.Load(at + 32), from, to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Between(Vector256<byte> a, Vector256<byte> b, byte from, byte to)
    {
        Vector256<byte> low = Vector256.Create(from);
        Vector256<byte> span = Vector256.Create((byte)(to - from));
        return Bits(
            Vector256.Equals(Vector256.Min(a - low, span), a - low),
            Vector256.Equals(Vector256.Min(b - low, span), b - low));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Bits(Vector256<byte> a, Vector256<byte> b) =>
        a.ExtractMostSignificantBits() | ((ulong)b.ExtractMostSignificantBits() << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Classes(Vector256<byte> bytes)
    {
        Vector256<byte> low = bytes & Vector256.Create((byte)15);
        Vector256<byte> high = (bytes.AsUInt16() >>> 4).AsByte() & Vector256.Create((byte)15);
        return Look(LowTable, low) & Look(HighTable, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Look(Vector256<byte> table, Vector256<byte> index) => Avx2.IsSupported
        ? Avx2.Shuffle(table, index)
        : Vector256.Create(
            Vector128.Shuffle(table.GetLower(), index.GetLower()),
            Vector128.Shuffle(table.GetLower(), index.GetUpper()));

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
