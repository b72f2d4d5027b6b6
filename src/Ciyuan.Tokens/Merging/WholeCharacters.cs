using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// The characters of two and three bytes that merging may begin with, in place of their bytes, without changing any
/// result. Such a character merges into one token, by merges of ranks up to some m. No entry reaches from a part of it
/// over its edges, for which its neighbours are looked at, and what has all of it at an edge, and more, has a higher
/// rank than m. So, as long as it is incomplete, a merge inside of it is due before any that involves it and a
/// neighbour; and a merge between others that is due before is so either way. Immutable.
/// </summary>
internal sealed unsafe class WholeCharacters : IDisposable
{
    private readonly HugeMemory _ids = new(0x10000 * sizeof(int));
    private readonly int[] _byteIds = new int[256];
    private readonly Seams _seams;
    private TokenIndex? _entries;

    private WholeCharacters(Vocabulary vocabulary, Seams seams)
    {
        _seams = seams;
        for (int value = 0; value < 256; value++)
        {
            _byteIds[value] = vocabulary.ByteId((byte)value);
        }

        new Span<int>(_ids.Pointer, 0x10000).Fill(-1);
    }

    /// <summary>How many there are.</summary>
    internal int Number { get; private set; }

    private int* Ids => (int*)_ids.Pointer;

    public void Dispose() => _ids.Dispose();

    /// <summary>
    /// For models that begin with characters: all of them, with their ids, or -1 for those without one.
    /// </summary>
    internal static WholeCharacters All(Vocabulary vocabulary, Seams seams, TokenIndex entries) =>
        new(vocabulary, seams) { _entries = entries };

    /// <summary>Finds them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static WholeCharacters Find<TPairs>(Vocabulary vocabulary, Seams seams, TPairs pairs)
        where TPairs : struct, IPairSource
    {
        WholeCharacters found = new(vocabulary, seams);
        if (vocabulary.Split == SplitRule.Falcon || found._byteIds.Contains(-1))
        {
            return found; // none: characters come in parts
        }

        EdgeRanks edges = new();
        if (vocabulary.Model == TokenModel.RankBpe)
        {
            EntryBytes entries = vocabulary.Entries;
            for (int id = 0; id < entries.Count; id++)
            {
                if (!entries.IsAscii(id))
                {
                    edges.Note(entries[id], (uint)id);
                }
            }
        }
        else
        {
            ReadOnlySpan<Merge> merges = vocabulary.Merges;
            for (int rank = 0; rank < merges.Length; rank++)
            {
                edges.Note(vocabulary.BytesOf(merges[rank].Result), (uint)rank);
            }
        }

        foreach (int character in edges.Characters)
        {
            found.TryAdd(character, edges, pairs);
        }

        return found;
    }

    /// <summary>Writes the first symbols of a piece, each its place and in the lower half its id.</summary>
    /// <returns>Their number.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Begin(byte* at, int length, ulong* symbols)
    {
        unchecked
        {
            int count = 0;
            for (int i = 0; i < length;)
            {
                int id = Symbol(at, i, length, out int size);
                symbols[count++] = ((ulong)(uint)i << 32) | (uint)id;
                i += size;
            }

            return count;
        }
    }

    /// <summary>As the other, into a list.</summary>
    internal int Begin(byte* at, int length, int* id, int* next, int* previous)
    {
        unchecked
        {
            int count = 0;
            int before = -1;
            for (int i = 0; i < length;)
            {
                id[i] = Symbol(at, i, length, out int size);
                next[i] = i + size;
                previous[i] = before;
                before = i;
                i += size;
                count++;
            }

            return count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Symbol(byte* piece, int start, int length, out int size)
    {
        unchecked
        {
            byte* at = piece + start;
            if (_entries is not null)
            {
                size = Utf8Reader.Length(*at);
                int entry = _entries.Find(at, size);
                return entry == TokenIndex.None ? -1 : entry;
            }

            if (*at is >= 0xC2 and < 0xF0)
            {
                int id = Ids[Utf8Reader.Decode(at, out size)];
                if (id >= 0 && (start == 0 || !_seams.PartsJoin(at))
                    && (start + size == length || !_seams.PartsJoin(at + size)))
                {
                    return id;
                }
            }

            size = 1;
            return _byteIds[*at];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TryAdd<TPairs>(int character, EdgeRanks edges, TPairs pairs)
        where TPairs : struct, IPairSource
    {
        byte* bytes = stackalloc byte[4 + TokenIndex.Slack];
        int length = EdgeRanks.Write(character, bytes);
        ulong left = pairs.Find(bytes, 2, _byteIds[bytes[0]], _byteIds[bytes[1]]);
        ulong all = left;
        uint highest = (uint)(left >> 32);
        if (length == 3)
        {
            ulong right = pairs.Find(bytes + 1, 2, _byteIds[bytes[1]], _byteIds[bytes[2]]);
            if (Math.Min(left, right) == ulong.MaxValue)
            {
                return;
            }

            all = left <= right
                ? pairs.Find(bytes, 3, (int)(left & uint.MaxValue), _byteIds[bytes[2]])
                : pairs.Find(bytes, 3, _byteIds[bytes[0]], (int)(right & uint.MaxValue));
            highest = Math.Max((uint)(Math.Min(left, right) >> 32), (uint)(all >> 32));
        }

        if (all != ulong.MaxValue && edges.Lowest(character) > highest)
        {
            Ids[character] = (int)(all & uint.MaxValue);
            Number++;
        }
    }
}
