using System.Globalization;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>Promotions, versions and calendars that end soon, or have ended with nothing after them.</summary>
internal static class CheckEndings
{
    /// <summary>What ends within this is told.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(60);

    internal static void Run(
        List<(PriceFile File, Setup Setup, YamlPlaces Places)> setups, List<CheckedLine> lines, DateTimeOffset now,
        List<PriceFinding> findings)
    {
        foreach (CheckedLine line in lines.Where(line => IsNewest(line, lines)))
        {
            for (int i = 0; i < line.Rules.Count; i++)
            {
                if (RuleGrid.Moment(line.Rules[i].When.To) is { } end && end < now + Soon)
                {
                    findings.Add(new PriceFinding(FindingKind.Ending, false, line.File, line.RuleRows[i], line.Where,
                        $"rule '{line.Rules[i].Name}' {Ends(end, now)}"));
                }
            }
        }

        foreach ((PriceFile file, Setup setup, YamlPlaces places) in setups)
        {
            for (int i = 0; i < setup.Books.Count; i++)
            {
                BookSetup book = setup.Books[i];
                bool last = !setups.Any(s => s.Setup.Books.Any(b => b.Id == book.Id && b.Version > book.Version));
                if (last && RuleGrid.Moment(book.To) is { } end && end < now + Soon)
                {
                    findings.Add(new PriceFinding(FindingKind.Ending, false, file.Name, places.Line("books", i),
                        Named(book.Id, book.Version), $"{Ends(end, now)}, and no version follows"));
                }
            }

            for (int i = 0; i < (setup.Calendars?.Count ?? 0); i++)
            {
                AddCalendar(file, setup.Calendars![i], places.Line("calendars", i), now, findings);
            }
        }
    }

    private static void AddCalendar(
        PriceFile file, CalendarSetup calendar, int row, DateTimeOffset now, List<PriceFinding> findings)
    {
        int last = calendar.Years.Count == 0 ? 0 : calendar.Years.Max();
        if (last is < 1 or > 9998 || new DateTimeOffset(last + 1, 1, 1, 0, 0, 0, TimeSpan.Zero) < now + Soon)
        {
            findings.Add(new PriceFinding(FindingKind.Ending, false, file.Name, row,
                Named($"calendar {calendar.Id}", calendar.Version), string.Create(CultureInfo.InvariantCulture,
                    $"covers no day after {last}: what asks for one goes to suspense")));
        }
    }

    private static bool IsNewest(CheckedLine line, List<CheckedLine> lines) =>
        !lines.Exists(other => other.Book.Id == line.Book.Id && other.Book.Version > line.Book.Version);

    private static string Named(string id, int version) =>
        string.Create(CultureInfo.InvariantCulture, $"{id} version {version}");

    private static string Ends(DateTimeOffset end, DateTimeOffset now)
    {
        int days = (int)Math.Abs((end - now).TotalDays);
        string at = end.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
        return end <= now ? string.Create(CultureInfo.InvariantCulture, $"ended {days} days ago, at {at}")
            : string.Create(CultureInfo.InvariantCulture, $"ends in {days} days, at {at}");
    }
}
