using System.Buffers.Binary;
using System.Numerics;
using Ciyuan.Tokens.Merging;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Writes the index that a compact file has of itself: <see cref="StoredIndex"/>.</summary>
internal static unsafe class IndexWriter
{
    /// <summary>How many slots it takes; none for models that have no index.</summary>
    internal static int Slots(TokenModel model, EntryBytes entries, List<Merge> merges) => model switch
    {
        TokenModel.RankBpe => StoredIndex.SlotsFor(entries.Count),
        TokenModel.MergeBpe => StoredIndex.SlotsFor(merges.Count),
        _ => 0,
    };

    /// <summary>Fills the slots, in order of ids or of merges: of two equal entries the first is found.</summary>
    internal static void Write(Span<byte> slots, TokenModel model, EntryBytes entries, List<Merge> merges)
    {
        if (slots.IsEmpty)
        {
            return;
        }

        if (model == TokenModel.MergeBpe)
        {
            for (int i = 0; i < merges.Count; i++)
            {
                Add(slots, StoredIndex.HashOf(merges[i].Left, merges[i].Right), i);
            }

            return;
        }

        for (int id = 0; id < entries.Count; id++)
        {
            if (entries.Kinds[id] is (byte)EntryKind.Normal or (byte)EntryKind.Unused)
            {
                fixed (byte* bytes = entries[id])
                {
                    Add(slots, SpanHash.Of(bytes, entries.Lengths[id]), id);
                }
            }
        }
    }

    private static void Add(Span<byte> slots, ulong hash, int value)
    {
        int mask = (slots.Length / 4) - 1;
        int slot = unchecked((int)(hash >> (64 - BitOperations.Log2((uint)slots.Length / 4))));
        while (BinaryPrimitives.ReadUInt32LittleEndian(slots[(4 * slot)..]) != 0)
        {
            slot = (slot + 1) & mask;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(slots[(4 * slot)..], StoredIndex.Mark(hash) | (uint)value);
    }
}
