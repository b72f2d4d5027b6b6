using System.Numerics;
using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>The listed merges by their two ids: 16 bytes a slot, half of the slots empty. Immutable.</summary>
internal sealed unsafe class PairTable : IDisposable
{
    private readonly HugeMemory _memory;
    private readonly ulong* _slots;
    private readonly int _shift;
    private readonly nint _mask;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal PairTable(ReadOnlySpan<Merge> merges)
    {
        uint slots = BitOperations.RoundUpToPowerOf2((uint)Math.Max(merges.Length * 2L, 16));
        _memory = new HugeMemory((nuint)slots * 16);
        _slots = (ulong*)_memory.Pointer;
        _shift = 64 - BitOperations.Log2(slots);
        _mask = (nint)slots - 1;
        for (int rank = 0; rank < merges.Length; rank++)
        {
            Merge merge = merges[rank];
            ulong key = Key(merge.Left, merge.Right);
            nint slot = Slot(key);
            while (_slots[slot * 2] != 0 && _slots[slot * 2] != key)
            {
                slot = (slot + 1) & _mask;
            }

            if (_slots[slot * 2] == 0)
            {
                _slots[slot * 2] = key;
                _slots[(slot * 2) + 1] = ((ulong)rank << 32) | (uint)merge.Result;
            }
        }
    }

    internal long NativeBytes => (long)_memory.Bytes;

    public void Dispose() => _memory.Dispose();

    /// <summary>Rank and result as <see cref="IPairSource.Find"/> gives them. Negative ids are in no pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal ulong Find(int left, int right)
    {
        unchecked
        {
            if ((left | right) < 0)
            {
                return ulong.MaxValue;
            }

            ulong key = Key(left, right);
            for (nint slot = Slot(key); ; slot = (slot + 1) & _mask)
            {
                ulong there = _slots[slot * 2];
                if (there == key)
                {
                    return _slots[(slot * 2) + 1];
                }

                if (there == 0)
                {
                    return ulong.MaxValue;
                }
            }
        }
    }

    private static ulong Key(int left, int right) => unchecked(((ulong)(uint)(left + 1) << 32) | (uint)right);

    private nint Slot(ulong key) => unchecked((nint)((key ^ (key >> 21)) * SpanHash.First >> _shift));
}
