using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Bytes that lie outside the managed heap and stay where they are: of a resource, or of a mapped file.</summary>
/// <remarks>Keeps alive whoever owns them; they are given back when the owner is collected.</remarks>
internal sealed unsafe class NativeBytes : MemoryManager<byte>
{
    private readonly object _owner;
    private readonly byte* _start;
    private readonly int _length;

    private NativeBytes(object owner, byte* start, int length)
    {
        _owner = owner;
        _start = start;
        _length = length;
    }

    /// <summary>A resource, which is part of the assembly's own mapping.</summary>
    internal static ReadOnlyMemory<byte> OfResource(UnmanagedMemoryStream stream) =>
        new NativeBytes(stream, stream.PositionPointer, checked((int)stream.Length)).Memory;

    /// <summary>Maps a file for reading.</summary>
    /// <exception cref="IOException">The file can't be opened.</exception>
    internal static ReadOnlyMemory<byte> OfFile(string path, long length)
    {
        // Whoever replaces the file renames another over it, so the mapping keeps what it has.
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
        using MemoryMappedFile file = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        MemoryMappedViewAccessor view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        return new NativeBytes(view, start + view.PointerOffset, checked((int)length)).Memory;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin() => GC.KeepAlive(_owner);

    protected override void Dispose(bool disposing)
    {
    }
}
