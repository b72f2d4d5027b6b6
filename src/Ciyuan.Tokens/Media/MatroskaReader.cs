using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>WebM and Matroska: elements with variable-length names and sizes.</summary>
internal sealed class MatroskaReader
{
    private const int MaxDepth = 8;
    private const int MaxElements = 200_000;

    private readonly ProbeSource _source;
    private MediaFacts _facts = new() { Kind = MediaKind.Unknown };
    private string _type = "matroska";
    private long _scaleNanoseconds = 1_000_000;
    private double _duration; // in units of the scale
    private long _cluster;
    private long _last = -1;
    private long _frameNanoseconds;
    private long _trackType;
    private long _trackFrameNanoseconds;
    private int _elements;

    private MatroskaReader(ProbeSource source) => _source = source;

    public static (MediaFacts? Facts, string Reason) Read(ProbeSource s)
    {
        MatroskaReader reader = new(s);
        reader.Elements(0, s.Length, 0);
        return reader.Facts();
    }

    private (MediaFacts? Facts, string Reason) Facts()
    {
        if (_facts.Kind == MediaKind.Unknown)
        {
            return (null, $"{_type}: no track of pictures or sound");
        }

        bool told = _duration > 0;
        double units = told ? _duration : Math.Max(0, _last);
        double more = told || _last < 0 ? 0 : _frameNanoseconds;
        double microseconds = Math.Min(((units * _scaleNanoseconds) + more) / 1000.0, 1e17);
        MediaFacts facts = _facts with
        {
            Format = _type,
            DurationMicroseconds = double.IsFinite(microseconds) && microseconds > 0 ? (long)microseconds : 0,
            DurationIsEstimate = !told,
        };
        if (facts.Kind == MediaKind.Video && _frameNanoseconds > 0)
        {
            (long rate, long seconds) = Rate(_frameNanoseconds);
            double frames = Math.Round(facts.DurationMicroseconds * 1000.0 / _frameNanoseconds);
            facts = facts with
            {
                FrameRate = rate,
                FrameRateBase = seconds,
                Frames = (long)Math.Min(frames, MediaLimits.MaxFrames + 1),
            };
        }

        return (facts, told ? "" : $"{_type}: the duration is not told; it is taken from the last block seen");
    }

    /// <summary>
    /// Frames per second by the length of one, which is told in whole nanoseconds: 33366667 is 30000/1001.
    /// </summary>
    private static (long Rate, long Base) Rate(long nanoseconds)
    {
        foreach (long rate in (ReadOnlySpan<long>)[24, 30, 48, 60, 120])
        {
            if (Math.Abs(nanoseconds - (1_001_000_000 / rate)) <= 1)
            {
                return (rate * 1000, 1001);
            }

            if (Math.Abs(nanoseconds - (1_000_000_000 / rate)) <= 1)
            {
                return (rate, 1);
            }
        }

        long common = (long)System.Numerics.BigInteger.GreatestCommonDivisor(1_000_000_000, nanoseconds);
        return (1_000_000_000 / common, nanoseconds / common);
    }

    private void Elements(long at, long end, int depth)
    {
        while (at < end && depth < MaxDepth && ++_elements < MaxElements && _source.MayGoOn && _source.Holds(at, 2))
        {
            long id = Variable(ref at, keepMark: true, out _);
            long size = Variable(ref at, keepMark: false, out bool unknown);
            long left = end - at;
            size = unknown || size > left ? left : size;
            if (left < 0)
            {
                return;
            }

            Element(id, at, size, depth);
            at += id == 0x1F43B675 && unknown ? 0 : size; // a cluster without a size: its parts follow on this level
        }
    }

