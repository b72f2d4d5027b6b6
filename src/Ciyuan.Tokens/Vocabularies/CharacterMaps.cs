using System.Buffers.Binary;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>SentencePiece's precompiled character maps, as bytes: see <see cref="Normalization.CharacterMap"/>.</summary>
internal static class CharacterMaps
{
    /// <summary>The largest map that is read: 16 MiB, sixty times the usual one's.</summary>
    internal const int MaxBytes = 1 << 24;

    /// <summary>True when the lengths fit, the trie has whole units, and the last replacement is ended.</summary>
    internal static bool IsWhole(ReadOnlySpan<byte> map)
    {
        if (map.Length is < 4 or > MaxBytes)
        {
            return false;
        }

        uint trie = BinaryPrimitives.ReadUInt32LittleEndian(map);
        return trie % 4 == 0 && trie <= (uint)map.Length - 4 && map[^1] == 0;
    }
}
