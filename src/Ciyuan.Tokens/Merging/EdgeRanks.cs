using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// For each character of two or three bytes the lowest rank of what begins or ends with it and has more.
/// </summary>
internal sealed unsafe class EdgeRanks
{
    private readonly uint[] _lowest = new uint[0x10000];
    private readonly List<int> _characters = [];

    internal EdgeRanks() => _lowest.AsSpan().Fill(uint.MaxValue);

    /// <summary>The characters that are results themselves.</summary>
    internal IReadOnlyList<int> Characters => _characters;

    /// <summary>The lowest rank of what has a character at an edge.</summary>
    internal uint Lowest(int character) => _lowest[character];

    /// <summary>Takes note of the bytes that a merge of some rank makes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Note(ReadOnlySpan<byte> bytes, uint rank)
    {
        if (bytes.Length < 2 || (bytes[0] < 0x80 && bytes[^1] < 0x80))
        {
            return;
        }

        if (Whole(bytes, 0, out int character, out int length))
        {
            if (length == bytes.Length)
            {
                _characters.Add(character);
                return;
            }

            _lowest[character] = Math.Min(_lowest[character], rank);
        }

        int last = bytes.Length - 1;
        while (last > 0 && (bytes[last] & 0xC0) == 0x80)
        {
            last--;
        }

        if (last > 0 && Whole(bytes, last, out character, out _))
        {
            _lowest[character] = Math.Min(_lowest[character], rank);
        }
    }

    /// <summary>Writes a character of two or three bytes.</summary>
    /// <returns>How many.</returns>
    internal static int Write(int character, byte* to)
    {
        if (character < 0x800)
        {
            to[0] = (byte)(0xC0 | (character >> 6));
            to[1] = (byte)(0x80 | (character & 63));
            return 2;
        }

        to[0] = (byte)(0xE0 | (character >> 12));
        to[1] = (byte)(0x80 | ((character >> 6) & 63));
        to[2] = (byte)(0x80 | (character & 63));
        return 3;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Whole(ReadOnlySpan<byte> bytes, int at, out int character, out int length)
    {
        character = 0;
        length = bytes[at] is >= 0xC2 and < 0xF0 ? Utf8Reader.Length(bytes[at]) : 4;
        if (length == 4 || at + length > bytes.Length)
        {
            return false;
        }

        fixed (byte* start = bytes[at..])
        {
            character = Utf8Reader.Decode(start, out length);
        }

        return true;
    }
}
