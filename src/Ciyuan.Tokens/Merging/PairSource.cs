using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>Says what two adjacent symbols become, and how early.</summary>
internal unsafe interface IPairSource
{
    /// <summary>
    /// The rank, lower first, in the upper half and the id of the result in the lower; <see cref="ulong.MaxValue"/>
    /// when the two do not merge.
    /// </summary>
    /// <param name="at">Where the left symbol begins.</param>
    /// <param name="length">The length of both in bytes.</param>
    /// <param name="left">The id of the left symbol.</param>
    /// <param name="right">The id of the right symbol.</param>
    ulong Find(byte* at, int length, int left, int right);
}

/// <summary>Any two whose concatenation is an entry, the lowest id first.</summary>
internal readonly unsafe struct RankedPairs(TokenIndex index) : IPairSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Find(byte* at, int length, int left, int right)
    {
        int id = index.Find(at, length);
        return id == TokenIndex.None ? ulong.MaxValue : ((ulong)(uint)id << 32) | (uint)id;
    }
}

/// <summary>Any two whose concatenation is an entry, the highest score first.</summary>
internal readonly unsafe struct ScoredPairs(TokenIndex index, Vocabulary vocabulary) : IPairSource
{
    public ulong Find(byte* at, int length, int left, int right)
    {
        int id = index.Find(at, length);
        if (id == TokenIndex.None)
        {
            return ulong.MaxValue;
        }

        // The bits of a float sort like the number once negative ones are turned over; then the highest comes first.
        uint bits = BitConverter.SingleToUInt32Bits(vocabulary.ScoreOf(id));
        uint rising = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return ((ulong)~rising << 32) | (uint)id;
    }
}

/// <summary>The pairs of a list, the earliest first.</summary>
internal readonly unsafe struct ListedPairs(PairTable table) : IPairSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Find(byte* at, int length, int left, int right) => table.Find(left, right);
}
