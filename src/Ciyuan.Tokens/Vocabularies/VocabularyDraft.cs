using System.Text;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>What a loader fills in; <see cref="Vocabulary"/> checks it.</summary>
internal sealed class VocabularyDraft
{
    /// <summary>The name under which it is found.</summary>
    internal string Name { get; set; } = "";

    internal TokenModel Model { get; set; } = TokenModel.RankBpe;

    internal SplitRule Split { get; set; }

    internal Normalization Normalization { get; set; } = Normalization.None;

    internal bool IgnoreMerges { get; set; }

    /// <summary>True when adjacent unknown characters become one unknown token.</summary>
    internal bool FuseUnknown { get; set; }

    internal int UnknownId { get; set; } = -1;

    /// <summary>The bytes of each id; null for a gap.</summary>
    internal List<byte[]?> Entries { get; } = [];

    /// <summary>The kind of each id that is not <see cref="EntryKind.Normal"/>.</summary>
    internal Dictionary<int, EntryKind> Kinds { get; } = [];

    /// <summary>Scores by id, for the models that have them; else null.</summary>
    internal List<float>? Scores { get; set; }

    internal List<Merge> Merges { get; } = [];

    internal List<AddedToken> AddedTokens { get; } = [];

    /// <summary>Puts bytes at an id, with gaps before it where there are none yet.</summary>
    internal void Put(int id, byte[] bytes, EntryKind kind = EntryKind.Normal)
    {
        while (Entries.Count <= id)
        {
            Entries.Add(null);
        }

        Entries[id] = bytes;
        if (kind != EntryKind.Normal)
        {
            Kinds[id] = kind;
        }
    }

    /// <summary>Adds a token, and its text at its id where nothing stands yet.</summary>
    internal void Add(AddedToken token)
    {
        AddedTokens.Add(token);
        if (token.Id >= Entries.Count || Entries[token.Id] is null)
        {
            Put(token.Id, Encoding.UTF8.GetBytes(token.Content), EntryKind.Control);
        }
    }
}
