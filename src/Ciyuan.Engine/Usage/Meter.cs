using System.Diagnostics.CodeAnalysis;
using Ciyuan.Quantities;

namespace Ciyuan.Usage;

/// <summary>
/// What is counted: a token class, or another unit that vendors charge (an image, a second, …). Quantities of a meter
/// are integers of its smallest step: one token, one image, but a millionth of a second or of a cache token-hour.
/// </summary>
/// <remarks>Number, frozen: 0–255 the token class byte; 256 and above the other units.</remarks>
public readonly record struct Meter : IComparable<Meter>
{
    private static readonly (string Name, long Steps, string Currency)[] Units =
    [
        ("image", 1, "IMG"),
        ("second", 1_000_000, "SEC"),
        ("character", 1, "CHR"),
        ("page", 1, "PAG"),
        ("request", 1, "REQ"),
        ("cache_token_hour", 1_000_000, "TKH"),
    ];

    /// <summary>How many meter numbers there are: each is below this.</summary>
    public static int Values => 256 + Units.Length;

    private Meter(ushort value) => Value = value;

    /// <summary>Images made or read.</summary>
    public static Meter Image => new(256);

    /// <summary>Seconds of audio, video or compute, in millionths.</summary>
    public static Meter Second => new(257);

    /// <summary>Characters.</summary>
    public static Meter Character => new(258);

    /// <summary>Pages.</summary>
    public static Meter Page => new(259);

    /// <summary>Requests (calls of a tool, searches, …).</summary>
    public static Meter Request => new(260);

    /// <summary>Tokens kept in a cache, times hours, in millionths.</summary>
    public static Meter CacheTokenHour => new(261);

    /// <summary>The stored number.</summary>
    public ushort Value { get; }

    /// <summary>True when tokens are counted.</summary>
    public bool IsTokens => Value < 256;

    /// <summary>The token class; only when <see cref="IsTokens"/>.</summary>
    public TokenClass TokenClass => TokenClass.TryFromValue((byte)Value, out TokenClass tokenClass)
        ? tokenClass
        : throw new InvalidOperationException($"Meter {Value} counts no token class.");

    /// <summary>How many steps make one unit: 1, or 1 000 000 for units that are not whole.</summary>
    public long StepsPerUnit => IsTokens ? 1 : Units[Value - 256].Steps;

    /// <summary>The currency in which usage without a price is kept: <c>TOK</c>, <c>IMG</c>, <c>SEC</c>, …</summary>
    public Currency Currency => IsTokens ? Currency.Tok : Currency.Parse(Units[Value - 256].Currency);

    /// <summary>All meters that are not token classes.</summary>
    public static IEnumerable<Meter> OtherUnits =>
        Enumerable.Range(256, Units.Length).Select(v => new Meter((ushort)v));

    /// <summary>The meter that counts a token class.</summary>
    public static implicit operator Meter(TokenClass tokenClass) => FromTokenClass(tokenClass);

    /// <summary>The meter that counts a token class.</summary>
    public static Meter FromTokenClass(TokenClass tokenClass) => new(tokenClass.Value);

    /// <summary>From the stored number; false when it names no meter.</summary>
    public static bool TryFromValue(int value, out Meter meter)
    {
        bool known = value is >= 0 and < 256
            ? TokenClass.TryFromValue((byte)value, out _)
            : value >= 256 && value < 256 + Units.Length;
        meter = known ? new Meter((ushort)value) : default;
        return known;
    }

    /// <summary>Reads a token class name or <c>image</c>, <c>second</c>, <c>character</c>, <c>page</c>, <c>request</c>,
    /// <c>cache_token_hour</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out Meter meter)
    {
        bool isClass = TokenClass.TryParse(name, out TokenClass tokenClass);
        int unit = isClass ? 0 : Array.FindIndex(Units, u => u.Name == name);
        meter = isClass ? FromTokenClass(tokenClass) : new Meter((ushort)(256 + Math.Max(unit, 0)));
        return isClass || unit >= 0;
    }

    /// <inheritdoc/>
    public int CompareTo(Meter other) => Value.CompareTo(other.Value);

    /// <summary>The name.</summary>
    public override string ToString() => IsTokens ? TokenClass.ToString() : Units[Value - 256].Name;

    /// <summary>Order of the stored numbers.</summary>
    public static bool operator <(Meter left, Meter right) => left.Value < right.Value;

    /// <summary>Order of the stored numbers.</summary>
    public static bool operator >(Meter left, Meter right) => left.Value > right.Value;

    /// <summary>Order of the stored numbers.</summary>
    public static bool operator <=(Meter left, Meter right) => left.Value <= right.Value;

    /// <summary>Order of the stored numbers.</summary>
    public static bool operator >=(Meter left, Meter right) => left.Value >= right.Value;
}

/// <summary>How sure a count is. Numbers are stored: never change or reuse one.</summary>
public enum EvidenceGrade : byte
{
    /// <summary>Recounted here, and equal to what the provider says.</summary>
    Exact = 0,

    /// <summary>As the provider or the source says; not recounted.</summary>
    Reported = 1,

    /// <summary>Between known bounds.</summary>
    Bounded = 2,

    /// <summary>Of a stream that was cut.</summary>
    Partial = 3,

    /// <summary>Estimated.</summary>
    Estimated = 4,
}

/// <summary>One count of a record: how much of a meter, in its steps, and how sure.</summary>
/// <param name="Meter">What is counted.</param>
/// <param name="Grade">How sure.</param>
/// <param name="Steps">0 to <see cref="UsageRecord.MaxSteps"/> steps of the meter.</param>
public readonly record struct Count(Meter Meter, EvidenceGrade Grade, long Steps);
