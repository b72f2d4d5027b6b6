using System.Security.Cryptography;
using System.Text;

namespace Ciyuan.Server.Console.Users;

/// <summary>How passwords are kept: PBKDF2 with HMAC-SHA-256, as OWASP's cheat sheet on storing passwords has
/// it.</summary>
internal static class Passwords
{
    /// <summary>Rounds; about 0.2 s of one core.</summary>
    internal const int Iterations = 600_000;

    /// <summary>Fewest characters: ASVS asks for 12.</summary>
    internal const int MinLength = 12;

    /// <summary>Most characters: enough for any sentence, and a bound on what is hashed.</summary>
    internal const int MaxLength = 128;

    private const int SaltBytes = 16;
    private const int HashBytes = 32;
    private const int FewestDistinct = 6;

    /// <summary>A new hash: <c>ITERATIONS$SALT$HASH</c> in base 64.</summary>
    internal static string Hash(string password)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(SaltBytes);
        string hash = Convert.ToBase64String(Derive(password, salt, Iterations));
        return $"{Iterations}${Convert.ToBase64String(salt)}${hash}";
    }

    /// <summary>Whether a password is the one of a hash. A hash of nobody takes as long.</summary>
    internal static bool Matches(string password, string? hash)
    {
        string[] parts = (hash ?? Nobody.Value).Split('$');
        byte[] wanted = Convert.FromBase64String(parts[2]);
        int iterations = int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
        byte[] given = Derive(password, Convert.FromBase64String(parts[1]), iterations);
        return CryptographicOperations.FixedTimeEquals(given, wanted) && hash is not null;
    }

    /// <summary>Name of the text that says why a password is not taken; null when it is.</summary>
    internal static string? FindFault(string password, string user) =>
        password.Length is < MinLength or > MaxLength ? "password.length"
        : password.Distinct().Count() < FewestDistinct
            || password.Contains(user, StringComparison.OrdinalIgnoreCase)
            || password.Contains("password", StringComparison.OrdinalIgnoreCase)
            || password.Contains("12345678", StringComparison.Ordinal) ? "password.easy"
        : null;

    private static readonly Lazy<string> Nobody = new(() =>
        $"{Iterations}${Convert.ToBase64String(new byte[SaltBytes])}${Convert.ToBase64String(new byte[HashBytes])}");

    private static byte[] Derive(string password, byte[] salt, int iterations) => Rfc2898DeriveBytes.Pbkdf2(
        Encoding.UTF8.GetBytes(password.Normalize()), salt, iterations, HashAlgorithmName.SHA256, HashBytes);
}
