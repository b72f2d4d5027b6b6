namespace Ciyuan.Storage;

/// <summary>One thing that was checked.</summary>
/// <param name="Name">Short and stable: <c>chain</c>, <c>replay</c>, …</param>
/// <param name="Passed">Whether it holds.</param>
/// <param name="Detail">What was seen; when it fails, what is wrong, where, and what to do.</param>
public sealed record FsckCheck(string Name, bool Passed, string Detail);

/// <summary>How far a check of a data folder is.</summary>
/// <param name="Check">Name of the present check.</param>
/// <param name="Done">Frames done.</param>
/// <param name="Total">Frames in all.</param>
public readonly record struct FsckProgress(string Check, long Done, long Total);

/// <summary>What a check of a data folder found.</summary>
public sealed record FsckReport
{
    /// <summary>The checks, in order. After a broken frame, those that need the frames are left out.</summary>
    public required IReadOnlyList<FsckCheck> Checks { get; init; }

    /// <summary>Frames in the journal.</summary>
    public required long Frames { get; init; }

    /// <summary>Records in the frames that were read, conflicts included.</summary>
    public required long Records { get; init; }

    /// <summary>The first frame that is damaged, missing, or replays differently; null when none.</summary>
    public long? FirstBrokenFrame { get; init; }

    /// <summary>True when every check holds.</summary>
    public bool IsClean => Checks.All(c => c.Passed);
}
