using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Finds the id of a run of bytes. Entries of up to twelve bytes stand, bytes and id, in 16 bytes of a table of lines
/// of four; longer ones behind a hash, and are compared. A bit for each hash comes first: most runs that are asked for
/// are no entry. Immutable.
/// </summary>
internal sealed unsafe class TokenIndex : IDisposable
{
    /// <summary>No id.</summary>
    internal const int None = int.MaxValue;

    /// <summary>How many bytes after a run may be read.</summary>
    internal const int Slack = 16;

    private const int MaxShort = 12;
    private const int FilterBits = 21;
    private const ulong IdBits = 0x0FFFFFFF_00000000;
    private readonly HugeMemory _memory;
    private readonly ulong* _lines;
    private readonly uint* _filter;
    private readonly int _lineShift;
    private readonly int _lineMask;
    private readonly int[] _long;
    private readonly int _longMask;
    private readonly Vocabulary _vocabulary;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal TokenIndex(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        EntryBytes entries = vocabulary.Entries;
        int longOnes = 0;
        for (int id = 0; id < entries.Count; id++)
        {
            int length = entries.IsMade(id) ? entries.Lengths[id] : 0;
            MaxLength = Math.Max(MaxLength, length);
            longOnes += length > MaxShort ? 1 : 0;
        }

        // Four to a line, at most four fifths full.
        int lines = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(vocabulary.MaxId * 5L / 16, 16));
        _lineMask = lines - 1;
        _lineShift = 64 - BitOperations.Log2((uint)lines);
        nuint filterBytes = 1 << (FilterBits - 3);
        _memory = new HugeMemory(((nuint)lines * 64) + filterBytes);
        _lines = (ulong*)_memory.Pointer;
        _filter = (uint*)(_memory.Pointer + ((nuint)lines * 64));
        _long = new int[BitOperations.RoundUpToPowerOf2((uint)(longOnes * 2) + 16)];
        _longMask = _long.Length - 1;
        _long.AsSpan().Fill(-1);
        AddAll(entries);
    }

    /// <summary>The length of the longest entry.</summary>
    internal int MaxLength { get; }

    /// <summary>Bytes outside of the managed heap.</summary>
    internal long NativeBytes => (long)_memory.Bytes;

    public void Dispose() => _memory.Dispose();

    /// <summary>
    /// The id of a run; <see cref="None"/> when it is no entry. Up to <see cref="Slack"/> bytes after it are read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Find(byte* at, int length)
    {
        unchecked
        {
            if (length > MaxShort)
            {
                return length > MaxLength ? None : FindLong(at, length);
            }

            ulong low = SpanHash.Low(at, length);
            ulong high = ((ulong)length << 60) | (length <= 8 ? 0 : SpanHash.Low(at + 8, length - 8));
            ulong hash = SpanHash.Of(low, high);
            uint bit = (uint)(hash >> (64 - FilterBits));
            if ((_filter[bit >> 5] >> (int)(bit & 31) & 1) == 0)
            {
                return None;
            }

            for (int line = (int)(hash >> _lineShift); ; line = (line + 1) & _lineMask)
            {
                ulong* entry = _lines + ((nint)line * 8);
                for (int i = 0; i < 8; i += 2)
                {
                    if (entry[i] == low && (entry[i + 1] & ~IdBits) == high)
                    {
                        return (int)((entry[i + 1] & IdBits) >> 32);
                    }

                    if (entry[i + 1] == 0)
                    {
                        return None;
                    }
                }
            }
        }
    }

    /// <summary>Has fetched what <see cref="Find"/> looks at for a run of up to twelve bytes with this hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Prefetch(ulong hash)
    {
        if (Sse.IsSupported)
        {
            unchecked
            {
                Sse.Prefetch0(_lines + ((nint)(hash >> _lineShift) * 8));
                Sse.Prefetch0(_filter + (nint)(hash >> (64 - FilterBits + 5)));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindLong(byte* at, int length)
    {
        unchecked
        {
            ulong hash = SpanHash.Of(at, length);
            uint bit = (uint)(hash >> (64 - FilterBits));
            if ((_filter[bit >> 5] >> (int)(bit & 31) & 1) == 0)
            {
                return None;
            }

            for (int slot = (int)(hash >> 32) & _longMask; ; slot = (slot + 1) & _longMask)
            {
                int id = _long[slot];
                if (id < 0)
                {
                    return None;
                }

                if (_vocabulary.BytesOf(id).SequenceEqual(new ReadOnlySpan<byte>(at, length)))
                {
                    return id;
                }
            }
        }
    }

    /// <summary>
    /// Takes in all entries, the short ones by batches: their lines are fetched together before they are written.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddAll(EntryBytes entries)
    {
        const int Batch = 64;
        byte* room = stackalloc byte[MaxShort + Slack];
        ulong* batch = stackalloc ulong[Batch * 3];
        int waiting = 0;
        fixed (byte* bytes = entries.Bytes)
        {
            int lastReadable = entries.Bytes.Length - Slack;
            for (int id = 0; id < entries.Count; id++)
            {
                int length = entries.IsMade(id) ? entries.Lengths[id] : 0;
                if (length > MaxShort)
                {
                    AddLong(entries[id], id);
                }
                else if (length > 0)
                {
                    byte* at = bytes + entries.Starts[id];
                    if (entries.Starts[id] > lastReadable)
                    {
                        entries[id].CopyTo(new Span<byte>(room, MaxShort));
                        at = room;
                    }

                    Prepare(at, length, id, batch + (3 * waiting++));
                }

                waiting = waiting < Batch ? waiting : AddShort(batch, waiting);
            }
        }

        AddShort(batch, waiting);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int AddShort(ulong* batch, int waiting)
    {
        for (int i = 0; i < waiting; i++)
        {
            AddShort(batch[3 * i], batch[(3 * i) + 1], batch[(3 * i) + 2]);
        }

        return 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Prepare(byte* at, int length, int id, ulong* to)
    {
        unchecked
        {
            ulong low = SpanHash.Low(at, length);
            ulong high = ((ulong)length << 60) | (length <= 8 ? 0 : SpanHash.Low(at + 8, length - 8));
            ulong hash = SpanHash.Of(low, high);
            to[0] = low;
            to[1] = high | ((ulong)id << 32);
            to[2] = hash;
            Prefetch(hash);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddShort(ulong low, ulong high, ulong hash)
    {
        unchecked
        {
            SetBit(hash);
            for (int line = (int)(hash >> _lineShift); ; line = (line + 1) & _lineMask)
            {
                ulong* entry = _lines + ((nint)line * 8);
                for (int i = 0; i < 8; i += 2)
                {
                    if (entry[i + 1] == 0)
                    {
                        entry[i] = low;
                        entry[i + 1] = high;
                        return;
                    }

                    if (entry[i] == low && ((entry[i + 1] ^ high) & ~IdBits) == 0)
                    {
                        return; // of two equal entries the first
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddLong(ReadOnlySpan<byte> bytes, int id)
    {
        unchecked
        {
            fixed (byte* at = bytes)
            {
                ulong hash = SpanHash.Of(at, bytes.Length);
                SetBit(hash);
                int slot = (int)(hash >> 32) & _longMask;
                while (_long[slot] >= 0 && !_vocabulary.BytesOf(_long[slot]).SequenceEqual(bytes))
                {
                    slot = (slot + 1) & _longMask;
                }

                _long[slot] = _long[slot] < 0 ? id : _long[slot];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetBit(ulong hash)
    {
        unchecked
        {
            uint bit = (uint)(hash >> (64 - FilterBits));
            _filter[bit >> 5] |= 1u << (int)(bit & 31);
        }
    }
}
