using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>The secrets of keys. Only their hash is kept; a fast one is enough, since a secret has 256 random
/// bits.</summary>
public static class Secrets
{
    /// <summary>With what a secret begins, so that scanners of leaked secrets know it.</summary>
    public const string Start = "cy-";

    /// <summary>How much of a secret is shown: its start, and 36 of its 256 bits.</summary>
    public const int ShownLength = 9;

    private const int MostLength = 512;

    /// <summary>Makes a secret from random bytes.</summary>
    /// <param name="random">32 of them.</param>
    public static string Make(ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(random.Length, 32);
        return Start + Base64Url.EncodeToString(random);
    }

    /// <summary>The hash under which a setup knows a secret.</summary>
    public static string Hash(string secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> bytes = stackalloc byte[MostLength * 3];
        bool fits = Encoding.UTF8.TryGetBytes(secret, bytes, out int length);
        SHA256.HashData(fits ? bytes[..length] : Encoding.UTF8.GetBytes(secret), hash);
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>The secret that a request carries, in any of the protocols' ways; null when it has none.</summary>
    internal static string? Find(HttpRequest request)
    {
        string? authorization = request.Headers.Authorization;
        string? secret = authorization is not null
            && authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
                ? authorization[7..].Trim()
                : (string?)request.Headers["x-api-key"] ?? (string?)request.Headers["x-goog-api-key"];
        if (secret is null && request.QueryString.HasValue)
        {
            secret = request.Query["key"];
        }

        return secret is { Length: > 0 and <= MostLength } ? secret : null;
    }
}
