using System.Globalization;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Settlement;

/// <summary>Standard tokens of a model's tokens; null where there is no rule for the meter.</summary>
/// <param name="model">The model.</param>
/// <param name="meter">A token class.</param>
/// <param name="tokens">Tokens counted.</param>
public delegate (Int128 Tokens, Int128 Error)? StandardTokens(string model, Meter meter, Int128 tokens);

/// <summary>What a statement document is made of, beside the charges.</summary>
/// <param name="Catalog">Parties, agreements and terms in force.</param>
/// <param name="Calendar">The agreement's calendar: names of the periods that are corrected.</param>
/// <param name="Period">The period.</param>
/// <param name="StandardRule">Id of the rule of <paramref name="Standard"/>.</param>
/// <param name="Standard">Standard tokens; null: none are told.</param>
public sealed record StatementFrame(
    Catalog Catalog, SettlementCalendar Calendar, SettledPeriod Period, string StandardRule = "",
    StandardTokens? Standard = null);

/// <summary>From the charges of a frozen period to the document that is signed.</summary>
public static class MakeStatement
{
    /// <summary>The document of a statement.</summary>
    /// <exception cref="ArgumentException">The agreement or its terms are not in the catalog.</exception>
    public static StatementDocument From(Statement statement, StatementFrame frame)
    {
        (string id, Catalog catalog, SettledPeriod period) = (statement.Query.Agreement, frame.Catalog, frame.Period);
        (Agreement agreement, SettlementTerms terms) = Find(catalog, id, period);
        Sums sums = SumUp(statement, agreement, terms, catalog.Platform);
        return new StatementDocument
        {
            Agreement = id,
            Period = period.Name,
            From = period.Span.Start.ToString(),
            To = period.Span.End.ToString(),
            Zone = terms.Zone.Id,
            FrozenSeq = period.Frozen.Seq,
            Payer = PartyOf(catalog, agreement.Setup.Payer),
            Payee = PartyOf(catalog, agreement.Setup.Payee),
            Side = NameOf(SideOf(agreement, catalog.Platform)),
            Currency = agreement.Currency.ToString(),
            Terms = TermsOf(terms),
            Lines = [.. statement.Lines.Select(line => ToLine(line, frame.Calendar, id))],
            Late = [.. statement.Late.Select(late => ToLate(late, frame.Calendar, id))],
            Quantities = Quantities(statement, frame.Standard),
            StandardRule = frame.Standard is null ? "" : frame.StandardRule,
            Records = statement.Records,
            CallsBilled = statement.CallsBilled,
            Corrections = statement.Corrections,
            SuspenseCharges = statement.SuspenseCharges,
            Suspense = [.. statement.Suspense.Select(w => new DocumentWaiting($"{w.Unit}", $"{w.Quantity}"))],
            KeptAside = statement.KeptAside,
            Exact = statement.Exact.ToString(),
            Rounding = sums.Rounding.ToString(),
            Total = sums.Total.ToString(),
            Tax = sums.Tax,
            Paid = sums.Paid,
            Packs = [.. statement.Drawn.Where(d => d.Account.Currency != agreement.Currency)
                .Select(d => new DocumentPack(d.Account.Path, d.Amount.ToString()))],
            Due = sums.Due.ToString(),
        };
    }

    private static (Agreement Agreement, SettlementTerms Terms) Find(
        Catalog catalog, string id, SettledPeriod period) =>
        (catalog.FindAgreement(id) ?? throw new ArgumentException($"There is no agreement '{id}'.", nameof(id)),
            catalog.TermsAt(id, period.Span.Start)
                ?? throw new ArgumentException($"'{id}' has no terms for {period.Name}.", nameof(id)));

    private sealed record Sums(
        Amount Total, Amount Rounding, DocumentTax Tax, IReadOnlyList<DocumentPaid> Paid, Amount Due);

