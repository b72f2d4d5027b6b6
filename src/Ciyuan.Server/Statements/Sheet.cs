namespace Ciyuan.Server.Statements;

/// <summary>A column of a sheet's table.</summary>
/// <param name="Name">Heading.</param>
/// <param name="IsNumber">Set to the right, as figures are.</param>
public sealed record SheetColumn(string Name, bool IsNumber = false);

/// <summary>A table of a sheet.</summary>
/// <param name="Title">Heading.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Rows">Rows: a text for each column.</param>
/// <param name="Total">A last row, set apart; null without one.</param>
public sealed record SheetTable(
    string Title, IReadOnlyList<SheetColumn> Columns, IReadOnlyList<string[]> Rows, string[]? Total = null);

/// <summary>A fact in a sheet's head.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Value">The fact.</param>
public sealed record SheetFact(string Label, string Value);

/// <summary>
/// A document for people, before it is a page, a file or a table: all forms are written from it, so all say the same.
/// </summary>
public sealed record Sheet
{
    /// <summary>Language tag: zh-CN or en.</summary>
    public required string Language { get; init; }

    /// <summary>Title.</summary>
    public required string Title { get; init; }

    /// <summary>Line below the title; may be empty.</summary>
    public string Subtitle { get; init; } = "";

    /// <summary>Facts at its head.</summary>
    public required IReadOnlyList<SheetFact> Head { get; init; }

    /// <summary>Tables, in order.</summary>
    public required IReadOnlyList<SheetTable> Tables { get; init; }

    /// <summary>Sentences below the tables.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Places for signature and seal; none where nothing is signed.</summary>
    public IReadOnlyList<string> Signatures { get; init; } = [];

    /// <summary>What is filled in by hand in each of these places.</summary>
    public string SignatureLine { get; init; } = "";

    /// <summary>What stands at the foot of each page.</summary>
    public string Foot { get; init; } = "";
}
