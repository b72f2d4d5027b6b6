using System.Runtime.CompilerServices;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// What any two bytes of ASCII become, for the first step of merging: nearly half of all that merging asks, in a table
/// that stays in the cache. Immutable.
/// </summary>
internal sealed unsafe class AsciiPairs : IDisposable
{
    private readonly HugeMemory _memory = new(128 * 128 * sizeof(ulong));

    private AsciiPairs()
    {
    }

    internal long NativeBytes => (long)_memory.Bytes;

    public void Dispose() => _memory.Dispose();

    /// <summary>Asks once for each two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static AsciiPairs Find<TPairs>(WholeCharacters characters, TPairs pairs)
        where TPairs : struct, IPairSource
    {
        AsciiPairs found = new();
        ulong* to = (ulong*)found._memory.Pointer;
        byte* both = stackalloc byte[2 + TokenIndex.Slack];
        int* ids = stackalloc int[128];
        ulong symbol;
        for (int value = 0; value < 128; value++)
        {
            both[0] = (byte)value;
            characters.Begin(both, 1, &symbol);
            ids[value] = unchecked((int)symbol);
        }

        for (int place = 0; place < 128 * 128; place++)
        {
            (int left, int right) = (place >> 7, place & 127);
            (both[0], both[1]) = ((byte)left, (byte)right);
            to[place] = pairs.Find(both, 2, ids[left], ids[right]);
        }

        return found;
    }

    /// <summary>What two bytes below 128 become, as <see cref="IPairSource.Find"/> says.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Of(byte left, byte right) => ((ulong*)_memory.Pointer)[(left << 7) | right];
}
