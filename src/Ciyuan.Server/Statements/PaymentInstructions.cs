using System.Text.Json;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;

namespace Ciyuan.Server.Statements;

/// <summary>
/// What is to be paid after periods became final, for a bank or a licensed payer to do. We hold nobody's money: what
/// was
/// paid is recorded by a transfer between <c>agreed</c> and <c>cash</c>.
/// </summary>
public static class PaymentInstructions
{
    /// <summary>An instruction for each period with something to pay.</summary>
    /// <param name="periods">Final periods with their statements.</param>
    public static Rendering Render(IReadOnlyList<(SettledPeriod Period, StatementDocument Statement)> periods)
    {
        (SettledPeriod Period, StatementDocument Statement)[] paid =
            [.. periods.Where(p => p.Period.State == PeriodState.Final && !p.Period.Payable.IsZero)];
        return new Rendering(() => ToTable(paid), json => WriteJson(json, paid));
    }

    private static Table ToTable((SettledPeriod Period, StatementDocument Statement)[] paid)
    {
        var table = new Table(
        [
            new("id"), new("payer"), new("payer_account"), new("payee"), new("payee_bank"), new("payee_account"),
            new("amount", IsNumber: true), new("currency"), new("pay_before"), new("purpose"), new("statement_hash"),
        ]);
        foreach ((SettledPeriod period, StatementDocument s) in paid)
        {
            table.Add(
                IdOf(s), s.Payer.Title, s.Payer.Account, s.Payee.Title, s.Payee.Bank, s.Payee.Account,
                period.Payable.ToString(), s.Currency, period.PayUntil.ToString(), PurposeOf(s), period.Hash);
        }

        return table;
    }

    private static void WriteJson(Utf8JsonWriter json, (SettledPeriod Period, StatementDocument Statement)[] paid)
    {
        json.WriteStartObject();
        json.WriteString("type", "payment_instructions");
        json.WriteNumber("version", 1);
        json.WriteStartArray("instructions");
        foreach ((SettledPeriod period, StatementDocument s) in paid)
        {
            json.WriteStartObject();
            json.WriteString("id", IdOf(s));
            WriteParty(json, "payer", s.Payer);
            WriteParty(json, "payee", s.Payee);
            json.WriteString("amount", period.Payable.ToString());
            json.WriteString("currency", s.Currency);
            json.WriteString("pay_before", period.PayUntil.ToString());
            json.WriteString("purpose", PurposeOf(s));
            json.WriteString("statement_hash", period.Hash);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // The same each time the file is made, so that a bank sees a second copy as one.
    private static string IdOf(StatementDocument s) => $"{s.Agreement}/{s.Period}";

    private static string PurposeOf(StatementDocument s) => $"{s.Terms.InvoiceItem} {s.Agreement} {s.Period}".Trim();

    private static void WriteParty(Utf8JsonWriter json, string name, DocumentParty party)
    {
        json.WriteStartObject(name);
        json.WriteString("id", party.Id);
        json.WriteString("name", party.Title);
        json.WriteString("bank", party.Bank);
        json.WriteString("account", party.Account);
        json.WriteEndObject();
    }
}
