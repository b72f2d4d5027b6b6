using System.Text;
using System.Text.Unicode;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// Counts the first short texts with nothing but the index that the vocabulary's file has of itself: building the
/// tables of <see cref="FastPath"/> takes longer than counting a few thousand bytes slowly. What it does not decide
/// (long texts, marks that compose, tokens that stand as a whole, broken bytes) it leaves. Little code, because all of
/// it is compiled before the first count. Safe to use from several threads.
/// </summary>
internal sealed unsafe class EarlyCounter
{
    /// <summary>
    /// Bytes that are counted so before the tables are built, and of one text: about as slow as building them.
    /// </summary>
    private const int Budget = 16384;
    internal const int MaxTextBytes = 4096;
    private const int MaxPieceBytes = 256;

    private readonly StoredIndex _index;
    private readonly PieceScanner _scanner;
    private readonly int[] _byteIds;
    private readonly bool[] _leftOut;
    private readonly bool _composes;
    private readonly bool _wholeFirst;
    private int _spent;

    private EarlyCounter(Vocabulary vocabulary, StoredIndex index, PieceScanner scanner)
    {
        _index = index;
        _scanner = scanner;
        _byteIds = index.ByteIds();
        _leftOut = FirstBytes(vocabulary);
        _composes = vocabulary.Normalization.Form == UnicodeForm.Nfc;
        _wholeFirst = vocabulary.IgnoreMerges;
    }

    /// <summary>The counter of a vocabulary; null when it has no index, or changes text in other ways.</summary>
    internal static EarlyCounter? For(Vocabulary vocabulary, PieceScanner? scanner)
    {
        Normalization form = vocabulary.Normalization;
        bool isPlain = form is { Form: UnicodeForm.None or UnicodeForm.Nfc, CollapseSpaces: false, EscapeSpaces: false }
            && form.Prefix == SpacePrefix.None;
        bool isIndexed = vocabulary.Model == TokenModel.RankBpe
            || (vocabulary.Model == TokenModel.MergeBpe && !vocabulary.IgnoreMerges);
        if (scanner is null or FalconScanner || !isPlain || !isIndexed || vocabulary.Index is not { } index)
        {
            return null;
        }

        EarlyCounter counter = new(vocabulary, index, scanner);
        foreach (int id in counter._byteIds)
        {
            if (id < 0)
            {
                return null;
            }
        }

        return counter;
    }

    /// <summary>Counts a text, special tokens as text; false when that is not for this counter.</summary>
    internal bool TryCount(ReadOnlySpan<byte> utf8, out int count)
    {
        count = 0;
        if (utf8.Length > MaxTextBytes || Interlocked.Add(ref _spent, utf8.Length) > Budget
            || !Utf8.IsValid(utf8) || HasLeftOut(utf8) || (_composes && !IsComposed(utf8)))
        {
            return false;
        }

        fixed (byte* text = utf8)
        {
            byte* end = text + utf8.Length;
            for (byte* at = text; at < end;)
            {
                byte* next = _scanner.Next(at, end);
                if (next - at > MaxPieceBytes)
                {
                    return false;
                }

                count += CountPiece(new ReadOnlySpan<byte>(at, (int)(next - at)));
                at = next;
            }
        }

        return true;
    }

    private bool HasLeftOut(ReadOnlySpan<byte> utf8)
    {
        foreach (byte value in utf8)
        {
            if (_leftOut[value])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a text is surely composed: nothing but ASCII, Latin, Chinese characters and their punctuation.
    /// </summary>
    private static bool IsComposed(ReadOnlySpan<byte> utf8)
    {
        for (int at = 0; at < utf8.Length; at++)
        {
            bool isSure = utf8[at] switch
            {
                < 0xCC => true, // up to U+02FF, or inside of a character
                0xE2 => utf8[at + 1] == 0x80 && utf8[at + 2] >= 0x90, // U+2010 to U+203F
                0xE3 => utf8[at + 1] == 0x80 && utf8[at + 2] is < 0xAA or > 0xAF, // U+3000 to U+303F, less tone marks
                0xEF => utf8[at + 1] is 0xBC or 0xBD, // U+FF00 to U+FF7F
                byte first => first is >= 0xE4 and <= 0xE9, // U+4000 to U+9FFF
            };
            if (!isSure)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>With what the tokens begin that stand as a whole though they are not special.</summary>
    private static bool[] FirstBytes(Vocabulary vocabulary)
    {
        bool[] isFirst = new bool[256];
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < vocabulary.AddedTokens.Count; i++)
        {
            AddedToken token = vocabulary.AddedTokens[i];
            if (!token.Special && token.Content.Length > 0)
            {
                Rune.GetRuneAt(token.Content, 0).EncodeToUtf8(bytes);
                isFirst[bytes[0]] = true;
            }
        }

        return isFirst;
    }

    /// <summary>Merges the bytes of a piece, the lowest rank first, the leftmost among equals.</summary>
    private int CountPiece(ReadOnlySpan<byte> piece)
    {
        if (_wholeFirst && _index.FindEntry(piece) >= 0)
        {
            return 1;
        }

        int* ids = stackalloc int[MaxPieceBytes + 1];
        int* starts = stackalloc int[MaxPieceBytes + 1];
        ulong* pairs = stackalloc ulong[MaxPieceBytes];
        int count = piece.Length;
        for (int i = 0; i <= count; i++)
        {
            ids[i] = i < count ? _byteIds[piece[i]] : -1;
            starts[i] = i;
            if (i > 1)
            {
                pairs[i - 2] = Pair(piece, ids, starts, i - 2);
            }
        }

        for (int best; (best = Lowest(pairs, count - 1)) >= 0;)
        {
            ids[best] = (int)(pairs[best] & int.MaxValue);
            count--;
            for (int i = best + 1; i < count; i++)
            {
                (ids[i], starts[i], pairs[i - 1]) = (ids[i + 1], starts[i + 1], pairs[i]);
            }

            starts[count] = piece.Length;
            for (int i = Math.Max(0, best - 1); i <= best && i + 1 < count; i++)
            {
                pairs[i] = Pair(piece, ids, starts, i);
            }
        }

        return count;
    }

    /// <summary>The place of the lowest of some pairs, of equal ones the leftmost; -1 when none merges.</summary>
    private static int Lowest(ulong* pairs, int number)
    {
        int best = 0;
        for (int i = 1; i < number; i++)
        {
            best = pairs[i] < pairs[best] ? i : best;
        }

        return number < 1 || pairs[best] == ulong.MaxValue ? -1 : best;
    }

    private ulong Pair(ReadOnlySpan<byte> piece, int* ids, int* starts, int left) =>
        _index.Find(piece[starts[left]..starts[left + 2]], ids[left], ids[left + 1]);
}
