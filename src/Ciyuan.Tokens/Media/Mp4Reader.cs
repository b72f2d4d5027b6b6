using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>MP4, MOV, M4A and their kin, and pictures in the same boxes (HEIC, AVIF).</summary>
internal sealed class Mp4Reader
{
    private const int MaxDepth = 10;
    private const int MaxBoxes = 200_000;

    private readonly ProbeSource _source;
    private readonly List<Track> _tracks = [];
    private long _movieScale;
    private long _movieDuration;
    private long _pictureWidth;
    private long _pictureHeight;
    private bool _fragmented;
    private Track? _fragmentTrack;
    private long _fragmentDuration;
    private int _boxes;

    private Mp4Reader(ProbeSource source) => _source = source;

    public static (MediaFacts? Facts, string Reason) Read(ProbeSource s)
    {
        Mp4Reader reader = new(s);
        reader.Boxes(0, s.Length, 0);
        return reader.Facts();
    }

    private (MediaFacts? Facts, string Reason) Facts()
    {
        Track? film = _tracks.Find(t => t.Handler == "vide");
        Track? sound = _tracks.Find(t => t.Handler == "soun");
        if (film is null && sound is null)
        {
            return _pictureWidth > 0
                ? (PictureReaders.Picture("heif", _pictureWidth, _pictureHeight), "")
                : (null, "mp4: no track of pictures or sound" + (_movieScale == 0 ? ", and no moov box" : ""));
        }

        Track main = film ?? sound!;
        long ofTrack = SoundReaders.Scale(main.Duration, main.Scale);
        long ofMovie = SoundReaders.Scale(_movieDuration, _movieScale);
        // A sound's track has what the encoder put before and after; the movie is what is played of it.
        bool played = film is null && !_fragmented && ofMovie > 0;
        long microseconds = ofTrack > 0 && !played ? ofTrack : ofMovie;
        string reason = microseconds > 0 ? "" : _fragmented
            ? "mp4: in fragments that could not all be walked: the duration is not told"
            : "mp4: the duration is not told";
        MediaFacts facts = new()
        {
            Kind = film is null ? MediaKind.Audio : MediaKind.Video,
            Format = "mp4",
            Width = film?.Width ?? 0,
            Height = film?.Height ?? 0,
            Orientation = film?.Turned == true ? 6 : 1,
            Frames = film is null ? 0 : Math.Min(film.Samples, MediaLimits.MaxFrames + 1),
            DurationMicroseconds = microseconds,
            HasSound = film is not null && sound is not null,
            SampleRate = sound?.SampleRate ?? 0,
            Channels = sound?.Channels ?? 0,
        };
        return (film is null ? facts : WithRate(facts, film), reason);
    }

    private static MediaFacts WithRate(MediaFacts facts, Track film)
    {
        if (film.Samples <= 0 || film.Duration <= 0 || film.Scale <= 0 || film.Samples > long.MaxValue / film.Scale)
        {
            return facts;
        }

        long up = film.Samples * film.Scale;
        long common = (long)System.Numerics.BigInteger.GreatestCommonDivisor(up, film.Duration);
        return facts with { FrameRate = up / common, FrameRateBase = film.Duration / common };
    }

    private void Boxes(long at, long end, int depth)
    {
        while (at <= end - 8 && _source.Holds(at, 8) && depth < MaxDepth && ++_boxes < MaxBoxes && _source.MayGoOn)
        {
            ulong size = _source.U32(at);
            long head = 8;
            if (size == 1)
            {
                size = _source.U64(at + 8);
                head = 16;
            }

            long left = end - at;
            long length = size == 0 || size > (ulong)left ? left : (long)size;
            if (length < head)
            {
                throw new DamagedMediaException(Inv($"mp4: the box at byte {at} is {length} bytes long"));
            }

            Box(_source.U32(at + 4), at + head, at + length, depth);
            at += length;
        }
    }

    private void Box(uint type, long at, long end, int depth)
    {
        Track? track = _tracks.Count > 0 ? _tracks[^1] : null;
        switch (Name(type))
        {
            case "moov" or "mdia" or "minf" or "stbl" or "iprp" or "ipco" or "moof" or "traf":
                Boxes(at, end, depth + 1);
                break;
            case "mvex":
                _fragmented = true;
                Boxes(at, end, depth + 1);
                break;
            case "trak":
                _tracks.Add(new Track());
                Boxes(at, end, depth + 1);
                break;
            case "meta" when depth == 0:
                Boxes(at + 4, end, depth + 1);
                break;
            case "ispe":
                Picture(_source.U32(at + 4), _source.U32(at + 8));
                break;
            case "clap" when _source.U32(at + 4) > 0 && _source.U32(at + 12) > 0:
                Crop(_source.U32(at) / _source.U32(at + 4), _source.U32(at + 8) / _source.U32(at + 12));
                break;
            case "mvhd":
                (_movieScale, _movieDuration) = ScaleAndDuration(at);
                break;
            default:
                if (!FragmentBox(Name(type), at, end) && track is not null)
                {
                    TrackBox(Name(type), track, at, end);
                }

                break;
        }
    }

    private bool FragmentBox(string name, long at, long end)
    {
        switch (name)
        {
            case "mehd":
                _movieDuration = _source.U8(at) == 1 ? Whole(_source.U64(at + 4)) : _source.U32(at + 4);
                return true;
            case "trex":
                Defaults(at);
                return true;
            case "tfhd":
                FragmentHead(at);
                return true;
            case "trun":
                FragmentRun(at, end);
                return true;
            default:
                return false;
        }
    }

