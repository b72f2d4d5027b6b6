using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Ciyuan.Server.Console.Users;

/// <summary>One-time codes by time: RFC 6238 over HOTP (RFC 4226), six digits, steps of 30 s.</summary>
internal static class Totp
{
    /// <summary>Seconds of a step.</summary>
    internal const int StepSeconds = 30;

    /// <summary>Bytes of a secret: as long as the hash, as RFC 4226 asks.</summary>
    internal const int SecretBytes = 20;

    private const int Digits = 6;
    private const int ClockSteps = 1; // a phone's clock may be off by half a minute
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The code of a step.</summary>
    internal static string CodeAt(ReadOnlySpan<byte> secret, long step, int digits = Digits)
    {
        Span<byte> counter = stackalloc byte[8];
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        // RFC 6238 and every authenticator's default say SHA-1, which is sound within HMAC.
#pragma warning disable CA5350
        HMACSHA1.HashData(secret, counter, hash);
#pragma warning restore CA5350
        int offset = hash[^1] & 15;
        int number = BinaryPrimitives.ReadInt32BigEndian(hash[offset..]) & int.MaxValue;
        int modulus = digits == Digits ? 1_000_000 : 100_000_000;
        return (number % modulus).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');
    }

    /// <summary>The step in which a code is good, after the last one that was used; null when it is not good.</summary>
    internal static long? FindStep(ReadOnlySpan<byte> secret, string code, long unixSeconds, long lastUsed)
    {
        long now = unixSeconds / StepSeconds;
        for (long step = now - ClockSteps; step <= now + ClockSteps; step++)
        {
            bool same = CryptographicOperations.FixedTimeEquals(
                System.Text.Encoding.ASCII.GetBytes(CodeAt(secret, step)), System.Text.Encoding.UTF8.GetBytes(code));
            if (same && step > lastUsed)
            {
                return step;
            }
        }

        return null;
    }

    /// <summary>A secret as people type it.</summary>
    internal static string ToBase32(ReadOnlySpan<byte> secret)
    {
        var text = new System.Text.StringBuilder();
        int bits = 0;
        int value = 0;
        foreach (byte b in secret)
        {
            value = ((value & 0xFF) << 8) | b;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                text.Append(Base32[(value >> bits) & 31]);
            }
        }

        return text.ToString();
    }
}
