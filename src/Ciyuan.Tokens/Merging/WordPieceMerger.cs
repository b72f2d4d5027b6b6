using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// WordPiece: from the beginning of a word on, the longest entry each time; entries that go on with a word begin with
/// <c>##</c>. A word with a rest that no entry begins, or with too many characters, is the unknown token as a whole.
/// </summary>
internal sealed unsafe class WordPieceMerger(Vocabulary vocabulary, TokenIndex index) : PieceMerger
{
    /// <summary>The length of <c>##</c>.</summary>
    private const int Mark = 2;

    internal override Seams Seams => throw new InvalidOperationException("A word is not taken apart.");

    /// <summary>A word is known or unknown as a whole.</summary>
    internal override bool JoinsUnknown => true;

    internal override long NativeBytes => index.NativeBytes;

    public override void Dispose() => index.Dispose();

    internal override int Count(byte* at, int length, bool part, MergeRoom room) => Split(at, length, room, null);

    internal override void Encode(byte* at, int length, MergeRoom room, List<int> ids) => Split(at, length, room, ids);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Split(byte* piece, int length, MergeRoom room, List<int>? ids)
    {
        byte* at = WordScanner.SkipWhite(piece, piece + length);
        length -= (int)(at - piece);
        if (length == 0)
        {
            return 0;
        }

        int known = ids?.Count ?? 0;
        int count = 0;
        if (!IsTooLong(at, length))
        {
            // With room before it for ##, which then is written over what is found already.
            byte* word = room.Rent((nuint)length + Mark + TokenIndex.Slack);
            Buffer.MemoryCopy(at, word + Mark, length, length);
            for (int start = Mark, end = 0; start < length + Mark; start = end)
            {
                int id = Longest(word, start, length + Mark, out end);
                if (id == TokenIndex.None)
                {
                    count = 0;
                    break;
                }

                count++;
                ids?.Add(id);
            }
        }

        if (count == 0)
        {
            ids?.RemoveRange(known, ids.Count - known);
            ids?.Add(vocabulary.UnknownId);
        }

        return Math.Max(count, 1);
    }

    private bool IsTooLong(byte* word, int length)
    {
        int characters = 0;
        for (int i = 0; i < length && characters <= vocabulary.MaxWordCharacters; i++)
        {
            characters += (word[i] & 0xC0) == 0x80 ? 0 : 1;
        }

        return characters > vocabulary.MaxWordCharacters;
    }

    /// <summary>The longest entry at a place of a word, and where it ends.</summary>
    private int Longest(byte* word, int start, int wordEnd, out int end)
    {
        int from = start;
        if (start > Mark)
        {
            word[start - 1] = word[start - 2] = (byte)'#';
            from = start - Mark;
        }

        end = Math.Min(wordEnd, from + index.MaxLength);
        while (end > start)
        {
            if (end < wordEnd && (word[end] & 0xC0) == 0x80)
            {
                end--; // inside of a character
                continue;
            }

            int id = index.Find(word + from, end - from);
            if (id != TokenIndex.None)
            {
                return id;
            }

            end--;
        }

        return TokenIndex.None;
    }
}
