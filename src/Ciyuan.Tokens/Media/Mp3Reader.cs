using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>
/// MPEG sound, layers 1 to 3. The index of a Xing, Info or VBRI header gives the number of frames; without one the
/// frames are walked, and when that takes too long, estimated from the bit rate.
/// </summary>
internal static class Mp3Reader
{
    private const int MaxSearch = 64 << 10; // how far the first frame may be from where it should start

    /// <summary>kbit/s: layer 1, 2, 3 of MPEG-1, then layer 1, and 2 and 3, of MPEG-2 and 2.5.</summary>
    private static readonly short[][] BitRates =
    [
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];

    private static readonly int[] Rates = [44_100, 48_000, 32_000];

    public static bool Starts(ProbeSource s) => s.Is(0, "ID3"u8) || TryFrame(s, 0, out _);

    public static (MediaFacts? Facts, string Reason) Read(ProbeSource s)
    {
        long start = SkipTags(s);
        if (s.Is(start, "fLaC"u8))
        {
            return SoundReaders.Flac(s, start);
        }

        long at = start;
        long limit = Math.Min(s.Length, start + MaxSearch);
        Frame frame;
        while (!TryFrame(s, at, out frame) || !FollowedWell(s, at, frame))
        {
            if (++at >= limit || !s.MayGoOn)
            {
                return (null, Inv($"mp3: no frame within {MaxSearch} bytes of byte {start}"));
            }
        }

        long end = s.Length - (s.Is(s.Length - 128, "TAG"u8) ? 128 : 0);
        if (Index(s, at, frame) is { } indexed)
        {
            return (Facts(frame, indexed), "");
        }

        (long frames, bool whole) = Walk(s, at, end, frame);
        return whole
            ? (Facts(frame, frames * frame.Samples), "")
            : (Facts(frame, 0) with
            {
                DurationMicroseconds = SoundReaders.Scale(end - at, frame.BitRate / 8),
                DurationIsEstimate = true,
            }, "mp3: no index, and too long to walk: the duration follows from the bit rate of the first frame");
    }

    private static MediaFacts Facts(Frame f, long samples) => SoundReaders.Sound("mp3", samples, f.Rate, f.Channels);

    private static long SkipTags(ProbeSource s)
    {
        long at = 0;
        for (int i = 0; i < 16 && s.Is(at, "ID3"u8) && s.Holds(at, 10); i++)
        {
            long size = 0;
            for (int b = 6; b < 10; b++)
            {
                size = (size << 7) | (uint)(s.U8(at + b) & 0x7F);
            }

            bool footer = (s.U8(at + 5) & 0x10) != 0;
            at += 10 + size + (footer ? 10 : 0);
        }

        return at;
    }

    /// <summary>
    /// Samples by a Xing, Info or VBRI header, without what the encoder put before and after; null without.
    /// </summary>
    private static long? Index(ProbeSource s, long at, Frame f)
    {
        long xing = at + 4 + (f.Mpeg1 ? (f.Channels == 1 ? 17 : 32) : f.Channels == 1 ? 9 : 17);
        if ((s.Is(xing, "Xing"u8) || s.Is(xing, "Info"u8)) && s.Holds(xing, 12) && (s.U32(xing + 4) & 1) != 0)
        {
            long samples = (long)s.U32(xing + 8) * f.Samples;
            uint flags = s.U32(xing + 4);
            long lame = xing + 8 + 4 + ((flags & 2) != 0 ? 4 : 0) + ((flags & 4) != 0 ? 100 : 0)
                + ((flags & 8) != 0 ? 4 : 0);
            if ((s.Is(lame, "LAME"u8) || s.Is(lame, "Lavc"u8) || s.Is(lame, "Lavf"u8)) && s.Holds(lame, 24))
            {
                int gaps = s.U24(lame + 21); // 12 bits before, 12 bits after
                samples -= Math.Min(samples, (gaps >> 12) + (gaps & 0xFFF));
            }

            return samples > 0 ? samples : null;
        }

        long vbri = at + 4 + 32;
        return s.Is(vbri, "VBRI"u8) && s.Holds(vbri, 18) && s.U32(vbri + 14) > 0
            ? (long)s.U32(vbri + 14) * f.Samples
            : null;
    }

    private static (long Frames, bool Whole) Walk(ProbeSource s, long at, long end, Frame first)
    {
        long frames = 0;
        while (at < end && s.MayGoOn && TryFrame(s, at, out Frame f) && f.Rate == first.Rate)
        {
            frames++;
            at += f.Bytes;
        }

        return (frames, at >= end || s.MayGoOn);
    }

    /// <summary>A frame at the end of the file, or one that another frame follows.</summary>
    private static bool FollowedWell(ProbeSource s, long at, Frame f) =>
        at + f.Bytes >= s.Length - 3 || s.Is(at + f.Bytes, "TAG"u8)
        || (TryFrame(s, at + f.Bytes, out Frame next) && next.Rate == f.Rate && next.Layer == f.Layer);

    private static bool TryFrame(ProbeSource s, long at, out Frame frame)
    {
        frame = default;
        if (!s.Holds(at, 4))
        {
            return false;
        }

        uint bits = s.U32(at);
        int version = (int)(bits >> 19) & 3; // 0: 2.5, 2: 2, 3: 1
        int layer = 4 - ((int)(bits >> 17) & 3);
        int rateIndex = (int)(bits >> 10) & 3;
        int bitIndex = (int)(bits >> 12) & 15;
        if ((bits >> 21) != 0x7FF || version == 1 || layer == 4 || rateIndex == 3 || bitIndex is 0 or 15)
        {
            return false;
        }

        bool mpeg1 = version == 3;
        int rate = Rates[rateIndex] >> (mpeg1 ? 0 : version == 2 ? 1 : 2);
        int bitRate = BitRates[mpeg1 ? layer - 1 : layer == 1 ? 3 : 4][bitIndex] * 1000;
        int samples = layer == 1 ? 384 : layer == 2 || mpeg1 ? 1152 : 576;
        int padding = (int)(bits >> 9) & 1;
        int bytes = layer == 1 ? ((12 * bitRate / rate) + padding) * 4 : (samples / 8 * bitRate / rate) + padding;
        frame = new Frame(rate, bitRate, samples, bytes, ((bits >> 6) & 3) == 3 ? 1 : 2, mpeg1, layer);
        return bytes > 4;
    }

    private readonly record struct Frame(
        int Rate, int BitRate, int Samples, int Bytes, int Channels, bool Mpeg1, int Layer);
}
