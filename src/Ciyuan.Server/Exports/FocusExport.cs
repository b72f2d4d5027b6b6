using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Exports;

/// <summary>What an export needs to know beside the charges.</summary>
/// <param name="Catalog">Parties and agreements.</param>
/// <param name="Books">Price books and exchange rates.</param>
public sealed record ExportTerms(Catalog Catalog, PriceBooks Books);

/// <summary>
/// Writes FOCUS files. Costs are exact, to 10⁻¹² of the currency, and add up to the ledger; for each invoice a row of
/// category Adjustment says what rounding it to whole minor units adds. docs/EXPORTS.md says what becomes what.
/// </summary>
public sealed class FocusExport
{
    private static readonly HashSet<Dimension> Kept =
    [
        Dimension.Party, Dimension.Project, Dimension.Key, Dimension.Scenario, Dimension.Model, Dimension.Provider,
        Dimension.Site,
    ];

    private readonly FocusRequest _request;
    private readonly ExportTerms _terms;
    private readonly ChargeSheet _sheet;

    /// <summary>Works a file out.</summary>
    /// <exception cref="ArgumentException">The request has a fault, which the message says.</exception>
    /// <exception cref="ReportTooLargeException">There are too many lines.</exception>
    public FocusExport(FocusRequest request, FactStore facts, ExportTerms terms)
    {
        if (request.FindFault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(request));
        }

        (_request, _terms) = (request, terms);
        _sheet = facts.RunCharges(new ChargeQuery
        {
            Period = request.Period,
            Zone = request.Zone,
            Bucket = request.Bucket,
            Agreements = ChooseAgreements(),
            Keep = Kept,
        });
    }

    /// <summary>What the file covers: sentences that stand beside it.</summary>
    public IReadOnlyList<string> Scope =>
    [
        $"Scope: event time {_request.Period}, zone {_request.Zone.Id}; journal up to frame {_sheet.DataToSeq}",
        "Costs are exact to 12 decimals and add up to the charges of the ledger. "
            + "Rounding of invoices is in rows of category Adjustment, for months that are covered whole",
        .. _sheet.SuspenseCharges == 0 ? Array.Empty<string>()
            : [$"Not included: {_sheet.SuspenseCharges} charges that wait for a price"],
    ];

    /// <summary>Writes the file.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="format"><see cref="OutputFormat.Json"/> for JSON lines; CSV else.</param>
    public void Write(Stream output, OutputFormat format)
    {
        IReadOnlyList<FocusColumn> columns = FocusColumns.Of(_request.Dataset, _request.Version);
        IEnumerable<FocusRow> rows = Rows();
        if (format == OutputFormat.Json)
        {
            FocusWriter.WriteJsonLines(output, columns, rows);
        }
        else
        {
            FocusWriter.WriteCsv(output, columns, rows);
        }
    }

    internal IEnumerable<FocusRow> Rows()
    {
        var costs = new FocusCosts(_terms, Invoices(), _sheet.DataToTime, _request.AsciiNames);
        return _request.Dataset switch
        {
            FocusDataset.CostAndUsage => costs.Rows(_sheet.Lines.Select(line => (line, MonthOf(line.Start)))),
            FocusDataset.InvoiceDetail => costs.Details(_sheet.Lines.Select(line => (line, MonthOf(line.Start)))),
            _ => Periods(),
        };
    }

    private HashSet<string> ChooseAgreements() => [.. _terms.Catalog.Agreements
        .Where(agreement => _request.Agreements?.Contains(agreement.Id)
            ?? (_request.Side is null || SideOf(agreement) == _request.Side))
        .Select(agreement => agreement.Id)];

    private Side SideOf(Agreement agreement) => agreement.Setup.Payee == _terms.Catalog.Platform ? Side.Income
        : agreement.Setup.Payer == _terms.Catalog.Platform ? Side.Cost : Side.Between;

    private Dictionary<(string Agreement, Timestamp Month), FocusInvoice> Invoices()
    {
        var invoices = new Dictionary<(string, Timestamp), FocusInvoice>();
        foreach (var group in _sheet.Lines.GroupBy(line => (line.Terms.Agreement, MonthOf(line.Start).Start)))
        {
            Agreement agreement = _terms.Catalog.FindAgreement(group.Key.Agreement)!;
            Period month = MonthOf(group.First().Start);
            bool isWhole = month.Start >= _request.Period.Start && month.End <= _request.Period.End;
            Amount charged = group.Aggregate(Amount.Zero, (sum, line) => sum + line.Amount);
            FocusInvoice invoice = FocusInvoice.Of(agreement, month, _request.Zone, charged, _terms.Catalog);
            invoices.Add(group.Key, isWhole ? invoice : invoice with { Rounding = Amount.Zero, Tax = Amount.Zero });
        }

        return invoices;
    }

    private IEnumerable<FocusRow> Periods()
    {
        HashSet<string> agreements = ChooseAgreements();
        string[] issuers = [.. _terms.Catalog.Agreements.Where(a => agreements.Contains(a.Id))
            .Select(a => a.Setup.Payee).Distinct().Order(StringComparer.Ordinal)];
        for (Timestamp at = _request.Period.Start; at < _request.Period.End; at = MonthOf(at).End)
        {
            Period month = MonthOf(at);
            foreach (string issuer in issuers)
            {
                bool isClosed = _terms.Catalog.Agreements.Where(a => agreements.Contains(a.Id))
                    .Where(a => a.Setup.Payee == issuer)
                    .All(a => _terms.Catalog.IsClosed(a.Id, month.End.PlusNanoseconds(-1)));
                yield return new FocusRow
                {
                    InvoiceIssuer = FocusCosts.NameOf(
                        _terms.Catalog.Parties[issuer].Name, issuer, _request.AsciiNames),
                    Month = month,
                    Entry = isClosed ? "Closed" : "Open",
                    Updated = _sheet.DataToTime,
                };
            }
        }
    }

    private Period MonthOf(Timestamp moment)
    {
        LocalDate date = moment.ToInstant().InZone(_request.Zone).Date;
        var first = new LocalDate(date.Year, date.Month, 1);
        Timestamp At(LocalDate day) => Timestamp.FromInstant(_request.Zone.AtStartOfDay(day).ToInstant());
        return new Period(At(first), At(first.PlusMonths(1)));
    }
}
