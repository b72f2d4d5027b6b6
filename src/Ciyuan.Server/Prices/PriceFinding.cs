namespace Ciyuan.Server.Prices;

/// <summary>What a check of price books found.</summary>
public enum FindingKind
{
    /// <summary>A setup with it would be refused.</summary>
    Fault,

    /// <summary>Usage that no price covers.</summary>
    Gap,

    /// <summary>Prices or names of which one can never win, or of which it is not plain which wins.</summary>
    Overlap,

    /// <summary>A price that looks as if another unit was meant, or that contradicts its neighbours.</summary>
    Unit,

    /// <summary>What is other than in the version before.</summary>
    Change,

    /// <summary>A promotion, a version or a calendar that ends soon or has ended.</summary>
    Ending,
}

/// <summary>One thing that a check found.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="IsWrong">Whether it is a mistake for certain, or only worth a look.</param>
/// <param name="File">The file; as it was named.</param>
/// <param name="Line">Its line in the file, from 1; 0 when it belongs to none.</param>
/// <param name="Where">Book, version and model.</param>
/// <param name="Text">What was found, in words.</param>
public sealed record PriceFinding(
    FindingKind Kind, bool IsWrong, string File, int Line, string Where, string Text);

/// <summary>A setup file with price books.</summary>
/// <param name="Name">Its name, for findings.</param>
/// <param name="Yaml">Its text.</param>
public sealed record PriceFile(string Name, string Yaml);

/// <summary>A checked set of files.</summary>
/// <param name="Findings">Wrong ones first; within them by file and line, changes by size.</param>
/// <param name="Books">How many versions of books were checked.</param>
/// <param name="Lines">How many lines they have.</param>
public sealed record PriceCheck(IReadOnlyList<PriceFinding> Findings, int Books, int Lines)
{
    /// <summary>Whether something is wrong for certain.</summary>
    public bool IsWrong => Findings.Any(finding => finding.IsWrong);
}
