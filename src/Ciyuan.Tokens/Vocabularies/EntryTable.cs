using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Finds entries by their bytes: open addressing over ids, half full at most.</summary>
internal sealed class EntryTable
{
    private readonly EntryBytes _entries;
    private readonly int[] _slots; // id + 1; 0 where free
    private readonly uint _mask;

    /// <summary>Takes in the entries that the model makes. Of two with the same bytes the lower id is found.</summary>
    internal EntryTable(EntryBytes entries)
    {
        _entries = entries;
        _slots = new int[BitOperations.RoundUpToPowerOf2(((uint)entries.Count * 2) + 16)];
        _mask = (uint)_slots.Length - 1;
        AddAll();
    }

    internal bool TryFind(ReadOnlySpan<byte> bytes, out int id)
    {
        for (uint slot = Hash(bytes) & _mask; ; slot = unchecked(slot + 1) & _mask)
        {
            id = _slots[slot] - 1;
            if (id < 0 || _entries[id].SequenceEqual(bytes))
            {
                return id >= 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddAll()
    {
        for (int id = 0; id < _entries.Count; id++)
        {
            if (_entries.Kinds[id] is not ((byte)EntryKind.Normal or (byte)EntryKind.Unused))
            {
                continue;
            }

            ReadOnlySpan<byte> bytes = _entries[id];
            uint slot = Hash(bytes) & _mask;
            while (_slots[slot] != 0 && !_entries[_slots[slot] - 1].SequenceEqual(bytes))
            {
                slot = unchecked(slot + 1) & _mask;
            }

            _slots[slot] = _slots[slot] == 0 ? id + 1 : _slots[slot];
        }
    }

    /// <summary>A multiply and a fold for each eight bytes: an entry is seldom longer.</summary>
    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = unchecked((ulong)bytes.Length * 0x9E3779B97F4A7C15);
        while (bytes.Length >= 8)
        {
            hash = Fold(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        return unchecked((uint)Fold(hash ^ Rest(bytes)));
    }

    /// <summary>The up to seven bytes that are left, in any way that tells them apart together with the length.</summary>
    private static ulong Rest(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        0 => 0,
        >= 4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes)
            | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]) << 32),
        _ => bytes[0] | ((ulong)bytes[bytes.Length >> 1] << 8) | ((ulong)bytes[^1] << 16),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong value)
    {
        ulong high = Math.BigMul(value, 0xD6E8FEB86659FD93, out ulong low);
        return high ^ low;
    }
}
