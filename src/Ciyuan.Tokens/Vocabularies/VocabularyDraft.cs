using System.Text;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>What a loader fills in; <see cref="Vocabulary"/> checks it.</summary>
internal sealed class VocabularyDraft
{
    /// <summary>No reader accepts an id as high as this: 2^21, eight times the largest family known.</summary>
    internal const int MaxEntries = 1 << 21;

    /// <summary>The longest token that any reader accepts, in bytes or characters of the file.</summary>
    internal const int MaxTokenBytes = 4096;

    /// <summary>The name under which it is found.</summary>
    internal string Name { get; set; } = "";

    internal TokenModel Model { get; set; } = TokenModel.RankBpe;

    internal SplitRule Split { get; set; }

    internal Normalization Normalization { get; set; } = Normalization.None;

    internal bool IgnoreMerges { get; set; }

    /// <summary>True when adjacent unknown characters become one unknown token.</summary>
    internal bool FuseUnknown { get; set; }

    internal int UnknownId { get; set; } = -1;

    /// <summary>The longest word that is not unknown, for <see cref="TokenModel.WordPiece"/>; else 0.</summary>
    internal int MaxWordCharacters { get; set; }

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

    /// <summary>As <see cref="Put"/>, at an id that is free.</summary>
    /// <exception cref="VocabularyException">It is not.</exception>
    internal void PutNew(int id, byte[] bytes, EntryKind kind)
    {
        if (id < Entries.Count && Entries[id] is not null)
        {
            throw new VocabularyException($"The file gives id {id} to two tokens. Is it whole, and the right one?");
        }

        Put(id, bytes, kind);
    }

    /// <summary>Adds a token that is found as a whole. Its text gets its place in <see cref="Vocabulary"/>.</summary>
    /// <exception cref="VocabularyException">The model has other text at that id.</exception>
    internal void Add(AddedToken token)
    {
        byte[]? there = token.Id < Entries.Count ? Entries[token.Id] : null;
        if (there is not null && !there.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(token.Content)))
        {
            throw new VocabularyException(
                $"The added token '{token.Content}' has the id {token.Id}, at which the vocabulary has other text.");
        }

        AddedTokens.Add(token);
    }
}