    private void TrackBox(string name, Track track, long at, long end)
    {
        switch (name)
        {
            case "tkhd":
                long matrix = at + (_source.U8(at) == 1 ? 52 : 40);
                track.Id = _source.U32(at + (_source.U8(at) == 1 ? 20 : 12));
                track.Turned = _source.U32(matrix) == 0 && _source.U32(matrix + 4) != 0;
                break;
            case "mdhd":
                (track.Scale, track.Duration) = ScaleAndDuration(at);
                break;
            case "hdlr":
                string handler = Name(_source.U32(at + 8));
                bool counts = handler is "vide" or "soun" || track.Handler.Length == 0; // not the one of the data
                track.Handler = counts ? handler : track.Handler;
                break;
            case "stsd" when _source.U32(at + 4) > 0 && track.Handler == "vide":
                (track.Width, track.Height) = (_source.U16(at + 8 + 32), _source.U16(at + 8 + 34));
                break;
            case "stsd" when _source.U32(at + 4) > 0 && track.Handler == "soun":
                track.Channels = _source.U16(at + 8 + 24);
                track.SampleRate = (int)(_source.U32(at + 8 + 32) >> 16);
                break;
            case "stts":
                Times(track, at, end);
                break;
            default:
                break;
        }
    }

    /// <summary>Runs of samples of one length each: how many there are, and how long all are.</summary>
    private void Times(Track track, long at, long end)
    {
        long entries = Math.Min(_source.U32(at + 4), (end - at - 8) / 8);
        Int128 duration = 0;
        for (long i = 0; i < entries && _source.MayGoOn; i++)
        {
            long count = _source.U32(at + 8 + (i * 8));
            track.Samples += count;
            duration += (Int128)count * _source.U32(at + 12 + (i * 8));
        }

        track.Duration = duration > 0 && duration <= long.MaxValue / 2 ? (long)duration : track.Duration;
    }

    private void Defaults(long at)
    {
        uint id = _source.U32(at + 4);
        Track? track = _tracks.Find(t => t.Id == id);
        if (track is not null)
        {
            track.DefaultDuration = _source.U32(at + 12);
            track.Duration = 0; // what the head says of a film in fragments is no more than its first piece
        }
    }

    private void FragmentHead(long at)
    {
        uint flags = _source.U32(at) & 0xFF_FFFF;
        uint id = _source.U32(at + 4);
        _fragmentTrack = _tracks.Find(t => t.Id == id);
        long field = at + 8 + ((flags & 1) != 0 ? 8 : 0) + ((flags & 2) != 0 ? 4 : 0);
        _fragmentDuration = (flags & 8) != 0 ? _source.U32(field) : _fragmentTrack?.DefaultDuration ?? 0;
    }

    private void FragmentRun(long at, long end)
    {
        if (_fragmentTrack is not { } track)
        {
            return;
        }

        uint flags = _source.U32(at) & 0xFF_FFFF;
        long each = (((flags >> 8) & 1) + ((flags >> 9) & 1) + ((flags >> 10) & 1) + ((flags >> 11) & 1)) * 4;
        long field = at + 8 + ((flags & 1) != 0 ? 4 : 0) + ((flags & 4) != 0 ? 4 : 0);
        long count = _source.U32(at + 4);
        count = each == 0 ? count : Math.Min(count, (end - field) / each);
        track.Samples += count;
        if ((flags & 0x100) == 0)
        {
            track.Duration += count * _fragmentDuration;
            return;
        }

        for (long i = 0; i < count && _source.MayGoOn; i++)
        {
            track.Duration += _source.U32(field + (i * each));
        }
    }

    private (long Scale, long Duration) ScaleAndDuration(long at)
    {
        bool wide = _source.U8(at) == 1;
        long scale = _source.U32(at + (wide ? 20 : 12));
        ulong duration = wide ? _source.U64(at + 24) : _source.U32(at + 16);
        return (scale, duration == (wide ? ulong.MaxValue : uint.MaxValue) ? 0 : Whole(duration));
    }

    private void Picture(long w, long h)
    {
        if (w <= MediaLimits.MaxSide && h <= MediaLimits.MaxSide && w * h > _pictureWidth * _pictureHeight)
        {
            (_pictureWidth, _pictureHeight) = (w, h); // the whole is larger than its tiles and its preview
        }
    }

    /// <summary>Coded pictures are whole blocks; what is shown of one may be less.</summary>
    private void Crop(long w, long h)
    {
        if (w > 0 && h > 0 && w <= _pictureWidth && h <= _pictureHeight)
        {
            (_pictureWidth, _pictureHeight) = (w, h);
        }
    }

    /// <summary>Kept below 2⁵³, so that sums of durations cannot overflow.</summary>
    private static long Whole(ulong value) => (long)Math.Min(value, 1UL << 53);

    private static string Name(uint type) => string.Create(4, type, static (span, t) =>
    {
        for (int i = 0; i < 4; i++)
        {
            span[i] = (char)((t >> (24 - (i * 8))) & 0xFF);
        }
    });

    private sealed class Track
    {
        public uint Id { get; set; }

        public string Handler { get; set; } = "";

        public long Scale { get; set; }

        public long Duration { get; set; }

        public long DefaultDuration { get; set; }

        public long Samples { get; set; }

        public long Width { get; set; }

        public long Height { get; set; }

        public bool Turned { get; set; }

        public int SampleRate { get; set; }

        public int Channels { get; set; }
    }
}