    private void Element(long id, long at, long size, int depth)
    {
        switch (id)
        {
            case 0x4282: // DocType
                _type = Text(at, size) == "webm" ? "webm" : "matroska";
                break;
            case 0x1A45DFA3 or 0x18538067 or 0x1549A966 or 0x1654AE6B or 0xE0 or 0xE1:
                // The head, Segment, Info, Tracks, Video, Audio
                Elements(at, at + size, depth + 1);
                break;
            case 0x1F43B675 or 0xA0 when _duration <= 0: // Cluster, BlockGroup: only where their times are needed
                Elements(at, at + size, depth + 1);
                break;
            case 0xE7: // Timestamp of a cluster
                _cluster = Number(at, size);
                _last = Math.Max(_last, _cluster);
                break;
            case 0xA3 or 0xA1 when size >= 4: // SimpleBlock, Block: the track's number, then a time within the cluster
                long time = at;
                Variable(ref time, keepMark: false, out _);
                _last = Math.Max(_last, _cluster + unchecked((short)_source.U16(time)));
                break;
            case 0xAE: // TrackEntry
                (_trackType, _trackFrameNanoseconds) = (0, 0);
                Elements(at, at + size, depth + 1);
                TrackEnds();
                break;
            default:
                Value(id, at, size);
                break;
        }
    }

    private void Value(long id, long at, long size)
    {
        switch (id)
        {
            case 0x2AD7B1: // TimestampScale
                _scaleNanoseconds = Math.Clamp(Number(at, size), 1, 1_000_000_000_000);
                break;
            case 0x4489: // Duration
                _duration = Real(at, size);
                break;
            case 0x83: // TrackType
                _trackType = Number(at, size);
                break;
            case 0x23E383: // DefaultDuration
                _trackFrameNanoseconds = Number(at, size);
                break;
            case 0xB0 when _facts.Width == 0: // PixelWidth
                _facts = _facts with { Width = Number(at, size) };
                break;
            case 0xBA when _facts.Height == 0: // PixelHeight
                _facts = _facts with { Height = Number(at, size) };
                break;
            case 0xB5 when _facts.SampleRate == 0: // SamplingFrequency
                _facts = _facts with { SampleRate = (int)Math.Clamp(Real(at, size), 0, 10_000_000) };
                break;
            case 0x9F when _facts.Channels == 0: // Channels
                _facts = _facts with { Channels = (int)Math.Min(Number(at, size), 1024) };
                break;
            default:
                break;
        }
    }

    private void TrackEnds()
    {
        if (_trackType == 1 && _facts.Kind != MediaKind.Video)
        {
            _facts = _facts with { Kind = MediaKind.Video, HasSound = _facts.Kind == MediaKind.Audio };
            _frameNanoseconds = _trackFrameNanoseconds;
        }
        else if (_trackType == 2)
        {
            _facts = _facts.Kind == MediaKind.Video
                ? _facts with { HasSound = true }
                : _facts with { Kind = MediaKind.Audio };
        }
    }

    /// <summary>The number of leading zeros tells the length; all ones is "not known".</summary>
    private long Variable(ref long at, bool keepMark, out bool unknown)
    {
        int first = _source.U8(at);
        int length = first == 0 ? 9 : System.Numerics.BitOperations.LeadingZeroCount((uint)first) - 23;
        if (length > (keepMark ? 4 : 8))
        {
            throw new DamagedMediaException(Inv($"{_type}: no element at byte {at}"));
        }

        long value = keepMark ? first : first & ((1 << (8 - length)) - 1);
        bool ones = value == (1 << (8 - length)) - 1;
        for (int i = 1; i < length; i++)
        {
            int next = _source.U8(at + i);
            ones &= next == 0xFF;
            value = (value << 8) | (uint)next;
        }

        unknown = ones && !keepMark;
        at += length;
        return value;
    }

    private long Number(long at, long size)
    {
        if (size > 8)
        {
            throw new DamagedMediaException(Inv($"{_type}: the number at byte {at} is {size} bytes long"));
        }

        ulong value = 0;
        for (int i = 0; i < size; i++)
        {
            value = (value << 8) | _source.U8(at + i);
        }

        return (long)Math.Min(value, 1UL << 53);
    }

    private double Real(long at, long size) => size switch
    {
        4 => BitConverter.UInt32BitsToSingle(_source.U32(at)),
        8 => BitConverter.UInt64BitsToDouble(_source.U64(at)),
        _ => 0,
    } is var value && double.IsFinite(value) ? value : 0;

    private string Text(long at, long size)
    {
        byte[] bytes = new byte[Math.Min(size, 32)];
        _source.Copy(at, bytes);
        return System.Text.Encoding.ASCII.GetString(bytes).TrimEnd('\0');
    }
}
