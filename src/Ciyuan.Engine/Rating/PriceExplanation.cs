using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>By which kind of name a line of a book matched a model, in the order of precedence.</summary>
public enum NameMatch
{
    /// <summary>The line's own exact name.</summary>
    Exact = 0,

    /// <summary>One of its aliases.</summary>
    Alias = 1,

    /// <summary>Its own name with a date at the end.</summary>
    Dated = 2,

    /// <summary>An alias with a date at the end.</summary>
    DatedAlias = 3,

    /// <summary>A pattern.</summary>
    Pattern = 4,
}

/// <summary>A rule or factor of the line, and whether it held.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsFactor">A factor, else a rule.</param>
/// <param name="Holds">True, false, or null when its calendar does not cover the day.</param>
/// <param name="Because">The first part of the condition that decided, in words: <c>times: 08:59:59.999 is not in
/// 09:00-12:00</c>.</param>
/// <param name="Factor">The factor as written; empty for rules.</param>
public sealed record ExplainedCondition(string Name, bool IsFactor, bool? Holds, string Because, string Factor);

/// <summary>A book of the chain, from the one asked for to the one that has the line.</summary>
/// <param name="Book">The book; empty for the exchange that the question names.</param>
/// <param name="Version">Its version in force at the moment; 0 when there is none.</param>
/// <param name="Currency">Its currency.</param>
/// <param name="Factor">The factor by which prices of the next book are taken; empty in the last.</param>
/// <param name="Exchange">The exchange by which they are converted; empty when they are not.</param>
/// <param name="ExchangeAt">From when the rate used is in force; null without one.</param>
/// <param name="ExchangeRate">The rate used; empty without one.</param>
public sealed record ExplainedBook(
    string Book, int Version, Currency Currency, string Factor, string Exchange, Timestamp? ExchangeAt,
    string ExchangeRate);

/// <summary>What one count costs.</summary>
/// <param name="Meter">What was counted.</param>
/// <param name="Steps">Its steps.</param>
/// <param name="BillableSteps">What they are taken up to.</param>
/// <param name="From">Where the price comes from: a rule's or curve's name, or <c>line</c>.</param>
/// <param name="Price">Price of a million tokens or of one unit, factors and exchange included, as a decimal or a
/// fraction; empty for a curve.</param>
/// <param name="Amount">Its part of the amount, before rounding: exact as a decimal or a fraction; empty for a
/// curve.</param>
public sealed record ExplainedCount(
    Meter Meter, long Steps, long BillableSteps, string From, string Price, string Amount);

/// <summary>A part of a curve.</summary>
/// <param name="Curve">The curve's name.</param>
/// <param name="Kind"><c>graduated</c>, <c>volume</c> or <c>package</c>.</param>
/// <param name="Since">Start of the period that it counts over; null for a call.</param>
/// <param name="Before">Steps counted before.</param>
/// <param name="Steps">Steps added.</param>
/// <param name="Amount">What that adds, exact as a decimal or a fraction.</param>
public sealed record ExplainedCurve(
    string Curve, string Kind, Timestamp? Since, Int128 Before, Int128 Steps, string Amount);

/// <summary>Why a price is what it is.</summary>
public sealed record PriceExplanation
{
    /// <summary>The moment.</summary>
    public required Timestamp Moment { get; init; }

    /// <summary>The books that were asked, in order; the last has the line, if there is one.</summary>
    public required IReadOnlyList<ExplainedBook> Books { get; init; }

    /// <summary>The line's model, with its provider if it has one; empty without a line.</summary>
    public required string Line { get; init; }

    /// <summary>The name or pattern of the line that matched.</summary>
    public required string MatchedName { get; init; }

    /// <summary>How it matched; null without a line.</summary>
    public required NameMatch? Match { get; init; }

    /// <summary>Where the prices of the line come from, and as of when; both may be empty.</summary>
    public required (string Source, string AsOf) Source { get; init; }

    /// <summary>Rules and factors of the line, in order.</summary>
    public required IReadOnlyList<ExplainedCondition> Conditions { get; init; }

    /// <summary>Each count.</summary>
    public required IReadOnlyList<ExplainedCount> Counts { get; init; }

    /// <summary>Each curve that priced something.</summary>
    public required IReadOnlyList<ExplainedCurve> Curves { get; init; }

    /// <summary>The smallest charge; zero without one.</summary>
    public required Amount Minimum { get; init; }

    /// <summary>Why there is no amount.</summary>
    public required SuspenseReason Reason { get; init; }

    /// <summary>The amount that would be charged; zero when there is a reason.</summary>
    public required Amount Amount { get; init; }

    /// <summary>Its currency.</summary>
    public required Currency Currency { get; init; }

    /// <summary>The rate that a charge would cite.</summary>
    public required Rate? Rate { get; init; }
}

/// <summary>What a price is asked for.</summary>
/// <param name="Book">The book.</param>
/// <param name="Record">Model, provider, moment, counts, tags; the rest does not matter.</param>
/// <param name="Currency">Currency of the amount; none: the book's.</param>
/// <param name="Exchange">The exchange, when that is another one.</param>
/// <param name="Before">Steps that each curve over a period has counted already, by the curve's name; others:
/// 0.</param>
public sealed record PriceQuestion(
    string Book, UsageRecord Record, Currency Currency = default, string Exchange = "",
    IReadOnlyDictionary<string, Int128>? Before = null);
