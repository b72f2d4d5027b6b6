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
        Dictionary<string, int> newest = lines.GroupBy(line => line.Book.Id)
            .ToDictionary(g => g.Key, g => g.Max(line => line.Book.Version), StringComparer.Ordinal);
        foreach (CheckedLine line in lines.Where(line => line.Book.Version == newest[line.Book.Id]))
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

            AddMissingYears(file, setup, places, [.. setups.Select(s => s.Setup)], now, findings);
            for (int i = 0; i < (setup.Calendars?.Count ?? 0); i++)
            {
                AddCalendar(file, setup.Calendars![i], places.Line("calendars", i), now, findings);
            }
        }
    }

    // A version whose rules ask what kind of a day it is, and whose calendar does not know the days of a year in which
    // it is in force: now, or soon. Those charges would wait in suspense.
    private static void AddMissingYears(
        PriceFile file, Setup setup, YamlPlaces places, Setup[] all, DateTimeOffset now, List<PriceFinding> findings)
    {
        for (int i = 0; i < setup.Books.Count; i++)
        {
            BookSetup book = setup.Books[i];
            int lines = book.Prices.Count(AsksDayKind);
            CalendarSetup? calendar = all.SelectMany(s => s.Calendars ?? []).Where(c => c.Id == book.Calendar)
                .MaxBy(c => c.Version);
            bool isNewest = !all.Any(s => s.Books.Any(b => b.Id == book.Id && b.Version > book.Version));
            if (lines == 0 || calendar is null || !isNewest)
            {
                continue; // a book that asks and names no calendar is refused
            }

            DateTimeOffset first = RuleGrid.Moment(book.From) is { } from && from > now ? from : now;
            DateTimeOffset last = RuleGrid.Moment(book.To) is { } to && to < first + Soon ? to : first + Soon;
            foreach (int year in ((int[])[first.Year, last.Year]).Distinct().Where(y => last > now
                && !calendar.Years.Contains(y)))
            {
                bool isNow = year == now.Year && first <= now;
                findings.Add(new PriceFinding(FindingKind.Ending, isNow, file.Name, places.Line("books", i),
                    Named(book.Id, book.Version), string.Create(CultureInfo.InvariantCulture,
                        $"{lines} of its lines ask for the kind of a day, and calendar {calendar.Id} has no {year}: ")
                    + "their charges of that year wait in suspense until a version of the calendar has it"));
            }
        }
    }

    private static bool AsksDayKind(PriceSetup line) => (line.Rules ?? []).Select(r => r.When)
        .Concat((line.Factors ?? []).Select(f => f.When)).Any(when => when.DayKinds is not null);

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
