namespace Ciyuan.Parties;

/// <summary>Finds nulls where none may be, in books and calendars that a careless reader made.</summary>
internal static class BookNulls
{
    internal static bool HasNull(BookSetup b) =>
        Setup.Any(b.Id, b.Currency, b.From, b.To, b.Source) || Setup.In(b.Prices, HasNull)
        || (b.On is { } on && Setup.Any(on.Book, on.Factor));

    internal static bool HasNull(CalendarSetup c) => Setup.Any(c.Id)
        || Setup.In(c.Years) || Setup.In(c.Holidays) || Setup.In(c.Workdays ?? []) || Setup.In(c.Weekend ?? []);

    private static bool HasNull(PriceSetup p) => Setup.Any(p.Model)
        || Setup.In(p.PerMillionTokens?.Values ?? []) || Setup.In(p.PerUnit?.Values ?? [])
        || Setup.In(p.Aliases ?? []) || Setup.In(p.Patterns ?? [])
        || Setup.In(p.Rules ?? [], r => Setup.Any(r.Name) || HasNull(r.When)
            || Setup.In(r.PerMillionTokens?.Values ?? []) || Setup.In(r.PerUnit?.Values ?? []))
        || Setup.In(p.Factors ?? [], f => Setup.Any(f.Name, f.Factor) || HasNull(f.When) || Setup.In(f.Meters ?? []))
        || Setup.In(p.Curves ?? [], c => Setup.Any(c.Name, c.Kind, c.Per) || Setup.In(c.Meters)
            || Setup.In(c.Steps, s => Setup.Any(s.Price)))
        || Setup.In(p.Billable?.Values ?? []);

    private static bool HasNull(WhenSetup? when) => when is null
        || Setup.In(when.Days ?? []) || Setup.In(when.DayKinds ?? []) || Setup.In(when.Times ?? [])
        || Setup.In(when.Tags?.Values ?? [], values => Setup.In(values));
}
