using System.Security.Cryptography;
using System.Text;

namespace Ciyuan.Server;

/// <summary>The secret that a request carries. Compared by digest in constant time; the secret itself isn't
/// kept.</summary>
public sealed class AccessToken
{
    /// <summary>The environment variable that holds the token when no file is named.</summary>
    public const string Variable = "CIYUAN_TOKEN";

    /// <summary>Fewest characters of a token: 16 random ones of base 64 are 96 bits.</summary>
    public const int MinLength = 16;

    /// <summary>Most characters of a token.</summary>
    public const int MaxLength = 512;

    private const string Scheme = "Bearer ";

    private readonly byte[] _digest;

    /// <summary>From the secret.</summary>
    /// <exception cref="ServerRefusedException">Not 16 to 512 visible ASCII characters.</exception>
    public AccessToken(string secret)
    {
        if (secret.Length is < MinLength or > MaxLength || secret.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new ServerRefusedException(
                $"The token must have {MinLength} to {MaxLength} visible ASCII characters without spaces. Make one "
                    + "with: "
                + "openssl rand -base64 32");
        }

        _digest = SHA256.HashData(Encoding.ASCII.GetBytes(secret));
    }

    /// <summary>The secret in a file, else in the environment, else null. White space around it is left out.</summary>
    /// <param name="file">Path; null or empty when none was named.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <exception cref="ServerRefusedException">The file can't be read or is empty.</exception>
    public static string? Find(string? file, Func<string, string?> environment)
    {
        if (string.IsNullOrEmpty(file))
        {
            return environment(Variable)?.Trim() is { Length: > 0 } secret ? secret : null;
        }

        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } secret
                ? secret
                : throw new ServerRefusedException($"The token file {file} is empty. Put the token on its first line.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ServerRefusedException($"The token file {file} can't be read: {e.Message}");
        }
    }

    /// <summary>True when an Authorization header carries the secret.</summary>
    public bool Matches(string? authorization)
    {
        bool bearer = authorization is { Length: <= MaxLength + 64 }
            && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
        string given = bearer ? authorization![Scheme.Length..].Trim() : "";
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _digest);
    }
}
