namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Turns a piece into tokens. Immutable; what changes is in the <see cref="MergeRoom"/>. Up to
/// <see cref="TokenIndex.Slack"/> bytes after a piece are read.
/// </summary>
internal abstract unsafe class PieceMerger : IDisposable
{
    /// <summary>The number of tokens.</summary>
    internal abstract int Count(byte* at, int length, MergeRoom room);

    /// <summary>Adds the tokens' ids.</summary>
    internal abstract void Encode(byte* at, int length, MergeRoom room, List<int> ids);

    /// <summary>Bytes outside of the managed heap.</summary>
    internal abstract long NativeBytes { get; }

    public abstract void Dispose();
}
