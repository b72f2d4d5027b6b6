using System.Buffers.Binary;

namespace Ciyuan.Tokens.Media;

/// <summary>
/// A header says something that is not in the file, or that cannot be: the message tells a person what.
/// </summary>
internal sealed class DamagedMediaException : Exception
{
    public DamagedMediaException(string message)
        : base(message)
    {
    }
}

/// <summary>
/// The bytes of a file by offset, out of memory or a seekable stream, with a limit on how many are read. Every reader
/// goes through here, so no header can make one read more, or outside.
/// </summary>
internal sealed class ProbeSource
{
    private const int PageBytes = 4096;

    /// <summary>More looks than any sound header needs; a file of tiny blocks ends here.</summary>
    private const int MaxLooks = 4_000_000;

    private readonly Stream? _stream;
    private readonly byte[] _page; // owned; holds _pageLength bytes of the stream from _pageAt on
    private readonly ReadOnlyMemory<byte> _memory;
    private long _pageAt = -1;
    private int _pageLength;
    private int _looks;

    public ProbeSource(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        _page = [];
        Length = memory.Length;
    }

    public ProbeSource(Stream stream)
    {
        _stream = stream;
        _page = new byte[PageBytes];
        Length = stream.Length;
    }

    /// <summary>The length of the file in bytes.</summary>
    public long Length { get; }

    /// <summary>How many bytes were read so far; at most <see cref="MediaProbe.MaxBytesRead"/>.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Whether so many bytes lie at an offset.</summary>
    public bool Holds(long at, long count) => at >= 0 && count >= 0 && count <= Length && at <= Length - count;

    /// <summary>Whether more may be read: readers that could go on for long ask before each step.</summary>
    public bool MayGoOn => BytesRead < MediaProbe.MaxBytesRead - PageBytes && _looks < MaxLooks - 64;

    public byte U8(long at)
    {
        Span<byte> b = stackalloc byte[1];
        Copy(at, b);
        return b[0];
    }

    public int U16(long at, bool little = false)
    {
        Span<byte> b = stackalloc byte[2];
        Copy(at, b);
        return little ? BinaryPrimitives.ReadUInt16LittleEndian(b) : BinaryPrimitives.ReadUInt16BigEndian(b);
    }

    public int U24(long at, bool little = false)
    {
        Span<byte> b = stackalloc byte[3];
        Copy(at, b);
        return little ? b[0] | (b[1] << 8) | (b[2] << 16) : (b[0] << 16) | (b[1] << 8) | b[2];
    }

    public uint U32(long at, bool little = false)
    {
        Span<byte> b = stackalloc byte[4];
        Copy(at, b);
        return little ? BinaryPrimitives.ReadUInt32LittleEndian(b) : BinaryPrimitives.ReadUInt32BigEndian(b);
    }

    public ulong U64(long at, bool little = false)
    {
        Span<byte> b = stackalloc byte[8];
        Copy(at, b);
        return little ? BinaryPrimitives.ReadUInt64LittleEndian(b) : BinaryPrimitives.ReadUInt64BigEndian(b);
    }

    /// <summary>Whether these bytes lie at an offset; false beyond the end.</summary>
    public bool Is(long at, ReadOnlySpan<byte> bytes)
    {
        if (!Holds(at, bytes.Length))
        {
            return false;
        }

        Span<byte> b = stackalloc byte[16];
        Copy(at, b[..bytes.Length]);
        return b[..bytes.Length].SequenceEqual(bytes);
    }

    /// <summary>Copies bytes at an offset.</summary>
    /// <exception cref="DamagedMediaException">They are not all there, or too much was read already.</exception>
    public void Copy(long at, Span<byte> into)
    {
        if (!Holds(at, into.Length))
        {
            throw new DamagedMediaException($"the file ends at byte {Length}, within its header");
        }

        if (++_looks > MaxLooks)
        {
            throw new DamagedMediaException("the header has too many parts");
        }

        if (_stream is null)
        {
            BytesRead += into.Length;
            CheckBudget();
            _memory.Span.Slice((int)at, into.Length).CopyTo(into);
            return;
        }

        while (into.Length > 0)
        {
            if (at < _pageAt || at >= _pageAt + _pageLength || _pageAt < 0)
            {
                Load(at);
            }

            ReadOnlySpan<byte> have = _page.AsSpan(0, _pageLength)[(int)(at - _pageAt)..];
            int count = Math.Min(have.Length, into.Length);
            have[..count].CopyTo(into);
            into = into[count..];
            at += count;
        }
    }

    private void Load(long at)
    {
        _pageAt = at - (at % PageBytes);
        _stream!.Position = _pageAt;
        _pageLength = _stream.ReadAtLeast(_page, (int)Math.Min(PageBytes, Length - _pageAt), throwOnEndOfStream: false);
        BytesRead += _pageLength;
        CheckBudget();
        if (_pageLength <= at - _pageAt)
        {
            throw new DamagedMediaException($"the file ends before byte {at}");
        }
    }

    private void CheckBudget()
    {
        if (BytesRead > MediaProbe.MaxBytesRead)
        {
            throw new DamagedMediaException($"nothing was told within {MediaProbe.MaxBytesRead} bytes");
        }
    }
}
