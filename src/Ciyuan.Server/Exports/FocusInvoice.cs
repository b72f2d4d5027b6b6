using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using DateTimeZone = NodaTime.DateTimeZone;

namespace Ciyuan.Server.Exports;

/// <summary>What is invoiced under an agreement for a month.</summary>
/// <param name="Id">Id of the invoice, provisional while it is open.</param>
/// <param name="Month">The billing period.</param>
/// <param name="IsIssued">Whether the month is closed for the agreement: nothing of it changes any more.</param>
/// <param name="Rounding">What rounding to whole minor units adds to the charges.</param>
public sealed record FocusInvoice(string Id, Period Month, bool IsIssued, Amount Rounding)
{
    /// <summary>Tax on top of the rounded charges; zero where the price has it in it, or none is told apart.</summary>
    public Amount Tax { get; init; }

    /// <summary>When payment is due, in words; FOCUS wants a text.</summary>
    public string Terms { get; init; } = "As agreed";

    /// <summary>When it is due; null when no date is agreed.</summary>
    public Timestamp? Due { get; init; }

    /// <summary>When it was issued; null while it is open.</summary>
    public Timestamp? Issued => IsIssued ? Month.End : null;

    /// <summary>
    /// The invoice of an agreement for a month. This is the one place that knows where invoices come from: a month's
    /// charges under an agreement, rounded once, and closed when the agreement's event times are.
    /// </summary>
    public static FocusInvoice Of(Agreement agreement, Period month, DateTimeZone zone, Amount charged, Catalog catalog)
    {
        string name = month.Start.ToInstant().InZone(zone).ToString("uuuu'-'MM", CultureInfo.InvariantCulture);
        bool isClosed = catalog.IsClosed(agreement.Id, month.End.PlusNanoseconds(-1));
        (Amount total, Amount rounding) = Quantities.Rounding.ToMinorUnit(charged, agreement.Currency);
        SettlementTerms? terms = catalog.TermsAt(agreement.Id, month.Start);
        bool isAdded = terms is { TaxPpm: not null, Setup: { Cycle: SettlementCycle.Monthly, TaxMode: TaxMode.Added } };
        return new FocusInvoice($"{agreement.Id}/{name}", month, isClosed, rounding)
        {
            Tax = isAdded ? Quantities.Rounding.TaxOn(total, terms!.TaxPpm!.Value, agreement.Currency) : Amount.Zero,
        };
    }
}
