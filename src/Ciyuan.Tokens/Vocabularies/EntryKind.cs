namespace Ciyuan.Tokens.Vocabularies;

/// <summary>What stands at an id. The numbers are stored in files and never change.</summary>
public enum EntryKind
{
    /// <summary>Nothing: a gap between ids.</summary>
    None = 0,

    /// <summary>Bytes that the model makes.</summary>
    Normal = 1,

    /// <summary>One raw byte, for characters that are no entry (SentencePiece's byte fallback).</summary>
    Byte = 2,

    /// <summary>What stands for everything unknown.</summary>
    Unknown = 3,

    /// <summary>Known by its id only: no text makes it, other than as an <see cref="AddedToken"/>.</summary>
    Control = 4,

    /// <summary>A piece that the model takes apart again (SentencePiece's UNUSED).</summary>
    Unused = 5,
}
