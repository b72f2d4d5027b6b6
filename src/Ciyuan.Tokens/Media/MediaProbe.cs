namespace Ciyuan.Tokens.Media;

/// <summary>What a header told.</summary>
/// <param name="Facts">The facts; null when nothing could be told.</param>
/// <param name="Reason">Why nothing, or less than everything, could be told; empty when all was.</param>
/// <param name="BytesRead">How many bytes were looked at, at most <see cref="MediaProbe.MaxBytesRead"/>.</param>
public sealed record MediaProbeResult(MediaFacts? Facts, string Reason, long BytesRead);

/// <summary>
/// Reads sizes and durations from the headers of files. The format is told by the first bytes, never by the name.
/// Nothing is decoded. A damaged or hostile file ends in a reason; it cannot make this read more than
/// <see cref="MaxBytesRead"/>, loop, or throw.
/// </summary>
public static class MediaProbe
{
    /// <summary>
    /// The most bytes that are read of one file, 16 MiB: only counting the frames of an animation or of an MP3 file
    /// without an index, and the pages of a document, reads more than a few pages.
    /// </summary>
    public const long MaxBytesRead = 16 << 20;

    /// <summary>Reads a file that is in memory.</summary>
    public static MediaProbeResult Read(ReadOnlyMemory<byte> file) => Read(new ProbeSource(file));

    /// <summary>Reads a file from a stream that can seek; its position is changed.</summary>
    /// <exception cref="ArgumentException">The stream cannot seek or read.</exception>
    public static MediaProbeResult Read(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.CanSeek && file.CanRead
            ? Read(new ProbeSource(file))
            : throw new ArgumentException("the stream must be readable and able to seek", nameof(file));
    }

    private static MediaProbeResult Read(ProbeSource source)
    {
        try
        {
            (MediaFacts? facts, string reason) = Detect(source);
            if (facts is { Kind: MediaKind.Image or MediaKind.Video } && (facts.Width <= 0 || facts.Height <= 0))
            {
                return new MediaProbeResult(
                    null, $"{facts.Format}: the size is {facts.Width}×{facts.Height}", source.BytesRead);
            }

            return new MediaProbeResult(facts, reason, source.BytesRead);
        }
        catch (DamagedMediaException e)
        {
            return new MediaProbeResult(null, e.Message, source.BytesRead);
        }
    }

    private static (MediaFacts? Facts, string Reason) Detect(ProbeSource s) => s switch
    {
        _ when s.Length == 0 => (null, "the file is empty"),
        _ when s.Is(0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) => PictureReaders.Png(s),
        _ when s.Is(0, [0xFF, 0xD8, 0xFF]) => PictureReaders.Jpeg(s),
        _ when s.Is(0, "GIF87a"u8) || s.Is(0, "GIF89a"u8) => PictureReaders.Gif(s),
        _ when s.Is(0, "BM"u8) && s.Length >= 26 && s.U32(14, little: true) is 12 or (>= 16 and <= 256) =>
            PictureReaders.Bmp(s),
        _ when s.Is(0, "RIFF"u8) && s.Is(8, "WEBP"u8) => PictureReaders.WebP(s),
        _ when (s.Is(0, "RIFF"u8) || s.Is(0, "RF64"u8) || s.Is(0, "BW64"u8)) && s.Is(8, "WAVE"u8) =>
            SoundReaders.Wav(s),
        _ when s.Is(0, "fLaC"u8) => SoundReaders.Flac(s, 0),
        _ when s.Is(0, "OggS"u8) => SoundReaders.Ogg(s),
        _ when s.Is(0, [0x1A, 0x45, 0xDF, 0xA3]) => MatroskaReader.Read(s),
        _ when s.Is(4, "ftyp"u8) || s.Is(4, "moov"u8) || s.Is(4, "mdat"u8) || s.Is(4, "wide"u8) || s.Is(4, "free"u8)
            || s.Is(4, "skip"u8) => Mp4Reader.Read(s),
        _ when PdfReader.Starts(s) => PdfReader.Read(s),
        _ when Mp3Reader.Starts(s) => Mp3Reader.Read(s),
        _ => (null, "the first bytes are of no format that is known here"),
    };
}
