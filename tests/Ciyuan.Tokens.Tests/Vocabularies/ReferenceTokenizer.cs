using System.Text;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Vocabularies;

/// <summary>
/// Byte pair encoding in the most obvious way, to hold every faster way against: published patterns, one merge at a
/// time over the whole piece. It does not normalise; texts for it are in the family's form already.
/// </summary>
internal sealed class ReferenceTokenizer
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

    /// <summary>The patterns as the families publish them.</summary>
    private static readonly Dictionary<SplitRule, string[]> Published = new()
    {
        [SplitRule.Gpt2] = [@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
        [SplitRule.Gpt2Digits] =
            [@"\p{N}", @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
        [SplitRule.DeepSeekLlm] =
        [
            "[\r\n]", @"\s?[" + FirstDeepSeekScanner.LlmLetters + "]+",
            "\\s?[!-/:-~！-／：-～‘-‟　-。]+", @"\s+$", "[一-龥ࠀ-一가-퟿]+", @"\p{N}",
        ],
        [SplitRule.DeepSeekCoder] = ["[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", @"\p{N}"],
        [SplitRule.Falcon] =
        [
            @"[!-/:-@\[-`{-~\p{P}]+",
            @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        ],
        [SplitRule.Words] = [@"\s*[!-/:-@\[-`{-~\p{P}]|\s*[^\s!-/:-@\[-`{-~\p{P}]+|\s+"],
        [SplitRule.WordMark] = ["▁?[^▁]*"],
        [SplitRule.Cl100k] =
        [
            @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
                + @"|\s+(?!\S)|\s",
        ],
        [SplitRule.O200k] =
        [
            @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + Contractions + "?"
                + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + Contractions + "?"
                + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        [SplitRule.Llama3] =
        [
            Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        [SplitRule.Qwen2] =
        [
            Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        [SplitRule.Qwen35] =
        [
            Contractions + @"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+"
                + @"|\s+(?!\S)|\s+",
        ],
        [SplitRule.Tekken] =
        [
            @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
                + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
                + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        [SplitRule.Kimi] =
        [
            @"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
                + @"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+" + Contractions + "?"
                + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
                + @"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*" + Contractions + "?"
                + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        [SplitRule.DeepSeekV3] =
        [
            @"\p{N}{1,3}",
            "[一-龥぀-ゟ゠-ヿ]+",
            @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                + @"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
    };

    private readonly Vocabulary _vocabulary;
    private readonly ReferencePattern[] _patterns;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Result)> _merges = [];
    private readonly AddedToken[] _ordinary;
    private readonly AddedToken[] _all;

    internal ReferenceTokenizer(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _patterns = [.. Patterns(vocabulary.Split).Select(ReferencePattern.Parse)];
        if (vocabulary.Model == TokenModel.MergeBpe)
        {
            for (int rank = 0; rank < vocabulary.Merges.Length; rank++)
            {
                Merge merge = vocabulary.Merges[rank];
                _merges.Add((merge.Left, merge.Right), (rank, merge.Result));
            }
        }

        _all = [.. vocabulary.AddedTokens.OrderByDescending(token => token.Content.Length)];
        _ordinary = [.. _all.Where(token => !token.Special)];
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">The text; halves of surrogate pairs are U+FFFD.</param>
    /// <param name="withSpecial">Whether control tokens are found in it; others always are.</param>
    internal List<int> Encode(string text, bool withSpecial = false)
    {
        List<int> ids = [];
        int open = 0;
        for (int at = 0; at < text.Length; at++)
        {
            AddedToken? found = Array.Find(
                withSpecial ? _all : _ordinary,
                token => string.CompareOrdinal(text, at, token.Content, 0, token.Content.Length) == 0);
            if (found is not null)
            {
                EncodeStretch(text[open..at], ids);
                ids.Add(found.Id);
                at += found.Content.Length - 1;
                open = at + 1;
            }
        }

        EncodeStretch(text[open..], ids);
        return ids;
    }

    private void EncodeStretch(string text, List<int> ids)
    {
        List<int[]> pieces = [[.. text.EnumerateRunes().Select(rune => rune.Value)]];
        foreach (ReferencePattern pattern in _patterns)
        {
            pieces = [.. pieces.SelectMany(piece => pattern.Cut(piece).Select(cut => piece[cut.Start..cut.End]))];
        }

        pieces.ForEach(piece => EncodePiece(
            Encoding.UTF8.GetBytes(string.Concat(piece.Select(char.ConvertFromUtf32))), ids));
    }

    private void EncodePiece(byte[] bytes, List<int> ids)
    {
        if (_vocabulary.IgnoreMerges && _vocabulary.TryFind(bytes, out int whole))
        {
            ids.Add(whole);
            return;
        }

        List<int> parts = [.. bytes.Select(value => _vocabulary.ByteId(value))];
        while (true)
        {
            (int best, int at, int result) = (int.MaxValue, -1, -1);
            for (int i = 0; i + 1 < parts.Count; i++)
            {
                (int rank, int made) = Rank(parts[i], parts[i + 1]);
                if (rank < best)
                {
                    (best, at, result) = (rank, i, made);
                }
            }

            if (at < 0)
            {
                break;
            }

            parts[at] = result;
            parts.RemoveAt(at + 1);
        }

        ids.AddRange(parts);
    }

    private (int Rank, int Result) Rank(int left, int right)
    {
        if (_vocabulary.Model == TokenModel.MergeBpe)
        {
            return _merges.GetValueOrDefault((left, right), (int.MaxValue, -1));
        }

        byte[] joined = [.. _vocabulary.BytesOf(left), .. _vocabulary.BytesOf(right)];
        return _vocabulary.TryFind(joined, out int id) ? (id, id) : (int.MaxValue, -1);
    }

    /// <summary>The patterns of a rule, as a family publishes them.</summary>
    internal static string[] Patterns(SplitRule rule) => Published[rule];
}
