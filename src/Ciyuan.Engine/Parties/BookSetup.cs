using Ciyuan.Quantities;

namespace Ciyuan.Parties;

/// <summary>A version of a price book: dated, and immutable from the moment it is accepted.</summary>
/// <param name="Id">Name of the book.</param>
/// <param name="Version">1, 2, 3, …; a version's content never changes.</param>
/// <param name="Currency">Currency of all prices.</param>
/// <param name="From">First moment (RFC 3339) at which the version is in force; empty: always.</param>
/// <param name="To">First moment at which it is no longer in force; empty: until a later version's start.</param>
/// <param name="Source">Where the prices come from.</param>
/// <param name="Prices">Prices by model.</param>
/// <param name="Zone">IANA zone of the local times, dates and calendar periods of its rules; left out: UTC.</param>
/// <param name="Calendar">The calendar that says which days are holidays; needed where a rule asks.</param>
/// <param name="On">The book that prices what has no line here.</param>
public sealed record BookSetup(
    string Id,
    int Version,
    string Currency,
    string From,
    string To,
    string Source,
    IReadOnlyList<PriceSetup> Prices,
    string? Zone = null,
    string? Calendar = null,
    OnSetup? On = null);

/// <summary>A discount or mark-up on another book: what has no line in this book costs what the other book's version in
/// force at the moment says, times a factor.</summary>
/// <param name="Book">The other book; chains are allowed, circles are not.</param>
/// <param name="Factor">Decimal of 0 or more: <c>0.85</c>.</param>
/// <param name="Exchange">Needed when the other book has another currency: rates from it to this one's.</param>
public sealed record OnSetup(string Book, string Factor, string? Exchange = null);

/// <summary>
/// Prices of the models with some names. A price is a decimal (<c>4.5</c>) or a decimal and a whole number that it is
/// for (<c>0.36/3600</c>: 0.36 for 3 600).
/// </summary>
/// <param name="Model">Exact name, or a pattern with <c>*</c>. docs/PRICES.md states which line a model gets.</param>
/// <param name="PerMillionTokens">Price of a million tokens by class: <c>input.text.cache_read</c>; the front part of a
/// name (<c>input.text</c>, <c>output</c>) is a price for all classes below it that have none of their own.</param>
/// <param name="PerUnit">Price of one unit of another meter: <c>image</c>, <c>second</c>, …</param>
/// <param name="Provider">Only records of this provider.</param>
/// <param name="Aliases">Further exact names.</param>
/// <param name="Patterns">Further patterns.</param>
/// <param name="Dated">Whether the exact names may have a date at their end: <c>-2025-08-07</c>, <c>-20250807</c>,
/// <c>@20250807</c>, <c>-0807</c>.</param>
/// <param name="Source">Where these prices come from, when not where the book's do.</param>
/// <param name="AsOf">The date at which the source said so, for people.</param>
/// <param name="Rules">Prices that go before those of the line while a condition holds; the first rule that holds and
/// prices a meter gives its price.</param>
/// <param name="Factors">Factors on the prices of meters; all that hold are multiplied.</param>
/// <param name="Curves">Prices that depend on how much is used.</param>
/// <param name="MinimumPerCall">A charge is never less.</param>
/// <param name="Billable">By meter: what its quantities are taken up to before they are priced.</param>
public sealed record PriceSetup(
    string Model,
    IReadOnlyDictionary<string, string> PerMillionTokens,
    IReadOnlyDictionary<string, string>? PerUnit = null,
    string? Provider = null,
    IReadOnlyList<string>? Aliases = null,
    IReadOnlyList<string>? Patterns = null,
    bool Dated = false,
    string? Source = null,
    string? AsOf = null,
    IReadOnlyList<RuleSetup>? Rules = null,
    IReadOnlyList<FactorSetup>? Factors = null,
    IReadOnlyList<CurveSetup>? Curves = null,
    string? MinimumPerCall = null,
    IReadOnlyDictionary<string, BillableSetup>? Billable = null);

/// <summary>Prices while a condition holds.</summary>
/// <param name="Name">Shown when a price is explained.</param>
/// <param name="When">The condition.</param>
/// <param name="PerMillionTokens">As in <see cref="PriceSetup"/>.</param>
/// <param name="PerUnit">As in <see cref="PriceSetup"/>.</param>
public sealed record RuleSetup(
    string Name,
    WhenSetup When,
    IReadOnlyDictionary<string, string>? PerMillionTokens = null,
    IReadOnlyDictionary<string, string>? PerUnit = null);

