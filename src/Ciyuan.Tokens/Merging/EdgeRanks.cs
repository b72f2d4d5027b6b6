using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// For each character of two or three bytes, and for each part that one can begin or end with, the lowest rank of what
/// has it at its edge and goes on beyond it.
/// </summary>
internal sealed unsafe class EdgeRanks
{
    private readonly uint[] _whole = Full(0x10000);
    private readonly uint[] _prefix1 = Full(0x100);
    private readonly uint[] _prefix2 = Full(0x10000);
    private readonly uint[] _suffix1 = Full(0x100);
    private readonly uint[] _suffix2 = Full(0x10000);
    private readonly HashSet<int> _characters = [];

    /// <summary>The characters that are results themselves.</summary>
    internal IReadOnlyCollection<int> Characters => _characters;

    /// <summary>Takes note of the bytes that a merge of some rank makes.</summary>
    internal void Note(ReadOnlySpan<byte> bytes, uint rank)
    {
        if (bytes.Length < 2 || !bytes.ContainsAnyInRange<byte>(0x80, 0xFF))
        {
            return;
        }

        int last = bytes.Length - 1;
        while (last > 0 && IsInside(bytes[last]))
        {
            last--;
        }

        int first = 0;
        while (first < bytes.Length && IsInside(bytes[first]))
        {
            first++;
        }

        if (first < bytes.Length)
        {
            NoteStart(bytes, first, rank);
        }

        NoteEnd(bytes, last, rank);
    }

    /// <summary>The lowest rank of anything that reaches across an edge of a character.</summary>
    internal uint Lowest(int character, byte* bytes, int length)
    {
        uint lowest = Math.Min(_whole[character], Math.Min(_prefix1[bytes[0]], _suffix1[bytes[length - 1]]));
        return length == 2 ? lowest : Math.Min(
            lowest, Math.Min(_prefix2[Two(bytes[0], bytes[1])], _suffix2[Two(bytes[1], bytes[2])]));
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

    private static uint[] Full(int length)
    {
        uint[] ranks = new uint[length];
        ranks.AsSpan().Fill(uint.MaxValue);
        return ranks;
    }

    private static bool IsInside(byte value) => (value & 0xC0) == 0x80;

    private static int Two(byte first, byte second) => (first << 8) | second;

    private static void Lower(ref uint lowest, uint rank) => lowest = Math.Min(lowest, rank);

    private void NoteStart(ReadOnlySpan<byte> bytes, int first, uint rank)
    {
        if (first == 1)
        {
            Lower(ref _suffix1[bytes[0]], rank);
        }
        else if (first == 2)
        {
            Lower(ref _suffix2[Two(bytes[0], bytes[1])], rank);
        }
        else if (Whole(bytes, 0, out int character, out int length))
        {
            if (length < bytes.Length)
            {
                Lower(ref _whole[character], rank);
            }
            else
            {
                _characters.Add(character);
            }
        }
    }

    private void NoteEnd(ReadOnlySpan<byte> bytes, int last, uint rank)
    {
        if (last == 0 || bytes[last] < 0xC0)
        {
            return;
        }

        if (Whole(bytes, last, out int character, out _))
        {
            Lower(ref _whole[character], rank);
        }
        else if (last == bytes.Length - 1)
        {
            Lower(ref _prefix1[bytes[last]], rank);
        }
        else if (last == bytes.Length - 2)
        {
            Lower(ref _prefix2[Two(bytes[last], bytes[last + 1])], rank);
        }
    }

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
            for (int i = 1; i < length; i++)
            {
                if (!IsInside(start[i]))
                {
                    return false;
                }
            }
        }

        return character >= (length == 2 ? 0x80 : 0x800);
    }
}
