using Ciyuan.Parties;
using Ciyuan.Server.Prices;

namespace Ciyuan.Tests.Prices;

/// <summary>Intersections and covers of patterns, against the matching itself on all short names.</summary>
public sealed class NamePatternsTests
{
    private static readonly string[] Names = AllNames(5);

    [Fact]
    public void Intersect_RandomPatterns_MatchesWhatBothMatch()
    {
        var random = new Random(20261125);
        for (int i = 0; i < 400; i++)
        {
            (string a, string b) = (Pattern(random), Pattern(random));
            IReadOnlyList<string>? both = NamePatterns.Intersect(a, b);
            Assert.NotNull(both);
            ModelPattern[] parts = [.. both.Select(p => new ModelPattern(p))];
            foreach (string name in Names)
            {
                bool expected = Matches(a, name) && Matches(b, name);
                Assert.True(
                    expected == Array.Exists(parts, p => p.Text.Length == 0 ? name.Length == 0 : p.Matches(name)),
                    $"'{a}' and '{b}' at '{name}': {string.Join(", ", both)}");
            }
        }
    }

    [Fact]
    public void Covers_RandomPatterns_SaysSoOnlyWhenEachNameMatches()
    {
        var random = new Random(7);
        int covered = 0;
        for (int i = 0; i < 2_000; i++)
        {
            (string wide, string narrow) = (Pattern(random), Pattern(random));
            bool all = Names.All(name => !Matches(narrow, name) || Matches(wide, name));
            bool says = NamePatterns.Covers(wide, narrow);
            covered += says ? 1 : 0;
            Assert.True(!says || all, $"'{wide}' does not cover '{narrow}'");
        }

        Assert.InRange(covered, 50, 1_950);
    }

    [Theory]
    [InlineData("gpt-4*", "*-mini", "gpt-4*-mini")]
    [InlineData("claude-opus*", "*-opus-4*", "claude-opus*-opus-4* claude-opus-4*")]
    [InlineData("a*", "b*", "")]
    [InlineData("gpt-4o*", "gpt-4o-mini", "gpt-4o-mini")]
    public void Intersect_NamesOfModels_IsShort(string a, string b, string expected) =>
        Assert.Equal(
            expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal),
            NamePatterns.Intersect(a, b)!.Order(StringComparer.Ordinal));

    // The empty pattern of the engine matches everything; here a text without a star is that text alone.
    private static bool Matches(string pattern, string name) =>
        pattern.Length == 0 ? name.Length == 0 : new ModelPattern(pattern).Matches(name);

    private static string Pattern(Random random) => string.Concat(
        Enumerable.Range(0, random.Next(0, 6)).Select(_ => "aab**"[random.Next(5)]));

    private static string[] AllNames(int longest) => [.. Enumerable.Range(0, longest + 1).SelectMany(length =>
        Enumerable.Range(0, 1 << length).Select(bits => string.Concat(
            Enumerable.Range(0, length).Select(i => ((bits >> i) & 1) == 0 ? 'a' : 'b'))))];
}
