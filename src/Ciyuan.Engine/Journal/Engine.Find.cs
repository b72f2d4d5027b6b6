using Ciyuan.Usage;

namespace Ciyuan.Journal;

public sealed partial class Engine
{
    /// <summary>Where the command with an id stands; null when there is none.</summary>
    /// <param name="kind">What the id is of.</param>
    /// <param name="source">The source within which it is unique.</param>
    /// <param name="id">The id.</param>
    public FramePosition? Find(IdKind kind, string source, string id) =>
        _history.TryFind(_hasher.Digest(kind, source, id), out PastId past) ? past.Position : null;
}
