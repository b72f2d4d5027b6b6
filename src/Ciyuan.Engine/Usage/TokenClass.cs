using System.Diagnostics.CodeAnalysis;

namespace Ciyuan.Usage;

/// <summary>Which way tokens went. Numbers are stored: never change or reuse one.</summary>
public enum Direction : byte
{
    /// <summary>Into the model.</summary>
    Input = 0,

    /// <summary>Out of the model.</summary>
    Output = 1,
}

/// <summary>What the tokens stand for. Numbers are stored: never change or reuse one.</summary>
public enum Modality : byte
{
    /// <summary>Prose (文本).</summary>
    Text = 0,

    /// <summary>Program code (代码), where it was counted apart from prose.</summary>
    Code = 1,

    /// <summary>Images (图像).</summary>
    Image = 2,

    /// <summary>Audio (音频).</summary>
    Audio = 3,

    /// <summary>Video (视频).</summary>
    Video = 4,

    /// <summary>Documents such as PDF pages, where a provider counts them as a class of their own.</summary>
    Document = 5,
}

/// <summary>How the tokens were processed. Numbers are stored: never change or reuse one.</summary>
public enum TokenKind : byte
{
    /// <summary>Processed anew: neither cached nor hidden reasoning.</summary>
    Fresh = 0,

    /// <summary>Read from a prompt cache.</summary>
    CacheRead = 1,

    /// <summary>Written to a prompt cache whose lifetime is the provider's default.</summary>
    CacheWrite = 2,

    /// <summary>Written to a prompt cache that lives five minutes.</summary>
    CacheWrite5M = 3,

    /// <summary>Written to a prompt cache that lives one hour.</summary>
    CacheWrite1H = 4,

    /// <summary>Generated while thinking; billed, often not shown.</summary>
    Reasoning = 5,

    /// <summary>Predicted output that the model did not use; billed by some.</summary>
    RejectedPrediction = 6,

    /// <summary>Input that a provider's own tools put before the model.</summary>
    ToolUse = 7,
}

/// <summary>
/// A token class: direction × modality × kind, in one byte. Classes are disjoint: a token counts in exactly one, so a
/// sum over classes counts nothing twice.
/// </summary>
/// <remarks>Byte layout, frozen: bit 7 direction, bits 6–4 modality, bits 3–0 kind. Name: <c>input.text.cache_read</c>.
/// </remarks>
public readonly record struct TokenClass : IComparable<TokenClass>
{
    private static readonly string[] KindNames =
        ["fresh", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "reasoning", "rejected_prediction",
            "tool_use"];

    private static readonly string[] ModalityNames = ["text", "code", "image", "audio", "video", "document"];

    /// <summary>Makes a class.</summary>
    public TokenClass(Direction direction, Modality modality, TokenKind kind) =>
        Value = (byte)(((byte)direction << 7) | ((byte)modality << 4) | (byte)kind);

    private TokenClass(byte value) => Value = value;

    /// <summary>The stored byte.</summary>
    public byte Value { get; }

    /// <summary>Direction.</summary>
    public Direction Direction => (Direction)(Value >> 7);

    /// <summary>Modality.</summary>
    public Modality Modality => (Modality)((Value >> 4) & 7);

    /// <summary>Kind.</summary>
    public TokenKind Kind => (TokenKind)(Value & 15);

    /// <summary>Fresh text into the model.</summary>
    public static TokenClass InputText => new(Direction.Input, Modality.Text, TokenKind.Fresh);

    /// <summary>Fresh text out of the model.</summary>
    public static TokenClass OutputText => new(Direction.Output, Modality.Text, TokenKind.Fresh);

    /// <summary>Names of the modalities, by number.</summary>
    public static ReadOnlySpan<string> Modalities => ModalityNames;

    /// <summary>From the stored byte; false for bytes that name no class.</summary>
    public static bool TryFromValue(byte value, out TokenClass tokenClass)
    {
        tokenClass = new TokenClass(value);
        return (int)tokenClass.Modality < ModalityNames.Length && (int)tokenClass.Kind < KindNames.Length;
    }

    /// <summary>Reads <c>direction.modality.kind</c>; <c>.fresh</c> may be left out.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out TokenClass tokenClass)
    {
        tokenClass = default;
        string[] parts = name?.Split('.') ?? [];
        int modality = parts.Length is 2 or 3 ? Array.IndexOf(ModalityNames, parts[1]) : -1;
        int kind = parts.Length == 3 ? Array.IndexOf(KindNames, parts[2]) : 0;
        if (modality < 0 || kind < 0 || parts[0] is not ("input" or "output"))
        {
            return false;
        }

        Direction direction = parts[0] == "input" ? Direction.Input : Direction.Output;
        tokenClass = new TokenClass(direction, (Modality)modality, (TokenKind)kind);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(TokenClass other) => Value.CompareTo(other.Value);

    /// <summary>The name, with all three parts.</summary>
    public override string ToString() =>
        $"{(Direction == Direction.Input ? "input" : "output")}.{ModalityNames[(int)Modality]}.{KindNames[(int)Kind]}";

    /// <summary>Order of the stored bytes.</summary>
    public static bool operator <(TokenClass left, TokenClass right) => left.Value < right.Value;

    /// <summary>Order of the stored bytes.</summary>
    public static bool operator >(TokenClass left, TokenClass right) => left.Value > right.Value;

    /// <summary>Order of the stored bytes.</summary>
    public static bool operator <=(TokenClass left, TokenClass right) => left.Value <= right.Value;

    /// <summary>Order of the stored bytes.</summary>
    public static bool operator >=(TokenClass left, TokenClass right) => left.Value >= right.Value;
}
