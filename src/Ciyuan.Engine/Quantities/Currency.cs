namespace Ciyuan.Quantities;

/// <summary>
/// What an account is kept in: money (<c>CNY</c>, <c>USD</c>) or a counted unit (<c>TOK</c> for tokens, <c>IMG</c> for
/// images, …). The code is 1 to 8 characters from A–Z and 0–9, held in eight bytes so that comparing costs nothing.
/// </summary>
public readonly struct Currency : IEquatable<Currency>, IComparable<Currency>
{
    /// <summary>Longest code.</summary>
    public const int MaxLength = 8;

    private readonly ulong _packed; // big-endian ASCII, first character in the highest byte, zero-padded

    private Currency(ulong packed) => _packed = packed;

    /// <summary>Renminbi yuan (ISO 4217).</summary>
    public static Currency Cny { get; } = Parse("CNY");

    /// <summary>United States dollar (ISO 4217).</summary>
    public static Currency Usd { get; } = Parse("USD");

    /// <summary>Tokens (词元): one unit is one token.</summary>
    public static Currency Tok { get; } = Parse("TOK");

    /// <summary>True for the default value, which is no currency at all.</summary>
    public bool IsNone => _packed == 0;

    /// <summary>Reads a code; false unless it is 1 to 8 characters from A–Z and 0–9.</summary>
    public static bool TryParse(ReadOnlySpan<char> code, out Currency currency)
    {
        currency = default;
        if (code.Length is 0 or > MaxLength)
        {
            return false;
        }

        ulong packed = 0;
        foreach (char c in code)
        {
            if (c is not ((>= 'A' and <= 'Z') or (>= '0' and <= '9')))
            {
                return false;
            }

            packed = (packed << 8) | c;
        }

        currency = new Currency(packed << (8 * (MaxLength - code.Length)));
        return true;
    }

    /// <summary>As <see cref="TryParse"/>.</summary>
    /// <exception cref="FormatException">Not a currency code.</exception>
    public static Currency Parse(ReadOnlySpan<char> code) => TryParse(code, out Currency currency)
        ? currency
        : throw new FormatException($"'{code}' is not a currency code: 1 to 8 characters from A-Z and 0-9.");

    /// <summary>
    /// Decimal places of the smallest amount that is invoiced and paid: 2 for money, 0 for counted units (ISO 4217
    /// gives 2 for CNY, USD, EUR, GBP and HKD, and 0 for JPY and KRW).
    /// </summary>
    public int MinorDigits => ToString() switch
    {
        "TOK" or "IMG" or "CHR" or "PAG" or "REQ" or "JPY" or "KRW" => 0,
        _ => 2,
    };

    /// <summary>The code.</summary>
    public override string ToString()
    {
        Span<char> code = stackalloc char[MaxLength];
        int length = 0;
        for (ulong rest = _packed; rest != 0; rest <<= 8)
        {
            code[length++] = (char)(rest >> 56);
        }

        return new string(code[..length]);
    }

    /// <inheritdoc/>
    public bool Equals(Currency other) => _packed == other._packed;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Currency other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _packed.GetHashCode();

    /// <summary>Alphabetical order.</summary>
    public int CompareTo(Currency other) => _packed.CompareTo(other._packed);

    /// <summary>Same code.</summary>
    public static bool operator ==(Currency left, Currency right) => left._packed == right._packed;

    /// <summary>Different code.</summary>
    public static bool operator !=(Currency left, Currency right) => left._packed != right._packed;

    /// <summary>Alphabetical order.</summary>
    public static bool operator <(Currency left, Currency right) => left._packed < right._packed;

    /// <summary>Alphabetical order.</summary>
    public static bool operator >(Currency left, Currency right) => left._packed > right._packed;

    /// <summary>Alphabetical order.</summary>
    public static bool operator <=(Currency left, Currency right) => left._packed <= right._packed;

    /// <summary>Alphabetical order.</summary>
    public static bool operator >=(Currency left, Currency right) => left._packed >= right._packed;
}
