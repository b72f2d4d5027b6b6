using System.IO.Compression;

namespace Ciyuan.Tokens.Media;

/// <summary>
/// The number of pages of a PDF: the largest count of a Pages object, in plain sight or inside a compressed object
/// stream; where there is none, the number of Page objects. Encrypted files keep these in sight too, except in streams.
/// </summary>
internal static class PdfReader
{
    private const int Search = 1024; // some files have other bytes before the mark
    private const int MaxFile = (int)MediaProbe.MaxBytesRead / 2;

    /// <summary>
    /// What one object stream may unpack to, and all together: a small file cannot make much of itself.
    /// </summary>
    private const int MaxStream = 4 << 20;

    private const int MaxUnpacked = 32 << 20;

    public static bool Starts(ProbeSource s)
    {
        byte[] head = new byte[Math.Min(Search, s.Length)];
        s.Copy(0, head);
        return head.AsSpan().IndexOf("%PDF-"u8) >= 0;
    }

    public static (MediaFacts? Facts, string Reason) Read(ProbeSource s)
    {
        // Both ends: the tree of pages is near one of them, and a whole small file is both.
        bool whole = s.Length <= MaxFile;
        byte[] bytes = new byte[Math.Min(s.Length, MaxFile)];
        int half = whole ? bytes.Length : bytes.Length / 2;
        s.Copy(0, bytes.AsSpan(0, half));
        s.Copy(s.Length - (bytes.Length - half), bytes.AsSpan(half));
        (long counted, long objects) = Scan(bytes);
        int unpacked = 0;
        byte[] buffer = bytes.AsSpan().IndexOf("/ObjStm"u8) < 0 ? [] : new byte[MaxStream];
        for (int at = 0; (at = Next(bytes, "/ObjStm"u8, at)) >= 0 && unpacked < MaxUnpacked;)
        {
            int length = Unpack(bytes.AsSpan(at), buffer);
            unpacked += length + 1024;
            (long more, long moreObjects) = Scan(buffer.AsSpan(0, length));
            counted = Math.Max(counted, more);
            objects += moreObjects;
        }

        long pages = Math.Min(counted > 0 ? counted : whole ? objects : 0, MediaLimits.MaxPages);
        MediaFacts facts = new() { Kind = MediaKind.Document, Format = "pdf", Pages = pages };
        return (facts, pages > 0 ? "" : "pdf: no tree of pages was found");
    }

    private static (long Counted, long Objects) Scan(ReadOnlySpan<byte> bytes)
    {
        long counted = 0;
        long objects = 0;
        for (int at = 0; (at = Next(bytes, "/Type"u8, at)) >= 0;)
        {
            ReadOnlySpan<byte> rest = TrimStart(bytes[at..]);
            if (rest.StartsWith("/Pages"u8))
            {
                counted = Math.Max(counted, Count(bytes, at));
            }
            else if (rest.StartsWith("/Page"u8) && (rest.Length == 5 || !char.IsAsciiLetter((char)rest[5])))
            {
                objects++;
            }
        }

        return (counted, objects);
    }

    /// <summary>
    /// The count in the dictionary around an offset: between the marks of the object, before or after.
    /// </summary>
    private static long Count(ReadOnlySpan<byte> bytes, int at)
    {
        const int Near = 64 << 10; // a Pages object names its kids, ten bytes each
        int from = Math.Max(0, at - Near);
        int to = Math.Min(bytes.Length, at + Near);
        int open = bytes[from..at].LastIndexOf("<<"u8);
        int close = bytes[at..to].IndexOf(">>"u8);
        ReadOnlySpan<byte> dictionary = bytes[(open < 0 ? from : from + open)..(close < 0 ? to : at + close)];
        int key = dictionary.IndexOf("/Count"u8);
        if (key < 0)
        {
            return 0;
        }

        ReadOnlySpan<byte> digits = TrimStart(dictionary[(key + 6)..]);
        long value = 0;
        for (int i = 0; i < Math.Min(digits.Length, 7) && char.IsAsciiDigit((char)digits[i]); i++)
        {
            value = (value * 10) + (digits[i] - '0');
        }

        return value;
    }

    private static int Unpack(ReadOnlySpan<byte> from, byte[] into)
    {
        int stream = from.IndexOf("stream"u8);
        if (stream is < 0 or > 4096)
        {
            return 0;
        }

        ReadOnlySpan<byte> data = from[(stream + 6)..];
        data = data.StartsWith("\r\n"u8) ? data[2..] : data.StartsWith("\n"u8) ? data[1..] : data;
        int end = data.IndexOf("endstream"u8);
        data = end < 0 ? data : data[..end];
        try
        {
            using ZLibStream zlib = new(new MemoryStream(data.ToArray()), CompressionMode.Decompress);
            return zlib.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return 0; // not compressed in this way, or damaged
        }
    }

    private static int Next(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> word, int from)
    {
        int at = bytes[from..].IndexOf(word);
        return at < 0 ? -1 : from + at + word.Length;
    }

    private static ReadOnlySpan<byte> TrimStart(ReadOnlySpan<byte> bytes) => bytes.TrimStart(" \t\r\n\f\0"u8);
}
