using System.Globalization;
using System.Text.RegularExpressions;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using YamlDotNet.RepresentationModel;

namespace Ciyuan.Server.Prices;

/// <summary>
/// Looks for what people get wrong in price books: gaps, rules and names that overlap, prices in another unit than
/// meant; and shows what changed since the version before and what ends soon. Pure: files and a moment in, findings
/// out.
/// </summary>
public static partial class CheckPrices
{
    /// <summary>Checks setup files, read in their order and as if they were one setup.</summary>
    /// <param name="files">The files.</param>
    /// <param name="now">The moment by which promotions and calendars end soon.</param>
    public static PriceCheck Run(IReadOnlyList<PriceFile> files, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(files);
        var findings = new List<PriceFinding>();
        var setups = new List<(PriceFile File, Setup Setup, YamlPlaces Places)>();
        foreach (PriceFile file in files)
        {
            try
            {
                YamlMappingNode root = SetupYaml.Load(file.Yaml);
                setups.Add((file, SetupYaml.Read(root, "check"), new YamlPlaces(root)));
            }
            catch (YamlFileException fault)
            {
                findings.Add(new PriceFinding(
                    FindingKind.Fault, true, file.Name, LineIn(fault.Message), "", fault.Message));
            }
        }

        List<CheckedLine> lines = [.. setups.SelectMany(s => LinesOf(s.File, s.Setup, s.Places))];
        AddFaults(setups, findings);
        foreach (CheckedLine line in lines)
        {
            CheckRules.Run(line, findings);
        }

        CheckNames.Run(lines, findings);
        CheckUnits.Run(lines, findings);
        CheckSiblings.Run(lines, findings);
        CheckChanges.Run(lines, findings);
        CheckEndings.Run(setups, lines, now, findings);
        return new PriceCheck(
            [.. findings.OrderByDescending(f => f.IsWrong).ThenBy(f => f.Kind == FindingKind.Change)], // a stable sort
            setups.Sum(s => s.Setup.Books.Count), lines.Count);
    }

    private static IEnumerable<CheckedLine> LinesOf(PriceFile file, Setup setup, YamlPlaces places)
    {
        for (int b = 0; b < setup.Books.Count; b++)
        {
            BookSetup book = setup.Books[b];
            for (int p = 0; p < book.Prices.Count; p++)
            {
                PriceSetup price = book.Prices[p];
                int[] rules = [.. Enumerable.Range(0, price.Rules?.Count ?? 0)
                    .Select(r => places.Line("books", b, "prices", p, "rules", r))];
                yield return new CheckedLine(
                    file.Name, book, price, places.Line("books", b, "prices", p), rules);
            }
        }
    }

    // What a setup with the files would be refused for.
    private static void AddFaults(
        List<(PriceFile File, Setup Setup, YamlPlaces Places)> setups, List<PriceFinding> findings)
    {
        var all = new Setup
        {
            Books = [.. setups.SelectMany(s => s.Setup.Books)],
            Calendars = Joined(setups, s => s.Calendars),
            Exchange = Joined(setups, s => s.Exchange),
        };
        var faults = new List<string>();
        bool changed = false;
        PriceBooks.Empty.With(all, faults, ref changed);
        findings.AddRange(faults.Select(fault => FaultPlaces.Find(fault, setups)));
    }

    private static List<T>? Joined<T>(
        List<(PriceFile File, Setup Setup, YamlPlaces Places)> setups, Func<Setup, IReadOnlyList<T>?> part)
    {
        List<T> all = [.. setups.SelectMany(s => part(s.Setup) ?? [])];
        return all.Count == 0 ? null : all;
    }

    private static int LineIn(string message) =>
        LineNumber().Match(message) is { Success: true } match
            && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int line)
                ? line
                : 0;

    [GeneratedRegex("^line ([0-9]+)", RegexOptions.CultureInvariant)]
    private static partial Regex LineNumber();
}
