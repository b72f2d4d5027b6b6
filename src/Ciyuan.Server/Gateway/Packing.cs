using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Ciyuan.Server.Gateway;

/// <summary>Unpacks what was asked for plain and came packed all the same, so that it can be counted.</summary>
internal static class Packing
{
    /// <summary>Takes a piece of what was unpacked.</summary>
    internal delegate void Take(ReadOnlySpan<byte> bytes);

    /// <summary>How an answer is packed, in the order in which that was done; empty when it is plain.</summary>
    /// <param name="encoding">Its header <c>Content-Encoding</c>.</param>
    internal static string[] Read(string? encoding)
    {
        if (string.IsNullOrEmpty(encoding))
        {
            return [];
        }

        const StringSplitOptions Bare = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        return [.. encoding.ToLowerInvariant().Split(',', Bare).Where(e => e != "identity")];
    }

    /// <summary>Unpacks, piece by piece.</summary>
    /// <param name="packed">The bytes.</param>
    /// <param name="packing">How they are packed.</param>
    /// <param name="most">Most bytes that are unpacked: a bomb is given up there.</param>
    /// <param name="take">Takes the pieces.</param>
    /// <returns>False when it was not all: packed in an unknown way, damaged, or too large.</returns>
    internal static bool Unpack(ReadOnlyMemory<byte> packed, string[] packing, long most, Take take)
    {
        if (!MemoryMarshal.TryGetArray(packed, out ArraySegment<byte> part) || part.Array is null)
        {
            return packed.IsEmpty;
        }

        Stream? plain = new MemoryStream(part.Array, part.Offset, part.Count);
        foreach (string way in packing.Reverse())
        {
            plain = plain is null ? null : Open(plain, way);
        }

        using (plain)
        {
            return plain is not null && Copy(plain, most, take);
        }
    }

    private static bool Copy(Stream plain, long most, Take take)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            for (long total = 0; total <= most;)
            {
                int read = plain.Read(buffer);
                if (read == 0)
                {
                    return true;
                }

                total += read;
                take(buffer.AsSpan(0, read));
            }
        }
        catch (Exception damaged) when (damaged is InvalidDataException or InvalidOperationException)
        {
            // Brotli says the latter.
        }

        return false;
    }

    private static Stream? Open(Stream packed, string way) => way switch
    {
        "gzip" or "x-gzip" => new GZipStream(packed, CompressionMode.Decompress),
        "deflate" => new ZLibStream(packed, CompressionMode.Decompress),
        "br" => new BrotliStream(packed, CompressionMode.Decompress),
        _ => null,
    };
}
