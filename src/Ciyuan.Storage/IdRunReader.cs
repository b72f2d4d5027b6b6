using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ciyuan.Storage;

/// <summary>
/// Reads a run's entries in order through a buffer rather than through the mapping, so that merging large runs does not
/// fill the process's memory with their pages.
/// </summary>
internal sealed class IdRunReader : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly IdEntry[] _buffer = new IdEntry[4_096]; // 128 kB
    private long _unread;
    private long _offset;
    private int _at;
    private int _buffered;

    internal IdRunReader(IdRun run)
    {
        _file = File.OpenHandle(run.Path, options: FileOptions.SequentialScan);
        _offset = run.Format.EntriesAt;
        _unread = run.Format.Count;
        MoveNext();
    }

    internal bool IsAtEnd { get; private set; }

    internal ref readonly IdEntry Current => ref _buffer[_at];

    internal void MoveNext()
    {
        if (++_at >= _buffered)
        {
            Fill();
        }
    }

    public void Dispose() => _file.Dispose();

    private void Fill()
    {
        int wanted = (int)Math.Min(_buffer.Length, _unread);
        Span<byte> bytes = MemoryMarshal.AsBytes(_buffer.AsSpan(0, wanted));
        for (int read = 0; read < bytes.Length;)
        {
            int got = RandomAccess.Read(_file, bytes[read..], _offset + read);
            read += got > 0 ? got : throw new EndOfStreamException("An id run file is shorter than it was.");
        }

        _offset += bytes.Length;
        _unread -= wanted;
        _buffered = wanted;
        _at = 0;
        IsAtEnd = wanted == 0;
    }
}
