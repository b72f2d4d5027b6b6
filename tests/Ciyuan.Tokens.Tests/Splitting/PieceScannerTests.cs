using System.Text;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Tests.Counting;
using Ciyuan.Tokens.Tests.Vocabularies;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Splitting;

public sealed class PieceScannerTests
{
    private static readonly int Effort =
        int.TryParse(Environment.GetEnvironmentVariable("CIYUAN_FUZZ"), out int times) ? Math.Max(times, 1) : 1;

    public static TheoryData<SplitRule> Rules => new(
        Enum.GetValues<SplitRule>().Where(rule => rule is not (SplitRule.None or SplitRule.MarkedWords)));

    [Theory]
    [MemberData(nameof(Rules))]
    [Trait("Takes", "Long")]
    public void Next_RandomText_CutsAsThePublishedPatternsDo(SplitRule rule)
    {
        ReferencePattern[] patterns = [.. ReferenceTokenizer.Patterns(rule).Select(ReferencePattern.Parse)];
        var scanner = PieceScanner.For(rule);
        for (int seed = 0; seed < 1500 * Effort; seed++)
        {
            byte[] text = Text(seed, rule);
            string expected = string.Join('|', Pieces(patterns, Encoding.UTF8.GetString(text)));
            Assert.True(expected == Pieces(scanner, text), $"{rule}, seed {seed}: {expected} is right");
        }
    }

    /// <summary>What is called settled stays, whatever is read after it.</summary>
    [Theory]
    [MemberData(nameof(Rules))]
    [Trait("Takes", "Long")]
    public unsafe void IsSettled_TextGoesOn_PieceStays(SplitRule rule)
    {
        var scanner = PieceScanner.For(rule);
        for (int seed = 0; seed < 3000 * Effort; seed++)
        {
            byte[] beginning = Text(seed, rule);
            byte[] whole = [.. beginning, .. Text(seed + 1_000_000, rule)];
            fixed (byte* text = whole)
            {
                byte* end = text + beginning.Length;
                for (byte* at = text; at < end;)
                {
                    byte* next = scanner.Next(at, end);
                    if (!scanner.IsSettled(next, end))
                    {
                        break;
                    }

                    Assert.True(next == scanner.Next(at, text + whole.Length), $"{rule}, seed {seed}, {next - text}");
                    at = next;
                }
            }
        }
    }

    private static byte[] Text(int seed, SplitRule rule)
    {
        string text = new RandomText(seed).Next(1 + (seed % 30));
        return Encoding.UTF8.GetBytes(rule == SplitRule.WordMark ? text.Replace(' ', '▁') : text);
    }

    private static List<string> Pieces(ReferencePattern[] patterns, string text)
    {
        List<int[]> pieces = [[.. text.EnumerateRunes().Select(rune => rune.Value)]];
        foreach (ReferencePattern pattern in patterns)
        {
            pieces = [.. pieces.SelectMany(piece => pattern.Cut(piece).Select(cut => piece[cut.Start..cut.End]))];
        }

        return [.. pieces.Select(piece => string.Concat(piece.Select(char.ConvertFromUtf32)))];
    }

    private static unsafe string Pieces(PieceScanner scanner, byte[] text)
    {
        List<string> pieces = [];
        fixed (byte* start = text)
        {
            byte* end = start + text.Length;
            for (byte* at = start; at < end;)
            {
                byte* next = scanner.Next(at, end);
                pieces.Add(Encoding.UTF8.GetString(at, (int)(next - at)));
                at = next;
            }
        }

        return string.Join('|', pieces);
    }
}
