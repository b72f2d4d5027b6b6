namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Turns a piece into tokens. Immutable; what changes is in the <see cref="MergeRoom"/>. Up to
/// <see cref="TokenIndex.Slack"/> bytes after a piece are read.
/// </summary>
internal abstract unsafe class PieceMerger : IDisposable
{
    /// <summary>Where pieces can be taken apart.</summary>
    internal abstract Seams Seams { get; }

    /// <summary>
    /// Whether neighbours that are no entries become one token: then a piece can't be taken apart between them.
    /// </summary>
    internal abstract bool JoinsUnknown { get; }

    /// <summary>
    /// Has the memory fetched that <see cref="Count"/> looks at first for a whole piece with this hash, which
    /// <see cref="SpanHash.Of(ulong, ulong)"/> gives. A hint: of no effect on any result.
    /// </summary>
    internal virtual void Prefetch(ulong hash)
    {
    }

    /// <summary>The number of tokens.</summary>
    /// <param name="at">A piece, or a part of one between two seams.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="part">True for a part: that it is an entry as a whole does not make it a token.</param>
    /// <param name="room">Where to work.</param>
    internal abstract int Count(byte* at, int length, bool part, MergeRoom room);

    /// <summary>Adds the tokens' ids.</summary>
    internal abstract void Encode(byte* at, int length, MergeRoom room, List<int> ids);

    /// <summary>Bytes outside of the managed heap.</summary>
    internal abstract long NativeBytes { get; }

    public abstract void Dispose();
}
