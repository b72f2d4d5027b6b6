using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>The headers of sounds in WAV, FLAC and Ogg.</summary>
internal static class SoundReaders
{
    private const int MaxChunks = 4096;
    private const long OpusRate = 48_000; // an Opus position counts these, whatever was put in

    /// <summary>Chunks: the format, and how many bytes of data there are.</summary>
    public static (MediaFacts? Facts, string Reason) Wav(ProbeSource s)
    {
        long at = 12;
        long rate = 0, channels = 0, align = 0, bytesPerSecond = 0, samples = 0, wide = -1;
        int code = 0;
        for (int i = 0; i < MaxChunks && s.Holds(at, 8); i++)
        {
            long length = s.U32(at + 4, little: true);
            long data = at + 8;
            if (s.Is(at, "fmt "u8))
            {
                code = s.U16(data, little: true);
                channels = s.U16(data + 2, little: true);
                rate = s.U32(data + 4, little: true);
                bytesPerSecond = s.U32(data + 8, little: true);
                align = s.U16(data + 12, little: true);
                code = code == 0xFFFE && length >= 26 ? s.U16(data + 24, little: true) : code;
            }
            else if (s.Is(at, "ds64"u8))
            {
                wide = (long)Math.Min(s.U64(data + 8, little: true), long.MaxValue);
            }
            else if (s.Is(at, "fact"u8))
            {
                samples = s.U32(data, little: true);
            }
            else if (s.Is(at, "data"u8))
            {
                length = DataLength(length, wide, s.Length - data);
                samples = code is 1 or 3 or 6 or 7 && align > 0 ? length / align : samples;
                return rate is < 1 or > 10_000_000 || (samples == 0 && bytesPerSecond == 0)
                    ? (null, Inv($"wav: no usable format before the data (code {code}, {rate} Hz)"))
                    : (Sound("wav", samples, rate, channels, samples > 0 ? 0 : Scale(length, bytesPerSecond)), "");
            }

            at = data + length + (length & 1);
        }

        return (null, "wav: no data chunk");
    }

    /// <summary>
    /// Recorders that could not seek back leave 0 or all ones: then the data goes up to the end of the file.
    /// </summary>
    private static long DataLength(long told, long wide, long there)
    {
        long length = told == 0xFFFF_FFFF && wide >= 0 ? wide : told;
        return length is 0 || length > there ? there : length;
    }

    /// <summary>STREAMINFO is always the first block.</summary>
    public static (MediaFacts? Facts, string Reason) Flac(ProbeSource s, long at)
    {
        if ((s.U8(at + 4) & 0x7F) != 0)
        {
            return (null, "flac: the first block is not STREAMINFO");
        }

        ulong packed = s.U64(at + 4 + 4 + 10); // 20 bits rate, 3 channels, 5 depth, 36 samples
        long rate = (long)(packed >> 44);
        long channels = (long)((packed >> 41) & 7) + 1;
        long samples = (long)(packed & 0xF_FFFF_FFFF);
        if (rate == 0)
        {
            return (null, "flac: the sample rate is 0");
        }

        return (Sound("flac", samples, rate, channels), samples == 0 ? "flac: the number of samples is not told" : "");
    }

    /// <summary>The first page names the codec; the last page of the same stream says where the sound ends.</summary>
    public static (MediaFacts? Facts, string Reason) Ogg(ProbeSource s)
    {
        uint serial = s.U32(14, little: true);
        long body = 27 + s.U8(26);
        long rate, channels, skip = 0;
        string format;
        if (s.Is(body, "\u0001vorbis"u8))
        {
            (format, channels, rate) = ("ogg-vorbis", s.U8(body + 11), s.U32(body + 12, little: true));
        }
        else if (s.Is(body, "OpusHead"u8))
        {
            (format, channels, rate, skip) = ("ogg-opus", s.U8(body + 9), OpusRate, s.U16(body + 10, little: true));
        }
        else if (s.Is(body, "\u007FFLAC"u8) && s.Is(body + 9, "fLaC"u8))
        {
            ulong packed = s.U64(body + 9 + 8 + 10);
            (format, channels, rate) = ("ogg-flac", (long)((packed >> 41) & 7) + 1, (long)(packed >> 44));
        }
        else
        {
            return (null, "ogg: the first stream is neither Vorbis, Opus nor FLAC");
        }

        if (rate is < 1 or > 10_000_000)
        {
            return (null, Inv($"ogg: the sample rate is {rate}"));
        }

        long end = LastPosition(s, serial);
        return (
            Sound(format, Math.Max(0, end - skip), rate, channels),
            end <= 0 ? "ogg: no last page of the first stream in the last 256 KiB" : "");
    }

    /// <summary>A sound; the duration is that of its samples, or the one told when there are none.</summary>
    internal static MediaFacts Sound(
        string format, long samples, long rate, long channels, long microseconds = 0) => new()
        {
            Kind = MediaKind.Audio,
            Format = format,
            SampleRate = (int)Math.Min(rate, int.MaxValue),
            Channels = (int)Math.Min(channels, int.MaxValue),
            DurationMicroseconds = samples > 0 ? Scale(samples, rate) : microseconds,
        };

    /// <summary>count / perSecond in microseconds, rounded down; 0 for no rate, and never beyond 64 bits.</summary>
    internal static long Scale(long count, long perSecond)
    {
        Int128 value = perSecond <= 0 ? 0 : (Int128)Math.Max(0, count) * 1_000_000 / perSecond;
        return value > long.MaxValue ? long.MaxValue : (long)value;
    }

    private static long LastPosition(ProbeSource s, uint serial)
    {
        const int Tail = 256 << 10; // four pages of the largest size, 64 KiB
        long from = Math.Max(0, s.Length - Tail);
        byte[] tail = new byte[s.Length - from];
        s.Copy(from, tail);
        ReadOnlySpan<byte> rest = tail;
        while (rest.LastIndexOf("OggS"u8) is >= 0 and int at)
        {
            if (at + 27 <= tail.Length)
            {
                ReadOnlySpan<byte> page = tail.AsSpan(at);
                long position = System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(page[6..]);
                uint owner = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(page[14..]);
                if (page[4] == 0 && owner == serial && position >= 0)
                {
                    return position;
                }
            }

            rest = rest[..at];
        }

        return 0;
    }
}
