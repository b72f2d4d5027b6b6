using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// What becomes of a character that is no entry: its byte tokens when all are there, else the unknown token, of which
/// several in a row may be one.
/// </summary>
internal sealed unsafe class UnknownCharacters
{
    private readonly Vocabulary _vocabulary;
    private readonly bool _bytes;

    internal UnknownCharacters(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _bytes = true;
        for (int value = 0x80; value < 0xC0; value++)
        {
            _bytes &= vocabulary.ByteId((byte)value) >= 0;
        }
    }

    /// <summary>True when neighbours can become one token without being an entry.</summary>
    internal bool Fuse => !_bytes && _vocabulary.FuseUnknown;

    /// <summary>How many tokens a symbol is.</summary>
    /// <param name="id">Its id; negative when it is unknown.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="before">Whether the symbol before it was the unknown token; then whether this one is.</param>
    internal int Count(int id, int length, ref bool before)
    {
        bool fused = before && _vocabulary.FuseUnknown;
        before = id < 0 && !_bytes;
        return id >= 0 ? 1 : _bytes ? length : fused ? 0 : 1;
    }

    /// <summary>Adds the tokens of a symbol.</summary>
    internal void Add(byte* at, int id, int length, List<int> ids, ref bool before)
    {
        if (id < 0 && _bytes)
        {
            before = false;
            for (int i = 0; i < length; i++)
            {
                ids.Add(_vocabulary.ByteId(at[i]));
            }
        }
        else if (Count(id, length, ref before) == 1)
        {
            ids.Add(id >= 0 ? id : _vocabulary.UnknownId);
        }
    }
}
