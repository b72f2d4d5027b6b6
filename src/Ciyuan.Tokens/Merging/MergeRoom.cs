namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Where a piece is merged: room for short ones, and memory for long ones, which is given back when it is large. For
/// one thread at a time.
/// </summary>
internal sealed unsafe class MergeRoom : IDisposable
{
    /// <summary>The longest piece, in symbols, whose pairs are searched from end to end for each merge.</summary>
    internal const int MaxShort = 64;

    private const int Kept = 1 << 20;
    private readonly HugeMemory _short = new(MaxShort * 3 * sizeof(ulong));
    private HugeMemory? _long;

    /// <summary>The symbols of a short piece: where each begins, and in the lower half its id.</summary>
    internal ulong* Symbols => (ulong*)_short.Pointer;

    /// <summary>What each symbol and its right neighbour become: see <see cref="IPairSource"/>.</summary>
    internal ulong* Pairs => (ulong*)_short.Pointer + (MaxShort * 3 / 2);

    /// <summary>Memory of at least so many bytes, of any content.</summary>
    internal byte* Rent(nuint bytes)
    {
        if (_long is null || _long.Bytes < bytes)
        {
            _long?.Dispose();
            _long = new HugeMemory(bytes + (bytes / 4));
        }

        return _long.Pointer;
    }

    /// <summary>Gives back what is too large to keep.</summary>
    internal void Trim()
    {
        if (_long is { Bytes: > Kept })
        {
            _long.Dispose();
            _long = null;
        }
    }

    public void Dispose()
    {
        _short.Dispose();
        _long?.Dispose();
    }
}