/// <summary>A condition on a moment and a record: each part that is given must hold. Times, weekdays and kinds of day
/// are those of the moment's local date and clock in the book's zone.</summary>
/// <param name="From">First moment (RFC 3339).</param>
/// <param name="To">First moment at which it no longer holds: the end of a promotion.</param>
/// <param name="Days">Weekdays: <c>mon</c>, <c>tue</c>, <c>wed</c>, <c>thu</c>, <c>fri</c>, <c>sat</c>,
/// <c>sun</c>.</param>
/// <param name="DayKinds"><c>workday</c>, <c>weekend</c>, <c>holiday</c>, <c>make_up_workday</c>; a day is of one
/// kind.</param>
/// <param name="Times">Local clock times <c>09:00-12:00</c>, the start inside, the end not; a start after the end spans
/// midnight.</param>
/// <param name="InputOver">The record has more input tokens than this, all classes together.</param>
/// <param name="InputUpTo">The record has this many input tokens or fewer.</param>
/// <param name="OutputOver">The record has more output tokens than this.</param>
/// <param name="OutputUpTo">The record has this many output tokens or fewer.</param>
/// <param name="Tags">Labels of the record: its value is one of those listed; an empty text stands for no such
/// label.</param>
/// <param name="AnyTokensOf">The record has tokens of this class, or of a class below this front part of a name:
/// <c>output.text.reasoning</c> tells thinking.</param>
public sealed record WhenSetup(
    string? From = null,
    string? To = null,
    IReadOnlyList<string>? Days = null,
    IReadOnlyList<string>? DayKinds = null,
    IReadOnlyList<string>? Times = null,
    long? InputOver = null,
    long? InputUpTo = null,
    long? OutputOver = null,
    long? OutputUpTo = null,
    IReadOnlyDictionary<string, IReadOnlyList<string>>? Tags = null,
    string? AnyTokensOf = null);

/// <summary>A factor on prices while a condition holds.</summary>
/// <param name="Name">Shown when a price is explained.</param>
/// <param name="When">The condition.</param>
/// <param name="Factor">Decimal of 0 or more.</param>
/// <param name="Meters">Whose prices: token classes, front parts of their names, units; left out: all.</param>
public sealed record FactorSetup(string Name, WhenSetup When, string Factor, IReadOnlyList<string>? Meters = null);

/// <summary>A price that depends on how much is used. Quantities of its meters are counted together.</summary>
/// <param name="Name">Shown when a price is explained; unique within the line.</param>
/// <param name="Meters">What it prices: all token classes, or all of one unit.</param>
/// <param name="Kind"><c>graduated</c>: each step's part at its price; <c>volume</c>: all at the price of the step that
/// is reached; <c>package</c>: by packages begun.</param>
/// <param name="Per">What quantities are added up over: <c>call</c>, <c>day</c>, <c>month</c>, <c>quarter</c>,
/// <c>year</c>, of the calendar in the book's zone.</param>
/// <param name="Steps">The steps, the smallest first.</param>
public sealed record CurveSetup(
    string Name, IReadOnlyList<string> Meters, string Kind, string Per, IReadOnlyList<StepSetup> Steps);

/// <summary>One step of a curve.</summary>
/// <param name="Price">Price of a million tokens, or of one unit; of a package, of the package.</param>
/// <param name="UpTo">Last token or unit of the step; 0 in the last step: without end.</param>
/// <param name="Size">For packages: tokens or units in one.</param>
public sealed record StepSetup(string Price, long UpTo = 0, long Size = 0);

/// <summary>What a quantity of a meter is taken up to before it is priced; both in the meter's unit, as decimals.
/// Nothing used stays nothing.</summary>
/// <param name="Step">The next multiple of this.</param>
/// <param name="Minimum">At least this.</param>
public sealed record BillableSetup(string? Step = null, string? Minimum = null);

/// <summary>
/// Which days are holidays and which weekend days are worked instead, as published for whole years. A later version may
/// add years, never change one. What asks for a day of another year is not guessed: it waits in suspense.
/// </summary>
/// <param name="Id">Name of the calendar.</param>
/// <param name="Version">1, 2, 3, …</param>
/// <param name="Years">The years that it covers.</param>
/// <param name="Holidays">Days <c>2026-01-01</c>, or ranges <c>2026-02-15..2026-02-23</c>, both ends inside.</param>
/// <param name="Workdays">Weekend days that are worked instead, written likewise.</param>
/// <param name="Source">Who published it, and where.</param>
/// <param name="Weekend">Weekdays of the weekend; left out: <c>sat</c> and <c>sun</c>.</param>
public sealed record CalendarSetup(
    string Id,
    int Version,
    IReadOnlyList<int> Years,
    IReadOnlyList<string> Holidays,
    IReadOnlyList<string>? Workdays = null,
    string? Source = null,
    IReadOnlyList<string>? Weekend = null);

/// <summary>Exchange rates between two currencies; the one in force is the latest at or before a moment. Rates may be
/// added later, at later moments; none is ever changed.</summary>
/// <param name="Id">Name.</param>
/// <param name="From">Currency of the price.</param>
/// <param name="To">Currency of the amount.</param>
/// <param name="Rates">The rates, the earliest first.</param>
/// <param name="Source">Who publishes them, and where.</param>
public sealed record ExchangeSetup(
    string Id, string From, string To, IReadOnlyList<ExchangeRateSetup> Rates, string? Source = null);

/// <summary>A dated exchange rate.</summary>
/// <param name="At">First moment (RFC 3339) at which it is in force.</param>
/// <param name="Rate">Units of the one currency for a unit of the other: a decimal above 0.</param>
public sealed record ExchangeRateSetup(string At, string Rate);

/// <summary>Closes event times: what was charged for them never changes any more. A bound only ever moves
/// forward.</summary>
/// <param name="Until">First moment (RFC 3339) that stays open.</param>
/// <param name="Agreement">The agreement; left out: all.</param>
public sealed record ClosingSetup(string Until, string? Agreement = null)
{
    /// <summary>Whether it would close event times that have not come yet; false when the moment can't be read. As a
    /// bound never moves back, such a slip could not be undone. Who takes setups in asks this; a replay does not, as
    /// the journal is what was accepted.</summary>
    public bool IsAfter(Timestamp now) => Timestamp.TryParse(Until, out Timestamp until) && until > now;
}
