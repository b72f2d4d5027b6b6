using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using DateTimeZone = NodaTime.DateTimeZone;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Reconciling;

/// <summary>How a bill is read and what it is compared with.</summary>
/// <param name="Agreement">Our agreement with the other side.</param>
/// <param name="Format">One of <see cref="Bill.Formats"/>; with a mapping of columns it is ignored.</param>
/// <param name="PeriodOf">The period that the bill is for, in the bill's zone; null or unbounded is refused.</param>
/// <param name="Zone">Zone of days and months where the format says none.</param>
public sealed record BillRequest(
    string Agreement, string Format, Func<DateTimeZone, Period?> PeriodOf, DateTimeZone Zone)
{
    /// <summary>How columns are read, instead of a preset; null: as the format has them.</summary>
    public BillMapping? Mapping { get; init; }

    /// <summary>How calls of both sides are matched.</summary>
    public BillMatching Matching { get; init; }

    /// <summary>The tag by which the other side knows a record; empty for the record's own id.</summary>
    public string IdTag { get; init; } = "";

    /// <summary>Most that rounding may change in a line; null: half of the bill's last decimal.</summary>
    public Amount? Tolerance { get; init; }

    /// <summary>Opens the file and compares it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">What people call it.</param>
    /// <param name="catalog">Agreements.</param>
    /// <param name="facts">Our facts.</param>
    /// <param name="frames">Our frames from the first on, each time anew.</param>
    /// <exception cref="BillException">The bill or the request can't be read.</exception>
    /// <exception cref="BillTooLargeException">Beyond a named limit.</exception>
    /// <exception cref="ReportTooLargeException">Beyond a named limit.</exception>
    public ReconciledBill Run(
        string path, string name, Catalog catalog, FactStore facts, Func<IEnumerable<Frame>> frames)
    {
        Agreement agreement = catalog.FindAgreement(Agreement)
            ?? throw new BillException(NearNames.Unknown(
                "agreement", Agreement, catalog.Agreements.Select(a => a.Id)));
        BillMapping? mapping = Mapping
            ?? (BillMapping.Presets.Contains(Format) ? BillMapping.FromPreset(Format) : null);
        DateTimeZone zone = Bill.ZoneOf(Format, mapping) ?? Zone;
        if (PeriodOf(zone) is not { } period || period.Start == Timestamp.MinValue || period.End == Timestamp.MaxValue)
        {
            throw new BillException("say which period the bill is for: a month such as 2026-11, or both bounds");
        }

        var bill = Bill.Open(path, Format, mapping, zone, agreement.Currency, name);
        bill.Measure();
        var question = new BillQuestion(agreement.Id, period, zone,
            Tolerance is { } perLine ? new BillTolerance(perLine) : BillTolerance.OfDecimals(bill.Decimals));
        BillComparison result = ReconcileBill.Run(question, bill, Matching, IdTag, facts, frames);
        return new ReconciledBill(bill, result, agreement.Currency);
    }
}

/// <summary>A bill beside our records.</summary>
/// <param name="Bill">The bill.</param>
/// <param name="Comparison">What came of it.</param>
/// <param name="Currency">Currency of all amounts.</param>
public sealed record ReconciledBill(Bill Bill, BillComparison Comparison, Currency Currency)
{
    /// <summary>The entry that a person signs.</summary>
    /// <param name="sign"><c>accept</c>, <c>dispute</c>, or <c>withdraw</c>. A bill that two people have disputed is
    /// accepted, or withdrawn, by the entry that ends the dispute.</param>
    /// <param name="earlier">What was signed before.</param>
    public ReconciliationSetup Entry(string sign, Reconciliations earlier)
    {
        ReconciliationSetup dispute = SignReconciliation.Entry(Comparison, Bill, Currency, accepts: false);
        bool isDisputed = earlier.Find(dispute.Id) is { IsComplete: true, Entry.Decision: "disputed" };
        return sign == "dispute" ? dispute
            : isDisputed || sign == "withdraw" ? SignReconciliation.EndOf(dispute, sign == "accept")
            : SignReconciliation.Entry(Comparison, Bill, Currency, accepts: true);
    }
}
