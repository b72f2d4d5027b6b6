using System.Buffers.Binary;
using System.Numerics;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// The tokens of one family of models, and the rules by which text becomes them. Immutable; safe to use from several
/// threads.
/// </summary>
public sealed class Vocabulary
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;
    private readonly byte[] _kinds;
    private readonly float[] _scores;
    private readonly int[] _table;
    private readonly Merge[] _merges;
    private readonly AddedToken[] _added;
    private readonly int[] _byteIds = new int[256];

    internal Vocabulary(VocabularyDraft draft)
    {
        Name = draft.Name;
        Model = draft.Model;
        Split = draft.Split;
        Normalization = draft.Normalization;
        IgnoreMerges = draft.IgnoreMerges;
        FuseUnknown = draft.FuseUnknown;
        UnknownId = draft.UnknownId;
        _merges = [.. draft.Merges];
        _added = [.. draft.AddedTokens];
        _scores = draft.Scores is null ? [] : [.. draft.Scores];
        _starts = new int[draft.Entries.Count + 1];
        _kinds = new byte[draft.Entries.Count];
        _bytes = new byte[draft.Entries.Sum(e => e?.Length ?? 0)];
        for (int id = 0, at = 0; id < draft.Entries.Count; id++)
        {
            byte[] entry = draft.Entries[id] ?? [];
            entry.CopyTo(_bytes, at);
            at += entry.Length;
            _starts[id + 1] = at;
            EntryKind there = draft.Kinds.GetValueOrDefault(id, EntryKind.Normal);
            _kinds[id] = (byte)(draft.Entries[id] is null ? EntryKind.None : there);
            Count += draft.Entries[id] is null ? 0 : 1;
        }

        _table = BuildTable();
        FillByteIds();
    }

    /// <summary>The name under which it is found.</summary>
    public string Name { get; }

    /// <summary>How a piece becomes tokens.</summary>
    public TokenModel Model { get; }

    /// <summary>How text is cut into pieces.</summary>
    public SplitRule Split { get; }

    /// <summary>What is done to text before it is cut.</summary>
    public Normalization Normalization { get; }

    /// <summary>True when a piece that is an entry is that token, whether or not merges would reach it.</summary>
    public bool IgnoreMerges { get; }

    /// <summary>True when adjacent unknown characters are one unknown token, not one each.</summary>
    public bool FuseUnknown { get; }

    /// <summary>The token for what is unknown; -1 when there is none.</summary>
    public int UnknownId { get; }

    /// <summary>How many ids stand for something.</summary>
    public int Count { get; }

    /// <summary>The highest id; -1 when there is none.</summary>
    public int MaxId => _kinds.Length - 1;

    /// <summary>
    /// The listed pairs, the first to merge first; empty for models that have no list. A pair occurs once.
    /// </summary>
    public ReadOnlySpan<Merge> Merges => _merges;

    /// <summary>The tokens that are found as a whole, in the order of the source.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _added;

    /// <summary>
    /// The bytes that an id stands for: for <see cref="EntryKind.Byte"/> the byte itself, else the bytes as the model
    /// sees them (after <see cref="Normalization"/>). Empty for a gap and for an id outside 0 … <see cref="MaxId"/>.
    /// </summary>
    public ReadOnlySpan<byte> BytesOf(int id) =>
        (uint)id < (uint)_kinds.Length ? _bytes.AsSpan(_starts[id], _starts[id + 1] - _starts[id]) : default;

    /// <summary>What stands at an id; <see cref="EntryKind.None"/> outside 0 … <see cref="MaxId"/>.</summary>
    public EntryKind KindOf(int id) => (uint)id < (uint)_kinds.Length ? (EntryKind)_kinds[id] : EntryKind.None;

    /// <summary>The score of an id, higher is preferred; 0 for models without scores.</summary>
    public float ScoreOf(int id) => (uint)id < (uint)_scores.Length ? _scores[id] : 0;

    /// <summary>
    /// The token of one byte: the entry of that byte, or the byte token of models that start with characters; -1 when
    /// the vocabulary has none.
    /// </summary>
    public int ByteId(byte value) => _byteIds[value];

    /// <summary>
    /// Finds the entry with exactly these bytes among those that the model makes (<see cref="EntryKind.Normal"/> and
    /// <see cref="EntryKind.Unused"/>).
    /// </summary>
    /// <param name="bytes">The bytes, as the model sees them.</param>
    /// <param name="id">The id; -1 when there is none.</param>
    /// <returns>True when there is such an entry.</returns>
    public bool TryFind(ReadOnlySpan<byte> bytes, out int id)
    {
        uint mask = (uint)_table.Length - 1;
        for (uint slot = Hash(bytes) & mask; ; slot = unchecked(slot + 1) & mask)
        {
            id = _table[slot] - 1;
            if (id < 0 || BytesOf(id).SequenceEqual(bytes))
            {
                return id >= 0;
            }
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

        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            rest |= (ulong)bytes[i] << (8 * i);
        }

        return unchecked((uint)Fold(hash ^ rest));
    }

    private static ulong Fold(ulong value)
    {
        ulong high = Math.BigMul(value, 0xD6E8FEB86659FD93, out ulong low);
        return high ^ low;
    }

    private int[] BuildTable()
    {
        int[] table = new int[BitOperations.RoundUpToPowerOf2(((uint)_kinds.Length * 2) + 16)];
        uint mask = (uint)table.Length - 1;
        for (int id = 0; id < _kinds.Length; id++)
        {
            if (KindOf(id) is not (EntryKind.Normal or EntryKind.Unused))
            {
                continue;
            }

            uint slot = Hash(BytesOf(id)) & mask;
            while (table[slot] != 0 && !BytesOf(table[slot] - 1).SequenceEqual(BytesOf(id)))
            {
                slot = unchecked(slot + 1) & mask;
            }

            table[slot] = table[slot] == 0 ? id + 1 : table[slot]; // of two equal entries the first
        }

        return table;
    }

    private void FillByteIds()
    {
        bool characters = Model is not (TokenModel.RankBpe or TokenModel.MergeBpe);
        _byteIds.AsSpan().Fill(-1);
        for (int id = 0; id < _kinds.Length; id++)
        {
            EntryKind wanted = characters ? EntryKind.Byte : EntryKind.Normal;
            if (KindOf(id) == wanted && BytesOf(id) is [byte value] && _byteIds[value] < 0)
            {
                _byteIds[value] = id;
            }
        }
    }
}
