using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>The headers of still pictures and animations.</summary>
internal static class PictureReaders
{
    /// <summary>Chunks before the picture's data that are looked through for an animation or an orientation.</summary>
    private const int MaxChunks = 4096;

    public static (MediaFacts? Facts, string Reason) Png(ProbeSource s)
    {
        long at = 8;
        MediaFacts? facts = null;
        for (int i = 0; i < MaxChunks && s.Holds(at, 8); i++)
        {
            long length = s.U32(at);
            long data = at + 8;
            if (s.Is(at + 4, "IHDR"u8))
            {
                facts = Picture("png", s.U32(data), s.U32(data + 4));
            }
            else if (s.Is(at + 4, "acTL"u8) && facts is not null)
            {
                facts = facts with { Frames = s.U32(data) & 0x7FFF_FFFF };
            }
            else if (s.Is(at + 4, "eXIf"u8) && facts is not null)
            {
                facts = facts with { Orientation = Orientation(s, data, length) };
            }
            else if (s.Is(at + 4, "IDAT"u8) || (facts is null && !s.Is(at + 4, "CgBI"u8)))
            {
                break; // what matters comes before the data; CgBI is a mark that one vendor puts before the header
            }

            at = data + length + 4;
        }

        return facts is null ? (null, "png: no IHDR chunk at its place") : (facts, "");
    }

    /// <summary>The size is in the first frame header, SOF0…SOF15; C4, C8 and CC are other things.</summary>
    public static (MediaFacts? Facts, string Reason) Jpeg(ProbeSource s)
    {
        long at = 2;
        int orientation = 1;
        while (s.Holds(at, 4) && s.MayGoOn)
        {
            int marker = s.U8(at) == 0xFF ? s.U8(at + 1) : throw Damaged(at, "no marker");
            if (marker is 0xFF or 0x01 or (>= 0xD0 and <= 0xD8))
            {
                at += marker == 0xFF ? 1 : 2; // a filling byte, or a marker without a length
                continue;
            }

            if (marker is 0xD9 or 0xDA)
            {
                break;
            }

            int length = s.U16(at + 2) is >= 2 and var told ? told : throw Damaged(at, "a segment without length");
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return JpegFrame(s, at, orientation);
            }

            if (marker == 0xE1 && s.Is(at + 4, "Exif\0\0"u8))
            {
                orientation = Orientation(s, at + 10, length - 8);
            }

            at += 2 + length;
        }

