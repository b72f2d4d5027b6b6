using System.Globalization;
using Ciyuan.Counting;
using Ciyuan.Tests.Tidy;
using Xunit;
using Xunit.Abstractions;

namespace Ciyuan.Tests.Counting;

/// <summary>Every body of the file is read as an independent library reads it, or the difference is listed with the
/// reason why ours is right.</summary>
public sealed class ProviderBodiesTests(ITestOutputHelper output)
{
    private const string Listed = "tests/Ciyuan.Tests/Counting/provider-usage-differences.txt";

    [Fact]
    [Trait("Takes", "Long")]
    public void Bodies_AllOfTheFile_AreReadAsExtractedOrListed()
    {
        if (!File.Exists(ProviderBodies.WholeFile))
        {
            output.WriteLine($"SKIPPED: {ProviderBodies.WholeFile} is not there.");
            return;
        }

        List<Extraction> extractions = ProviderBodies.Load(ProviderBodies.WholeFile);
        Assert.Equal((507, 5813), (extractions.DistinctBy(e => e.Entry).Count(), extractions.Count));
        List<string> differences = Differences(extractions);

        if (Environment.GetEnvironmentVariable("CIYUAN_WRITE_DIFFERENCES") is { Length: > 0 } path)
        {
            File.WriteAllLines(path, differences);
        }

        Assert.Equal(ListedLines().Select(line => line[2..]), differences);
    }

    [Fact]
    public void Bodies_OfTheExcerpt_AreReadAsExtractedOrListed()
    {
        List<string> differences = Differences(ProviderBodies.Load(ProviderBodies.Excerpt));
        string[] listed = [.. ListedLines()
            .SelectMany(line => line.Split(' ')[3..].Select(entry =>
                $"{line.Split(' ')[1]} {line.Split(' ')[2]} {entry}"))];

        Assert.NotEmpty(differences);
        Assert.Empty(differences.SelectMany(line => line.Split(' ')[2..]
            .Select(entry => $"{line.Split(' ')[0]} {line.Split(' ')[1]} {entry}")).Except(listed));
    }

    [Fact]
    public void Differences_EachLine_HasAReason()
    {
        string[] reasons = [.. Repository.Read(Listed).Split('\n')
            .Where(line => line.Length > 4 && line.StartsWith("# ", StringComparison.Ordinal)
                && char.IsAsciiLetterUpper(line[2]) && line[3] == ' ')
            .Select(line => line[2..3])];

        Assert.Equal(reasons, ListedLines().Select(line => line[..1]).Distinct().Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> ListedLines() =>
        Repository.Read(Listed).Split('\n').Where(line => line.Length > 0 && line[0] != '#');

    // One line for each interface, field and kind of difference, with the numbers of its entries.
    private static List<string> Differences(List<Extraction> extractions)
    {
        var found = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (Extraction extraction in extractions)
        {
            UsageReader reader = UsageReaders.Find(extraction.Provider, extraction.Flavour)
                ?? throw new InvalidOperationException($"no reader for {extraction.Name}");
            UsageReading reading = reader.Read(extraction.Body);
            foreach ((string field, long ours) in ProviderBodies.InTheirNames(reading))
            {
                long theirs = extraction.Usage.GetValueOrDefault(field);
                if (ours != theirs)
                {
                    string key = $"{extraction.Name} {field}";
                    found.TryAdd(key, []);
                    found[key].Add(string.Create(CultureInfo.InvariantCulture, $"{extraction.Entry}:{theirs}>{ours}"));
                }
            }
        }

        return [.. found.Select(f => $"{f.Key} {string.Join(' ', f.Value)}")];
    }
}
