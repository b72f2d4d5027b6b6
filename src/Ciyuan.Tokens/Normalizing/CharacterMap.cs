using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Normalizing;

/// <summary>
/// SentencePiece's precompiled character map: a double-array trie of runs of characters, in the layout of darts-clone,
/// and what each becomes. Immutable. A damaged map changes less, and reads nothing beyond itself.
/// </summary>
internal sealed class CharacterMap
{
    private const uint HasLeaf = 1 << 8;
    private const uint IsFar = 1 << 9;
    private const uint Label = (1u << 31) | 0xFF;

    /// <summary>
    /// Longer clusters are mapped character by character: <c>spm_precompiled</c>, which Hugging Face's tokenizers use.
    /// </summary>
    private const int MaxClusterBytes = 5;

    private readonly uint[] _trie;
    private readonly byte[] _texts;
    private readonly bool _byCluster;

    /// <param name="map">As <see cref="Normalization.CharacterMap"/> has it.</param>
    /// <param name="byCluster">Whether it is applied to clusters, as Hugging Face does.</param>
    internal CharacterMap(ReadOnlySpan<byte> map, bool byCluster)
    {
        int trie = (int)BinaryPrimitives.ReadUInt32LittleEndian(map);
        _trie = new uint[trie / 4];
        for (int i = 0; i < _trie.Length; i++)
        {
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + (4 * i))..]);
        }

        _texts = map[(4 + trie)..].ToArray();
        _byCluster = byCluster;
    }

    /// <summary>Writes what a text becomes. The text is valid UTF-8.</summary>
    internal void Write(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> to)
    {
        if (_byCluster)
        {
            WriteClusters(Encoding.UTF8.GetString(text), to);
            return;
        }

        while (!text.IsEmpty)
        {
            int length = Find(text, longest: true, out ReadOnlySpan<byte> becomes);
            to.Write(length > 0 ? becomes : text[..(length = Utf8Reader.Length(text[0]))]);
            text = text[length..];
        }
    }

    /// <summary>A cluster becomes what its shortest beginning in the map becomes, all of it.</summary>
    private void WriteClusters(ReadOnlySpan<char> text, ArrayBufferWriter<byte> to)
    {
        Span<byte> short8 = stackalloc byte[8];
        while (!text.IsEmpty)
        {
            int length = StringInfo.GetNextTextElementLength(text);
            if (length <= MaxClusterBytes && Encoding.UTF8.TryGetBytes(text[..length], short8, out int written)
                && written <= MaxClusterBytes && Find(short8[..written], longest: false, out var becomes) > 0)
            {
                to.Write(becomes);
            }
            else
            {
                foreach (Rune rune in text[..length].EnumerateRunes())
                {
                    ReadOnlySpan<byte> one = short8[..rune.EncodeToUtf8(short8)];
                    to.Write(Find(one, longest: false, out becomes) > 0 ? becomes : one);
                }
            }

            text = text[length..];
        }
    }

    /// <summary>The length of a beginning of a text that the map has; 0 when it has none.</summary>
    private int Find(ReadOnlySpan<byte> text, bool longest, out ReadOnlySpan<byte> becomes)
    {
        becomes = default;
        int found = 0;
        uint place = Offset(0);
        for (int i = 0; i < text.Length; i++)
        {
            place ^= text[i];
            if (place >= (uint)_trie.Length || (_trie[place] & Label) != text[i])
            {
                break;
            }

            bool ends = (_trie[place] & HasLeaf) != 0;
            place ^= Offset(place);
            int at = ends && place < (uint)_trie.Length ? (int)(_trie[place] & int.MaxValue) : _texts.Length;
            if (at < _texts.Length)
            {
                becomes = _texts.AsSpan(at, _texts.AsSpan(at).IndexOf((byte)0));
                found = i + 1;
                if (!longest)
                {
                    break;
                }
            }
        }

        return found;
    }

    private uint Offset(uint place) =>
        place < (uint)_trie.Length ? (_trie[place] >> 10) << ((_trie[place] & IsFar) != 0 ? 8 : 0) : 0;
}
