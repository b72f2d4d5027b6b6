using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ciyuan.Storage;

/// <summary>
/// Writes a run file: entries come in order; filter and entries go out side by side through two buffers.
/// </summary>
internal sealed class IdRunWriter : IDisposable
{
    private const int BufferedEntries = 8_192; // 256 kB
    private const int BufferedBlocks = 1_024; // 64 kB

    private readonly string _path;
    private readonly string _temporaryPath;
    private readonly IdRunFormat _format;
    private readonly SafeFileHandle _file;
    private readonly Region _filter;
    private readonly Region _entries;
    private readonly IdEntry[] _buffer = new IdEntry[BufferedEntries];
    private readonly byte[] _blocks = new byte[BufferedBlocks * IdRunFormat.BlockLength];
    private int _buffered;
    private long _block;
    private int _blocksFull;
    private long _count;

    internal IdRunWriter(string folder, IdRunFormat format)
    {
        _format = format;
        _path = Path.Combine(folder, format.FileName);
        _temporaryPath = _path + ".tmp";
        _file = File.OpenHandle(_temporaryPath, FileMode.Create, FileAccess.Write);
        _filter = new Region(_file, IdRunFormat.HeaderLength);
        _entries = new Region(_file, format.EntriesAt);
    }

    internal void Add(in IdEntry entry)
    {
        long block = (long)Math.BigMul(entry.High, (ulong)_format.Blocks, out _);
        while (_block < block)
        {
            NextBlock();
        }

        Span<byte> bits = _blocks.AsSpan((_blocksFull * IdRunFormat.BlockLength) + sizeof(uint));
        for (int i = 0; i < IdRunFormat.FilterBitsPerId; i++)
        {
            int bit = IdRunFormat.FilterBit(entry.Low, i);
            bits[bit >> 3] |= (byte)(1 << (bit & 7));
        }

        _buffer[_buffered++] = entry;
        _count++;
        if (_buffered == _buffer.Length)
        {
            FlushEntries();
        }
    }

    /// <summary>Ends the file, makes it durable under its name, and opens it.</summary>
    internal IdRun Finish()
    {
        while (_block < _format.Blocks)
        {
            NextBlock();
        }

        FlushEntries();
        _filter.Append(_blocks.AsSpan(0, _blocksFull * IdRunFormat.BlockLength));
        if (_count != _format.Count || _filter.At != _format.EntriesAt || _entries.At != _format.FooterAt)
        {
            throw new InvalidOperationException(
                $"{_path}: {_count} entries were written where {_format.Count} were announced.");
        }

        byte[] header = new byte[IdRunFormat.HeaderLength];
        _format.WriteHeader(header);
        byte[] footer = new byte[IdRunFormat.FooterLength];
        BitConverter.TryWriteBytes(footer, XxHash3.HashToUInt64(header));
        BitConverter.TryWriteBytes(footer.AsSpan(8), _filter.Hash);
        BitConverter.TryWriteBytes(footer.AsSpan(16), _entries.Hash);
        RandomAccess.Write(_file, header, 0);
        RandomAccess.Write(_file, footer, _format.FooterAt);
        DiskSync.Publish(_file, _temporaryPath, _path);
        return IdRun.TryOpen(_path, verify: false)
            ?? throw new InvalidOperationException($"{_path} can't be read back right after it was written.");
    }

    public void Dispose()
    {
        _file.Dispose();
        File.Delete(_temporaryPath);
    }

    private void NextBlock()
    {
        _block++;
        _blocksFull++;
        if (_blocksFull == BufferedBlocks)
        {
            _filter.Append(_blocks);
            Array.Clear(_blocks);
            _blocksFull = 0;
        }

        // Each block starts with the number of entries before it. After the last block this goes nowhere.
        BitConverter.TryWriteBytes(_blocks.AsSpan(_blocksFull * IdRunFormat.BlockLength), checked((uint)_count));
    }

    private void FlushEntries()
    {
        _entries.Append(MemoryMarshal.AsBytes(_buffer.AsSpan(0, _buffered)));
        _buffered = 0;
    }

    /// <summary>A part of the file that is written in order, with its hash.</summary>
    private sealed class Region(SafeFileHandle file, long at)
    {
        private readonly XxHash3 _hash = new();

        internal long At { get; private set; } = at;

        internal ulong Hash => _hash.GetCurrentHashAsUInt64();

        internal void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(file, bytes, At);
            _hash.Append(bytes);
            At += bytes.Length;
        }
    }
}
