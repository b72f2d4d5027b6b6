using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Usage;

namespace Ciyuan.Server.Exports;

/// <summary>Makes the rows of Cost and Usage, and of Invoice Detail, from lines of charges.</summary>
/// <param name="terms">Parties, agreements, books.</param>
/// <param name="invoices">The invoice of each agreement and month.</param>
/// <param name="updated">Time of the last data.</param>
/// <param name="asciiNames">Whether names beyond ASCII give way to ids.</param>
internal sealed class FocusCosts(
    ExportTerms terms, IReadOnlyDictionary<(string Agreement, Timestamp Month), FocusInvoice> invoices,
    Timestamp updated, bool asciiNames)
{
    private const string Charges = "Charges";

    private readonly Catalog _catalog = terms.Catalog;
    private readonly Dictionary<(Meter?, string), string> _details = [];

    /// <summary>A row for each line, two where packs paid for a part of it; then the rounding and the
    /// tax of each invoice.</summary>
    internal IEnumerable<FocusRow> Rows(IEnumerable<(ChargeLine Line, Period Month)> lines)
    {
        foreach ((ChargeLine line, Period month) in lines)
        {
            FocusRow row = Describe(line, month);
            if (line.CoveredSteps != 0 && line.UnitPrice is { } price)
            {
                yield return Covered(row, line, price);
            }

            if (line.CoveredSteps == 0 || line.Steps != line.CoveredSteps || line.UnitPrice is null)
            {
                yield return Charged(row, line);
            }
        }

        foreach (((string agreement, _), FocusInvoice invoice) in invoices.OrderBy(i => i.Value.Id))
        {
            FocusRow row = OfInvoice(_catalog.FindAgreement(agreement)!, invoice);
            if (!invoice.Rounding.IsZero)
            {
                yield return Add(
                    row, "Adjustment", "rounding", "Rounding of the invoice to whole minor units", invoice.Rounding);
            }

            if (!invoice.Tax.IsZero)
            {
                yield return Add(row, "Tax", "tax", "Tax on the invoice", invoice.Tax);
            }
        }
    }

    /// <summary>The rows of Cost and Usage added up by <c>InvoiceDetailId</c>.</summary>
    internal IEnumerable<FocusRow> Details(IEnumerable<(ChargeLine Line, Period Month)> lines)
    {
        var details = new SortedDictionary<string, (FocusRow Row, Int128 Quantity)>(StringComparer.Ordinal);
        foreach (FocusRow row in Rows(lines))
        {
            Int128 quantity = row.Quantity is null ? 0 : Amount.Parse(row.Quantity).Pico;
            (FocusRow Row, Int128 Quantity) sum = details.TryGetValue(row.DetailId, out (FocusRow, Int128) old)
                ? old : (row with { Billed = Amount.Zero, Grain = GrainOf(row) }, 0);
            details[row.DetailId] = (
                sum.Row with { Billed = sum.Row.Billed + row.Billed }, checked(sum.Quantity + quantity));
        }

        // What has no price per unit has no quantity that says anything.
        return details.Values.Select(d => d.Row.Unit is null or Charges
            ? d.Row with { Quantity = null, Unit = null, UnitPrice = null }
            : d.Row with { Quantity = new Amount(d.Quantity).ToString() });
    }

    private FocusRow Describe(ChargeLine line, Period month)
    {
        ChargeTerms t = line.Terms;
        UsageContext c = line.Context;
        string seller = NameOf(t.Payee);
        string what = line.Meter?.ToString() ?? (line.Kind == StatementLineKind.Share ? "share" : "charge");
        what = line is { Meter: null, UnitPrice: not null } ? "request" : what;
        string sku = $"{(c.Model.Length > 0 ? c.Model : "any")}/{what}";
        string price = line.UnitPrice is { } unit ? $"@{unit}" : "";
        string source = t.Book.Length > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{t.Book}.{t.Version}") : t.Agreement;
        FocusInvoice invoice = invoices[(t.Agreement, month.Start)];
        string priceId = $"{source}/{sku}{price}";
        string entry = EntryOf(line.Kind);
        return Place(c, seller) with
        {
            InvoiceIssuer = seller,
            Month = month,
            AccountId = t.Payer,
            AccountName = NameOf(t.Payer),
            Currency = t.Currency,
            Invoice = invoice,
            DetailId = $"{invoice.Id}/{priceId}{(entry == "usage" ? "" : "/" + entry)}",
            Start = line.Start,
            End = line.End,
            PricingCategory = "Standard",
            SkuId = sku,
            SkuMeter = what,
            SkuPriceId = priceId,
            SkuDetails = DetailsOf(line.Meter, c.Model),
            ServiceName = ServiceOf(t.Payee),
            Agreement = t.Agreement,
            Entry = entry,
            Updated = updated,
        };
    }

    // By whom, for whom, where.
    private FocusRow Place(UsageContext c, string seller) => new()
    {
        InvoiceIssuer = seller,
        Month = Period.Always,
        Provider = seller,
        Publisher = c.Provider.Length > 0 ? NameOf(c.Provider) : seller,
        Host = HostOf(c) is { Length: > 0 } host ? NameOf(host) : seller,
        SubAccountId = OrNull(c.Project.Length > 0 ? $"{c.Party}/{c.Project}" : ""),
        SubAccountName = c.Project.Length > 0 ? ProjectName(c) : null,
        ResourceId = OrNull(c.Key),
        RegionId = OrNull(c.Site),
        RegionName = c.Site.Length > 0 ? NameOf(_catalog.FindSite(c.Site)?.Name, c.Site, asciiNames) : null,
        Tags = c.Scenario.Length > 0 ? JsonOf(("scenario", c.Scenario)) : null,
        Model = OrNull(c.Model),
        Consumer = OrNull(c.Party),
    };

    private FocusRow Charged(FocusRow row, ChargeLine line)
    {
        (string quantity, string unit, Amount price) = line switch
        {
            { Meter: { } meter } => (QuantityOf(meter, line.Steps - line.CoveredSteps), UnitOf(meter),
                PriceOf(meter, line.UnitPrice ?? Amount.Zero)),
            { UnitPrice: { } perCall } => (line.Calls.ToString(CultureInfo.InvariantCulture), "Requests", perCall),
            // A price is never below zero: what is taken back is a quantity below zero.
            _ => (line.Amount.IsNegative ? "-1" : "1", Charges, line.Amount.IsNegative ? -line.Amount : line.Amount),
        };
        string priced = line is { Meter: not null, UnitPrice: null }
            ? "; priced with other quantities, see the charge of the same period" : "";
        return InBookCurrency(row with
        {
            Description = $"{row.SkuMeter} of {row.Model ?? "any model"}{NoteOf(line.Kind)}{priced}",
            Quantity = quantity,
            Unit = unit,
            UnitPrice = price,
            Billed = line.Amount,
            Effective = line.Amount,
            Contracted = line.Amount,
        }, line);
    }

    private FocusRow Covered(FocusRow row, ChargeLine line, Amount perStep)
    {
        Meter meter = line.Meter!.Value;
        return InBookCurrency(row with
        {
            Description = $"{row.SkuMeter} of {row.Model ?? "any model"}, paid by a token pack{NoteOf(line.Kind)}",
            Entry = row.Entry == "usage" ? "pack" : row.Entry,
            DetailId = row.DetailId + "/pack",
            PricingCategory = "Other",
            Quantity = QuantityOf(meter, line.CoveredSteps),
            Unit = UnitOf(meter),
            UnitPrice = PriceOf(meter, perStep),
            Contracted = new Amount(perStep.Pico * line.CoveredSteps),
        }, line);
    }

    private static FocusRow Add(FocusRow row, string category, string entry, string description, Amount amount) =>
        row with
        {
            DetailId = $"{row.Invoice!.Id}/{entry}",
            Category = category,
            Description = description,
            Billed = amount,
            Effective = amount,
            Contracted = amount,
            Entry = entry,
        };

    private FocusRow OfInvoice(Agreement agreement, FocusInvoice invoice) => new()
    {
        InvoiceIssuer = NameOf(agreement.Setup.Payee),
        Month = invoice.Month,
        AccountId = agreement.Setup.Payer,
        AccountName = NameOf(agreement.Setup.Payer),
        Currency = agreement.Currency,
        Invoice = invoice,
        Start = invoice.Month.Start,
        End = invoice.Month.End,
        ServiceName = ServiceOf(agreement.Setup.Payee),
        Provider = NameOf(agreement.Setup.Payee),
        Publisher = NameOf(agreement.Setup.Payee),
        Host = NameOf(agreement.Setup.Payee),
        Agreement = agreement.Id,
        Updated = updated,
    };

    // What the amount is in the currency of the book, at the rate in force when the charge period begins.
    private FocusRow InBookCurrency(FocusRow row, ChargeLine line)
    {
        Agreement agreement = _catalog.FindAgreement(row.Agreement)!;
        Period same = Period.Always;
        if (agreement.Setup.Exchange is not { } id || terms.Books.FindExchange(id) is not { } exchange
            || exchange.Find(line.Start, ref same) is not { } found)
        {
            return row;
        }

        Amount? Back(Amount? amount) => amount is { } a ? Quantities.Rounding.Divide(a, found.Rate) : null;
        return row with
        {
            BookCurrency = exchange.From.ToString(),
            BookUnitPrice = Back(row.UnitPrice),
            BookEffective = Back(row.Effective),
        };
    }

    /// <summary>The name where there is one that may be written; else the id.</summary>
    internal static string NameOf(string? name, string id, bool asciiNames) =>
        string.IsNullOrEmpty(name) || (asciiNames && !System.Text.Ascii.IsValid(name)) ? id : name;

    private string NameOf(string party) => NameOf(_catalog.Parties.GetValueOrDefault(party)?.Name, party, asciiNames);

    private string ServiceOf(string payee) => _catalog.HasRole(payee, Role.Compute) ? "Model compute"
        : _catalog.HasRole(payee, Role.Data) ? "Data supply" : "Model API";

    private string HostOf(UsageContext context) =>
        context.Site.Length > 0 ? _catalog.OperatorOf(context.Site) : context.Provider;

    private string ProjectName(UsageContext c) =>
        NameOf(_catalog.FindProject(c.Party, c.Project)?.Name, c.Project, asciiNames);

    private string DetailsOf(Meter? meter, string model)
    {
        if (!_details.TryGetValue((meter, model), out string? json))
        {
            string[] parts = meter is { IsTokens: true } m ? m.ToString().Split('.') : [];
            json = parts.Length == 0 ? JsonOf(("x_Model", model))
                : JsonOf(("x_Model", model), ("x_TokenClass", meter.ToString()!), ("x_Direction", parts[0]),
                    ("x_Modality", parts[1]), ("x_Kind", parts.Length > 2 ? parts[2] : "fresh"));
            _details.Add((meter, model), json);
        }

        return json;
    }

    private static string GrainOf(FocusRow row) => row.SkuId is null ? JsonOf(("ServiceName", row.ServiceName))
        : JsonOf(("ServiceName", row.ServiceName), ("SkuId", row.SkuId), ("SkuMeter", row.SkuMeter!),
            ("SkuPriceId", row.SkuPriceId!), ("x_Entry", row.Entry));

    private static string JsonOf(params ReadOnlySpan<(string Name, string Value)> pairs)
    {
        var text = new System.Text.StringBuilder("{");
        foreach ((string name, string value) in pairs)
        {
            text.Append(text.Length > 1 ? "," : "").Append('"').Append(name).Append("\":\"")
                .Append(JsonEncodedText.Encode(value)).Append('"');
        }

        return text.Append('}').ToString();
    }

    private static string EntryOf(StatementLineKind kind) => kind switch
    {
        StatementLineKind.TakenBack => "taken_back",
        StatementLineKind.MadeAnew => "made_anew",
        StatementLineKind.Share => "share",
        StatementLineKind.PerCall => "per_call",
        _ => "usage",
    };

    private static string NoteOf(StatementLineKind kind) => kind switch
    {
        StatementLineKind.TakenBack => ", taken back by a correction",
        StatementLineKind.MadeAnew => ", made anew by a correction",
        _ => "",
    };

    private static string UnitOf(Meter meter) => meter.IsTokens ? "Tokens" : meter.ToString() switch
    {
        "image" => "Images",
        "second" => "Seconds",
        "character" => "Characters",
        "page" => "Pages",
        "request" => "Requests",
        "cache_token_hour" => "Token-Hours",
        string other => other,
    };

    private static string QuantityOf(Meter meter, Int128 steps) => meter.StepsPerUnit == 1
        ? steps.ToString(CultureInfo.InvariantCulture)
        : new Amount(steps * (Amount.PicoPerUnit / meter.StepsPerUnit)).ToString();

    private static Amount PriceOf(Meter meter, Amount perStep) => perStep * meter.StepsPerUnit;

    private static string? OrNull(string text) => text.Length > 0 ? text : null;
}
