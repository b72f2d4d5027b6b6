using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Reconciling;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;

namespace Ciyuan.Server.Statements;

/// <summary>
/// What a seller needs to issue a fully digital invoice (数电票) for a settled period: the fields of its face. We ask for
/// invoices, and issue none: number, date and issuer come from the tax office's platform.
/// </summary>
public sealed record InvoiceRequest
{
    private InvoiceRequest(StatementDocument statement, SettledPeriod period, Amount gross, Amount net)
    {
        Statement = statement;
        Period = period;
        Gross = gross;
        Net = net;
    }

    /// <summary>The statement.</summary>
    public StatementDocument Statement { get; }

    /// <summary>The period.</summary>
    public SettledPeriod Period { get; }

    /// <summary>价税合计: what was agreed, without what is held or was granted in disputes, with what reconciliations
    /// added.</summary>
    public Amount Gross { get; }

    /// <summary>合计金额.</summary>
    public Amount Net { get; }

    /// <summary>合计税额.</summary>
    public Amount Tax => Gross - Net;

    /// <summary>The request for a final period; null before, or when nothing is left to invoice.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="period">Its period.</param>
    /// <param name="reconciled">Reconciliations of the period.</param>
    public static InvoiceRequest? From(
        StatementDocument statement, SettledPeriod period, IReadOnlyList<ReconciledClaim> reconciled)
    {
        var currency = Currency.Parse(statement.Currency);
        Amount agreed = Amount.Parse(statement.Tax.Gross) - period.Held - period.Granted;
        Amount gross = Rounding.ToMinorUnit(
            reconciled.Aggregate(agreed, (sum, claim) => sum + claim.Owed), currency).Rounded;
        if (period.State != PeriodState.Final || gross <= Amount.Zero)
        {
            return null;
        }

        bool taxed = Amount.TryParse(statement.Tax.Percent, out Amount percent);
        int ppm = taxed ? (int)(percent.Pico / (Amount.PicoPerUnit / 10_000)) : 0;
        return new InvoiceRequest(statement, period, gross, Rounding.SplitTax(gross, ppm, currency).Net);
    }

    /// <summary>Fields that an invoice needs and that are empty.</summary>
    public IReadOnlyList<string> Missing
    {
        get
        {
            (string Name, string Value)[] needed =
            [
                ("seller.tax_id", Statement.Payee.TaxId), ("buyer.tax_id", Statement.Payer.TaxId),
                ("item", Statement.Terms.InvoiceItem), ("tax_percent", Statement.Tax.Percent),
            ];
            return [.. needed.Where(entry => entry.Value.Length == 0).Select(entry => entry.Name)];
        }
    }

    /// <summary>The request as a file or a table.</summary>
    public Rendering Render() => new(ToTable, WriteJson);

    private Table ToTable()
    {
        var table = new Table([new("field"), new("value")]);
        table.Add("seller 销售方", $"{Statement.Payee.Title} {Statement.Payee.TaxId}");
        table.Add("buyer 购买方", $"{Statement.Payer.Title} {Statement.Payer.TaxId}");
        table.Add("item 项目名称", Statement.Terms.InvoiceItem);
        table.Add("amount 金额", Net.ToString());
        table.Add("tax rate 税率", Statement.Tax.Percent.Length == 0 ? "" : $"{Statement.Tax.Percent}%");
        table.Add("tax 税额", Tax.ToString());
        table.Add("gross 价税合计", $"{Gross} {Statement.Currency}");
        table.Add("in capitals 大写", CapitalAmount.Write(Gross, Currency.Parse(Statement.Currency)));
        table.Add("remark 备注", Remark);
        table.Add("missing", string.Join(", ", Missing));
        return table;
    }

    private string Remark => $"{Statement.Agreement} {Statement.Period} {Period.Hash[..16]}";

    private void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "invoice_request");
        json.WriteNumber("version", 1);
        json.WriteString("agreement", Statement.Agreement);
        json.WriteString("period", Statement.Period);
        json.WriteString("statement_hash", Period.Hash);
        json.WriteString("currency", Statement.Currency);
        WriteParty(json, "seller", Statement.Payee);
        WriteParty(json, "buyer", Statement.Payer);
        json.WriteStartArray("lines");
        json.WriteStartObject();
        json.WriteString("item", Statement.Terms.InvoiceItem);
        json.WriteString("specification", Statement.Period);
        json.WriteString("unit", "项");
        json.WriteString("quantity", "1");
        json.WriteString("unit_price", Net.ToString());
        json.WriteString("amount", Net.ToString());
        json.WriteString("tax_percent", Statement.Tax.Percent);
        json.WriteString("tax", Tax.ToString());
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("total_amount", Net.ToString());
        json.WriteString("total_tax", Tax.ToString());
        json.WriteString("gross", Gross.ToString());
        json.WriteString("gross_in_capitals", CapitalAmount.Write(Gross, Currency.Parse(Statement.Currency)));
        json.WriteString("remark", Remark);
        json.WriteStartArray("missing");
        foreach (string field in Missing)
        {
            json.WriteStringValue(field);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteParty(Utf8JsonWriter json, string name, DocumentParty party)
    {
        json.WriteStartObject(name);
        json.WriteString("name", party.Title);
        json.WriteString("tax_id", party.TaxId);
        json.WriteString("address", party.Address);
        json.WriteString("phone", party.Phone);
        json.WriteString("bank", party.Bank);
        json.WriteString("account", party.Account);
        json.WriteEndObject();
    }
}