    private static Sums SumUp(Statement statement, Agreement agreement, SettlementTerms terms, string platform)
    {
        Currency currency = agreement.Currency;
        (Amount total, Amount difference) = Rounding.ToMinorUnit(statement.Exact, currency);
        DocumentTax tax = SplitTax(total, terms, currency);
        (IReadOnlyList<DocumentPaid> paid, Amount due) =
            Pay(statement, agreement, platform, currency, Amount.Parse(tax.Gross));
        return new Sums(total, difference, tax, paid, due);
    }

    private static DocumentTerms TermsOf(SettlementTerms terms) => new(
        NameOf(terms.Setup.Cycle), terms.DisputeDays, terms.PaymentDays, terms.Setup.MinimumPayout ?? "",
        terms.Setup.InvoiceItem ?? "");

    private static DocumentLate ToLate(LateCharges late, SettlementCalendar calendar, string agreement) => new(
        calendar.NameOf(agreement, late.Corrects), late.Records, late.Corrections, late.FirstSeq, late.LastSeq,
        late.Exact.ToString());

    /// <summary>Income, cost or between others, by who pays whom.</summary>
    public static Side SideOf(Agreement agreement, string platform) => agreement.Setup.Payee == platform ? Side.Income
        : agreement.Setup.Payer == platform ? Side.Cost
        : Side.Between;

    /// <summary>Net, tax and gross of a price of whole minor units.</summary>
    internal static DocumentTax SplitTax(Amount total, SettlementTerms terms, Currency currency)
    {
        if (terms.TaxPpm is not { } ppm)
        {
            return new DocumentTax("", "", total.ToString(), "0", total.ToString());
        }

        (Amount net, Amount tax) = terms.Setup.TaxMode == TaxMode.Included
            ? Rounding.SplitTax(total, ppm, currency)
            : (total, Rounding.TaxOn(total, ppm, currency));
        return new DocumentTax(
            terms.Setup.TaxPercent!, terms.Setup.TaxMode == TaxMode.Included ? "included" : "added", net.ToString(),
            tax.ToString(), (net + tax).ToString());
    }

    /// <summary>
    /// The gross among the accounts that paid: each its exact amount, rounded; the account that is open (the
    /// receivable,
    /// or the cost) takes what is left, with tax and rounding. Where none is open, the largest takes what rounding
    /// leaves.
    /// </summary>
    private static (IReadOnlyList<DocumentPaid> Paid, Amount Due) Pay(
        Statement statement, Agreement agreement, string platform, Currency currency, Amount gross)
    {
        string open = SideOf(agreement, platform) == Side.Cost
            ? AccountPath.Cost(platform, agreement.Id)
            : AccountPath.Receivable(agreement.Setup.Payer, agreement.Id);
        List<(string Path, Amount Exact, Amount Rounded)> parts =
        [
            .. statement.Drawn.Where(d => d.Account.Currency == currency && d.Account.Path != open)
                .Select(d => (d.Account.Path, d.Amount, Rounding.ToMinorUnit(d.Amount, currency).Rounded)),
        ];
        Amount openExact = statement.Exact;
        Amount left = gross;
        foreach ((string Path, Amount Exact, Amount Rounded) part in parts)
        {
            (openExact, left) = (openExact - part.Exact, left - part.Rounded);
        }

        bool isOpen = !openExact.IsZero || parts.Count == 0 || gross != statement.Total;
        if (!isOpen)
        {
            int largest = 0;
            for (int i = 1; i < parts.Count; i++)
            {
                largest = parts[i].Exact > parts[largest].Exact ? i : largest;
            }

            (string path, Amount exact, Amount rounded) = parts[largest];
            parts[largest] = (path, exact, rounded + left);
        }

        IEnumerable<DocumentPaid> paid = parts.Select(p => new DocumentPaid(
            p.Path, p.Path.Split('/')[1], p.Exact.ToString(), p.Rounded.ToString()));
        return isOpen
            ? ([.. paid, new DocumentPaid(open, open.Split('/')[1], openExact.ToString(), left.ToString())], left)
            : ([.. paid], Amount.Zero);
    }

