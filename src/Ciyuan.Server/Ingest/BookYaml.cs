using Ciyuan.Parties;

namespace Ciyuan.Server.Ingest;

/// <summary>Reads price books, calendars and exchange rates from YAML (docs/PRICES.md).</summary>
internal static class BookYaml
{
    internal static BookSetup ReadBook(StrictYaml y) => new(
        y.Needed("id"), y.Whole("version", 1), y.Needed("currency"), y.Text("from"), y.Text("to"), y.Text("source"),
        y.List("prices", "a price", ReadPrice), y.TextOrNull("zone"), y.TextOrNull("calendar"),
        y.Map("on") is { } on ? ReadOn(on) : null);

    internal static CalendarSetup ReadCalendar(StrictYaml y) => new(
        y.Needed("id"), y.Whole("version", 1), y.Wholes("years"), y.Texts("holidays") ?? [], y.Texts("workdays"),
        y.TextOrNull("source"), y.Texts("weekend"));

    internal static ExchangeSetup ReadExchange(StrictYaml y) => new(
        y.Needed("id"), y.Needed("from"), y.Needed("to"),
        y.List("rates", "a rate", r => new ExchangeRateSetup(r.Needed("at"), r.Needed("rate"))),
        y.TextOrNull("source"));

    private static OnSetup ReadOn(StrictYaml y)
    {
        var on = new OnSetup(y.Needed("book"), y.Text("factor", "1"), y.TextOrNull("exchange"));
        y.End();
        return on;
    }

    private static PriceSetup ReadPrice(StrictYaml y) => new(
        y.Needed("model"), ReadPrices(y, "per_million_tokens") ?? [], ReadPrices(y, "per_unit"),
        y.TextOrNull("provider"), y.Texts("aliases"), y.Texts("patterns"), y.Flag("dated", false),
        y.TextOrNull("source"), y.TextOrNull("as_of"), y.ListIfAny("rules", "a rule", ReadRule),
        y.ListIfAny("factors", "a factor", ReadFactor), y.ListIfAny("curves", "a curve", ReadCurve),
        y.TextOrNull("minimum_per_call"),
        y.Entries("billable", "a billable quantity", null, b =>
            new BillableSetup(b.TextOrNull("step"), b.TextOrNull("minimum"))));

    // A price of N units is written price/N.
    private static Dictionary<string, string>? ReadPrices(StrictYaml y, string key) =>
        y.Entries(key, "a price", text => text, price => $"{price.Needed("price")}/{price.Needed("units")}");

    private static RuleSetup ReadRule(StrictYaml y) => new(
        y.Needed("name"), ReadWhen(y), ReadPrices(y, "per_million_tokens"), ReadPrices(y, "per_unit"));

    private static FactorSetup ReadFactor(StrictYaml y) => new(
        y.Needed("name"), ReadWhen(y), y.Needed("factor"), y.Texts("meters"));

    private static CurveSetup ReadCurve(StrictYaml y) => new(
        y.Needed("name"), y.Texts("meters") ?? [], y.Needed("kind"), y.Needed("per"),
        y.List("steps", "a step", ReadStep));

    private static StepSetup ReadStep(StrictYaml y)
    {
        string price = y.Needed("price");
        string? units = y.TextOrNull("units");
        return new StepSetup(
            units is null ? price : $"{price}/{units}", y.WholeOrNull("up_to") ?? 0, y.WholeOrNull("size") ?? 0);
    }

    private static WhenSetup ReadWhen(StrictYaml outer)
    {
        if (outer.Map("when") is not { } y)
        {
            return new WhenSetup();
        }

        var when = new WhenSetup(
            y.TextOrNull("from"), y.TextOrNull("to"), y.Texts("days"), y.Texts("day_kinds"), y.Texts("times"),
            y.WholeOrNull("input_over"), y.WholeOrNull("input_up_to"), y.WholeOrNull("output_over"),
            y.WholeOrNull("output_up_to"), y.TextLists("tags"), y.TextOrNull("any_tokens_of"));
        y.End();
        return when;
    }
}
