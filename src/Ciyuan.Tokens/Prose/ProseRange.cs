namespace Ciyuan.Tokens.Prose;

/// <summary>What a stretch of text is, for counting 文本 and 代码 apart. The numbers are stored: never reuse one.</summary>
public enum TextKind
{
    /// <summary>Prose 文本: everything that is not code, code within a line included.</summary>
    Prose = 0,

    /// <summary>Code 代码.</summary>
    Code = 1,
}

/// <summary>A stretch of bytes of one kind.</summary>
/// <param name="Start">The offset of its first byte.</param>
/// <param name="End">The offset behind its last byte; greater than the start.</param>
/// <param name="Kind">What it is.</param>
public readonly record struct ProseRange(long Start, long End, TextKind Kind);

/// <summary>Tokens of prose and of code; their sum is the count of the whole text.</summary>
/// <param name="Prose">Tokens of prose.</param>
/// <param name="Code">Tokens of code.</param>
public readonly record struct ProseCount(long Prose, long Code)
{
    /// <summary>The tokens of the whole.</summary>
    public long Total => Prose + Code;

    /// <summary>Adds two counts.</summary>
    public static ProseCount operator +(ProseCount a, ProseCount b) => new(a.Prose + b.Prose, a.Code + b.Code);

    /// <summary>Adds another count.</summary>
    public ProseCount Add(ProseCount other) => this + other;
}
