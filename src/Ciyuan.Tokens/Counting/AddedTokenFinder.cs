using System.Buffers;
using System.Text;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Counting;

/// <summary>Finds the tokens that stand as a whole in text: the leftmost, of those the longest. Immutable.</summary>
internal sealed unsafe class AddedTokenFinder
{
    private readonly Dictionary<ulong, List<(byte[] Content, AddedToken Token)>> _byHash = [];

    /// <summary>
    /// By the first two bytes, or the one byte of those that have no more, the lengths there are, longest first.
    /// </summary>
    private readonly Dictionary<int, int[]> _lengths = [];
    private readonly SearchValues<byte> _firsts;

    private AddedTokenFinder(IReadOnlyList<AddedToken> tokens)
    {
        foreach (AddedToken token in tokens)
        {
            byte[] content = Encoding.UTF8.GetBytes(token.Content);
            ulong hash = Hash(content);
            if (!_byHash.TryGetValue(hash, out List<(byte[] Content, AddedToken Token)>? same))
            {
                _byHash[hash] = same = [];
            }

            same.Add((content, token));
            int beginning = content.Length > 1 ? Pair(content, 0) : content[0];
            int[] lengths = _lengths.GetValueOrDefault(beginning, []);
            _lengths[beginning] = [.. lengths.Append(content.Length).Distinct().OrderDescending()];
        }

        _firsts = SearchValues.Create([.. tokens.Select(token => Encoding.UTF8.GetBytes(token.Content)[0]).Distinct()]);
    }

    /// <summary>A finder for what a policy finds; null when that is nothing.</summary>
    internal static AddedTokenFinder? For(Vocabulary vocabulary, SpecialTokens policy, bool normalized)
    {
        List<AddedToken> tokens = [.. vocabulary.AddedTokens.Where(
            token => token.Content.Length > 0 && token.Normalized == normalized && policy.Finds(token))];
        return tokens.Count == 0 ? null : new AddedTokenFinder(tokens);
    }

    /// <summary>Finds the next token.</summary>
    /// <param name="text">The text.</param>
    /// <param name="from">Where to begin; white space before that belongs to nobody.</param>
    /// <param name="start">Where what the token takes begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <returns>The token; null when there is none.</returns>
    internal AddedToken? Next(ReadOnlySpan<byte> text, int from, out int start, out int end)
    {
        for (int at = from; at < text.Length; at++)
        {
            int skip = text[at..].IndexOfAny(_firsts);
            if (skip < 0)
            {
                break;
            }

            at += skip;
            int length = 0;
            AddedToken? token = at + 1 < text.Length ? Longest(text, at, Pair(text, at), out length) : null;
            token ??= Longest(text, at, text[at], out length);
            if (token is not null)
            {
                start = token.LeftStrip ? SpaceBefore(text, from, at) : at;
                end = token.RightStrip ? SpaceAfter(text, at + length) : at + length;
                return token;
            }
        }

        start = end = text.Length;
        return null;
    }

    private static int Pair(ReadOnlySpan<byte> text, int at) => ((text[at] + 1) << 8) | text[at + 1];

    /// <summary>The longest token at a place of those with some beginning.</summary>
    private AddedToken? Longest(ReadOnlySpan<byte> text, int at, int beginning, out int length)
    {
        length = 0;
        if (_lengths.TryGetValue(beginning, out int[]? lengths))
        {
            foreach (int each in lengths)
            {
                if (at + each <= text.Length && Match(text, at, each) is { } token)
                {
                    length = each;
                    return token;
                }
            }
        }

        return null;
    }

    private AddedToken? Match(ReadOnlySpan<byte> text, int at, int length)
    {
        ReadOnlySpan<byte> here = text.Slice(at, length);
        if (_byHash.TryGetValue(Hash(here), out List<(byte[] Content, AddedToken Token)>? same))
        {
            foreach ((byte[] content, AddedToken token) in same)
            {
                if (here.SequenceEqual(content) && (!token.SingleWord || StandsAlone(text, at, at + length)))
                {
                    return token;
                }
            }
        }

        return null;
    }

    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return SpanHash.Of(start, bytes.Length);
        }
    }

    private static CharacterKind Kind(ReadOnlySpan<byte> text, int at, out int length)
    {
        fixed (byte* start = text)
        {
            int codePoint = Utf8Reader.Decode(start + at, out length);
            return (CharacterKind)(UnicodeTable.Kinds[codePoint] & UnicodeTable.KindBits);
        }
    }

    private static bool IsSpace(CharacterKind kind) => kind is CharacterKind.Space or CharacterKind.LineEnd;

    private static int Before(ReadOnlySpan<byte> text, int at)
    {
        do
        {
            at--;
        }
        while (at > 0 && (text[at] & 0xC0) == 0x80);
        return at;
    }

    private static int SpaceBefore(ReadOnlySpan<byte> text, int from, int at)
    {
        while (at > from && Before(text, at) is int before && IsSpace(Kind(text, before, out _)))
        {
            at = before;
        }

        return at;
    }

    private static int SpaceAfter(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && IsSpace(Kind(text, at, out int length)))
        {
            at += length;
        }

        return at;
    }

    private static bool StandsAlone(ReadOnlySpan<byte> text, int start, int end) =>
        (start == 0 || !IsWord(text, Before(text, start))) && (end == text.Length || !IsWord(text, end));

    private static bool IsWord(ReadOnlySpan<byte> text, int at) => text[at] == '_' || Kind(text, at, out _)
        is CharacterKind.Upper or CharacterKind.Lower or CharacterKind.Caseless or CharacterKind.Mark
        or CharacterKind.Number;
}
