using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// The bytes and kind of each id, from 0 on. The arrays belong to whoever made it, and do not change.
/// </summary>
/// <param name="Bytes">All entries' bytes, in any order.</param>
/// <param name="Starts">Where each entry begins.</param>
/// <param name="Lengths">Its length, at most <see cref="VocabularyDraft.MaxTokenBytes"/>.</param>
/// <param name="Kinds">Its <see cref="EntryKind"/>.</param>
internal sealed record EntryBytes(byte[] Bytes, int[] Starts, ushort[] Lengths, byte[] Kinds)
{
    internal int Count => Kinds.Length;

    internal ReadOnlySpan<byte> this[int id] => Bytes.AsSpan(Starts[id], Lengths[id]);

    /// <summary>True for what models make, not for what stands as a whole in a text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool IsMade(int id) => Kinds[id] is (byte)EntryKind.Normal or (byte)EntryKind.Unused;

    /// <summary>Whether an entry is all ASCII. Most are short: one look at sixteen bytes, wherever those are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool IsAscii(int id)
    {
        (int start, int length) = (Starts[id], Lengths[id]);
        return length <= 16 && start + 16 <= Bytes.Length
            ? (Vector128.LoadUnsafe(ref Bytes[start]).ExtractMostSignificantBits() & ((1u << length) - 1)) == 0
            : Ascii.IsValid(this[id]);
    }

    /// <summary>Those of a draft, gaps included.</summary>
    internal static EntryBytes Of(VocabularyDraft draft)
    {
        int count = draft.Entries.Count;
        EntryBytes made = new(
            new byte[draft.Entries.Sum(entry => entry?.Length ?? 0)], new int[count], new ushort[count],
            new byte[count]);
        for (int id = 0, at = 0; id < count; id++)
        {
            if (draft.Entries[id] is { } entry)
            {
                entry.CopyTo(made.Bytes, at);
                made.Put(id, draft.Kinds.GetValueOrDefault(id, EntryKind.Normal), at, entry.Length);
                at += entry.Length;
            }
        }

        return made;
    }

    /// <summary>Says what stands at an id, once.</summary>
    internal void Put(int id, EntryKind kind, int start, int length)
    {
        Starts[id] = start;
        Lengths[id] = (ushort)length;
        Kinds[id] = (byte)kind;
    }
}
