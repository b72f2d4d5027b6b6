using System.IO.Hashing;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Ciyuan.Storage;

/// <summary>An immutable file of ids in order, mapped into memory; see <see cref="IdRunFormat"/>.</summary>
internal sealed unsafe class IdRun : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _filter;
    private readonly IdEntry* _entries;
    private readonly ulong _blocks;

    private IdRun(string path, IdRunFormat format)
    {
        Path = path;
        Format = format;
        _blocks = (ulong)format.Blocks;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _filter = start + IdRunFormat.HeaderLength;
        _entries = (IdEntry*)(start + format.EntriesAt);
    }

    internal string Path { get; }

    internal IdRunFormat Format { get; }

    /// <summary>
    /// Opens a run; null when the file is damaged, which is no fault: runs are made anew from the journal.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="verify">Whether to read it all and compare its hashes; false for a file just written.</param>
    internal static IdRun? TryOpen(string path, bool verify)
    {
        using (SafeFileHandle file = File.OpenHandle(path))
        {
            byte[] header = new byte[IdRunFormat.HeaderLength];
            if (RandomAccess.Read(file, header, 0) < header.Length
                || !IdRunFormat.TryReadHeader(header, out IdRunFormat format)
                || format.FileName != System.IO.Path.GetFileName(path)
                || RandomAccess.GetLength(file) != format.Length
                || (verify && !IsIntact(file, header, format)))
            {
                return null;
            }

            return new IdRun(path, format);
        }
    }

    internal bool TryFind(ulong high, ulong low, in IdFilterMask mask, out IdEntry found)
    {
        found = default;
        ulong block = Math.BigMul(high, _blocks, out _);
        byte* bits = _filter + (block * IdRunFormat.BlockLength);
        if (!mask.IsIn(bits))
        {
            return false;
        }

        long from = *(uint*)bits;
        long to = block + 1 < _blocks ? *(uint*)(bits + IdRunFormat.BlockLength) : Format.Count;
        while (from < to)
        {
            long middle = from + ((to - from) >> 1);
            IdEntry* entry = _entries + middle;
            if (entry->High == high && entry->Low == low)
            {
                found = *entry;
                return true;
            }

            bool before = entry->High != high ? entry->High < high : entry->Low < low;
            from = before ? middle + 1 : from;
            to = before ? to : middle;
        }

        return false;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private static bool IsIntact(SafeFileHandle file, ReadOnlySpan<byte> header, IdRunFormat format)
    {
        Span<byte> footer = stackalloc byte[IdRunFormat.FooterLength];
        return RandomAccess.Read(file, footer, format.FooterAt) == footer.Length
            && BitConverter.ToUInt64(footer) == XxHash3.HashToUInt64(header)
            && BitConverter.ToUInt64(footer[8..]) == Hash(file, IdRunFormat.HeaderLength, format.EntriesAt)
            && BitConverter.ToUInt64(footer[16..]) == Hash(file, format.EntriesAt, format.FooterAt);
    }

    private static ulong Hash(SafeFileHandle file, long from, long to)
    {
        var hash = new XxHash3();
        byte[] buffer = new byte[1 << 18];
        while (from < to)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - from)), from);
            if (read == 0)
            {
                return 0;
            }

            hash.Append(buffer.AsSpan(0, read));
            from += read;
        }

        return hash.GetCurrentHashAsUInt64();
    }
}