    private static DocumentParty PartyOf(Catalog catalog, string id)
    {
        BillingSetup b = catalog.BillingOf(id);
        string name = catalog.Parties.TryGetValue(id, out PartySetup? party) ? party.Name : id;
        return new DocumentParty(
            id, name, b.Title ?? name, b.TaxId ?? "", b.Address ?? "", b.Phone ?? "", b.Bank ?? "", b.Account ?? "");
    }

    private static DocumentLine ToLine(StatementLine line, SettlementCalendar calendar, string agreement)
    {
        string per = line.Kind switch
        {
            StatementLineKind.Usage when line.UnitPrice is null => "",
            StatementLineKind.Usage => line.Meter is { IsTokens: true } ? "1M tokens" : line.Meter?.ToString() ?? "",
            StatementLineKind.PerCall => "call",
            StatementLineKind.Share => $"% of {line.ShareOf}",
            _ => "",
        };
        string price = line.Kind switch
        {
            StatementLineKind.Usage or StatementLineKind.PerCall => line.PrintedPrice?.ToString() ?? "",
            StatementLineKind.Share => new Amount((Int128)line.SharePpm * (Amount.PicoPerUnit / 10_000)).ToString(),
            _ => "",
        };
        return new DocumentLine(
            line.Corrects is { } end ? calendar.NameOf(agreement, end) : "", NameOf(line.Kind), line.Model,
            line.Meter?.ToString() ?? "", line.Book, line.Version, price, per, line.Tiers,
            line.Meter is { } meter ? Units(meter, line.Steps) : "",
            line.Meter is { } covered ? Units(covered, line.CoveredSteps) : "", line.Calls, line.Amount.ToString());
    }

    private static DocumentQuantity[] Quantities(Statement statement, StandardTokens? standard) =>
    [
        .. statement.Quantities.GroupBy(q => q.Meter).OrderBy(g => g.Key).Select(group =>
        {
            Int128 tokens = 0;
            Int128 error = 0;
            bool known = standard is not null;
            foreach (StatementQuantity q in group)
            {
                (Int128 Tokens, Int128 Error)? converted = known ? standard!(q.Model, q.Meter, q.Raw) : null;
                known &= converted is not null;
                (tokens, error) = (tokens + (converted?.Tokens ?? 0), error + (converted?.Error ?? 0));
            }

            return new DocumentQuantity(
                group.Key.ToString(), Units(group.Key, Sum(group, q => q.Raw)),
                Units(group.Key, Sum(group, q => q.Billable)), Units(group.Key, Sum(group, q => q.Covered)),
                known ? tokens.ToString(CultureInfo.InvariantCulture) : "",
                known ? error.ToString(CultureInfo.InvariantCulture) : "");
        }),
    ];

    private static Int128 Sum(IEnumerable<StatementQuantity> quantities, Func<StatementQuantity, Int128> of) =>
        quantities.Aggregate(Int128.Zero, (sum, q) => checked(sum + of(q)));

    /// <summary>Steps of a meter in its unit.</summary>
    private static string Units(Meter meter, Int128 steps) =>
        new Amount(checked(steps * (Amount.PicoPerUnit / meter.StepsPerUnit))).ToString();

    private static string NameOf(Side side) => side.ToString().ToLowerInvariant();

    private static string NameOf(SettlementCycle cycle) => cycle.ToString().ToLowerInvariant();

    private static string NameOf(StatementLineKind kind) => kind switch
    {
        StatementLineKind.Usage => "usage",
        StatementLineKind.PerCall => "per_call",
        StatementLineKind.Share => "share",
        StatementLineKind.TakenBack => "taken_back",
        _ => "made_anew",
    };
}