        return (null, "jpeg: the file has no frame header");
    }

    private static DamagedMediaException Damaged(long at, string what) => new(Inv($"jpeg: {what} at byte {at}"));

    private static (MediaFacts? Facts, string Reason) JpegFrame(ProbeSource s, long at, int orientation)
    {
        (long h, long w) = (s.U16(at + 5), s.U16(at + 7));
        return h == 0
            ? (null, "jpeg: the height is only told behind the picture's data")
            : (Picture("jpeg", w, h) with { Orientation = orientation }, "");
    }

    public static (MediaFacts? Facts, string Reason) WebP(ProbeSource s)
    {
        MediaFacts? facts = null;
        long at = 12;
        long frames = 0;
        int orientation = 1;
        while (s.Holds(at, 8) && s.MayGoOn)
        {
            long length = s.U32(at + 4, little: true);
            long data = at + 8;
            if (s.Is(at, "VP8X"u8) || s.Is(at, "VP8 "u8) || s.Is(at, "VP8L"u8))
            {
                facts ??= WebPSize(s, at, data);
            }
            else if (s.Is(at, "ANMF"u8))
            {
                frames++;
            }
            else if (s.Is(at, "EXIF"u8))
            {
                long skip = s.Is(data, "Exif\0\0"u8) ? 6 : 0;
                orientation = Orientation(s, data + skip, length - skip);
            }

            at = data + length + (length & 1);
        }

        return facts is null
            ? (null, "webp: no VP8, VP8L or VP8X chunk")
            : (facts with { Frames = frames, Orientation = orientation }, "");
    }

    private static MediaFacts WebPSize(ProbeSource s, long at, long data)
    {
        if (s.Is(at, "VP8X"u8))
        {
            return Picture("webp", 1 + s.U24(data + 4, little: true), 1 + s.U24(data + 7, little: true));
        }

        if (s.Is(at, "VP8 "u8))
        {
            return s.Is(data + 3, [0x9D, 0x01, 0x2A])
                ? Picture("webp", s.U16(data + 6, little: true) & 0x3FFF, s.U16(data + 8, little: true) & 0x3FFF)
                : throw new DamagedMediaException("webp: the picture does not start with a key frame");
        }

        uint bits = s.U8(data) == 0x2F
            ? s.U32(data + 1, little: true)
            : throw new DamagedMediaException("webp: the lossless picture lacks its signature");
        return Picture("webp", 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF));
    }

    /// <summary>The size of the screen, and the number of images, as far as they can be walked.</summary>
    public static (MediaFacts? Facts, string Reason) Gif(ProbeSource s)
    {
        MediaFacts facts = Picture("gif", s.U16(6, little: true), s.U16(8, little: true));
        long at = 13 + ColorTable(s.U8(10));
        long frames = 0;
        while (s.Holds(at, 1) && s.MayGoOn)
        {
            int block = s.U8(at);
            if (block == 0x3B)
            {
                return (facts with { Frames = frames }, "");
            }

            if (block == 0x2C && s.Holds(at, 11))
            {
                frames++;
                at = SkipBlocks(s, at + 11 + ColorTable(s.U8(at + 9)));
            }
            else if (block == 0x21)
            {
                at = SkipBlocks(s, at + 2);
            }
            else
            {
                break;
            }
        }

        return (facts with { Frames = frames }, Inv($"gif: the images could be counted up to byte {at} only"));
    }

    public static (MediaFacts? Facts, string Reason) Bmp(ProbeSource s)
    {
        if (s.U32(14, little: true) == 12)
        {
            return (Picture("bmp", s.U16(18, little: true), s.U16(20, little: true)), "");
        }

        long w = unchecked((int)s.U32(18, little: true));
        long h = unchecked((int)s.U32(22, little: true)); // negative: the rows run from the top
        return w < 1 ? (null, Inv($"bmp: the width is {w}")) : (Picture("bmp", w, Math.Abs(h)), "");
    }

    /// <summary>The orientation 1…8 in EXIF data; 1 when it has none, or is damaged.</summary>
    internal static int Orientation(ProbeSource s, long at, long length)
    {
        if (length < 8 || !s.Holds(at, length))
        {
            return 1;
        }

        bool little = s.Is(at, "II*\0"u8);
        if (!little && !s.Is(at, "MM\0*"u8))
        {
            return 1;
        }

        long directory = s.U32(at + 4, little);
        if (directory > length - 2)
        {
            return 1;
        }

        int entries = s.U16(at + directory, little);
        for (int i = 0; i < entries; i++)
        {
            long entry = directory + 2 + (i * 12L);
            if (entry > length - 12)
            {
                break;
            }

            if (s.U16(at + entry, little) == 0x0112)
            {
                int value = s.U16(at + entry + 8, little);
                return value is >= 1 and <= 8 ? value : 1;
            }
        }

        return 1;
    }

    internal static MediaFacts Picture(string format, long w, long h) =>
        new() { Kind = MediaKind.Image, Format = format, Width = w, Height = h };

    private static long ColorTable(int flags) => (flags & 0x80) == 0 ? 0 : 3L << ((flags & 7) + 1);

    private static long SkipBlocks(ProbeSource s, long at)
    {
        while (s.Holds(at, 1) && s.MayGoOn)
        {
            int length = s.U8(at);
            at += 1 + length;
            if (length == 0)
            {
                break;
            }
        }

        return at;
    }
}
