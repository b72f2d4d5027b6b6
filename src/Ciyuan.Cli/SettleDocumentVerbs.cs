using System.CommandLine;
using Ciyuan.Server.Render;
using Ciyuan.Server.Statements;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary>What is written of settled periods: statements, invoice requests, payment instructions; and their
/// check.</summary>
internal static class SettleDocumentVerbs
{
    internal static Command MakeStatement()
    {
        Argument<string> agreement = SettleVerb.Agreement();
        Argument<string> period = SettleVerb.Period();
        Option<string> form = GlobalOptions.Words("--form", "How it is written", "json", "html", "pdf", "csv", "xlsx");
        Option<string> language = GlobalOptions.Words("--lang", "Language", "zh", "en");
        Option<string> kind = GlobalOptions.Words(
            "--kind", "statement: itemised, to be confirmed; settlement: the agreed amount", "statement", "settlement");
        Option<string> side = GlobalOptions.Words("--side", "For whom", "none", "payer", "payee");
        Option<string> file = SettleVerb.Text("--out", "Where to write it; else standard output", "FILE");
        var command = new Command("statement", "The statement of a period, a draft while it is open")
        {
            agreement, period, form, language, kind, side, file,
        };
        return command.Runs((parsed, context, _) =>
        {
            using var ledger = new SettlementReading(context.Data);
            byte[] statement = ledger.StatementOf(
                parsed.GetValue(agreement)!, parsed.GetValue(period)!, out SettledPeriod? settled);
            byte[] written;
            try
            {
                written = StatementForms.Write(
                    statement, settled, Enum.Parse<StatementForm>(parsed.GetValue(form)!, ignoreCase: true),
                    parsed.GetValue(language) == "zh",
                    Enum.Parse<SheetKind>(parsed.GetValue(kind)!, ignoreCase: true),
                    Enum.Parse<AgreementSide>(parsed.GetValue(side)!, ignoreCase: true),
                    StatementForms.Reconciled(ledger.State.Catalog, settled));
            }
            catch (FontMissingException missing)
            {
                throw new RefusedException(missing.Message);
            }

            Write(parsed.GetValue(file)!, written);
            return Task.FromResult(Verb.Done);
        });
    }

    internal static Command MakeInvoice()
    {
        Argument<string> agreement = SettleVerb.Agreement();
        Argument<string> period = SettleVerb.Period();
        return new Command("invoice", "The request for an invoice (数电票) of a final period") { agreement, period }
            .Runs((parsed, context, _) =>
            {
                using var ledger = new SettlementReading(context.Data);
                byte[] bytes = ledger.StatementOf(
                    parsed.GetValue(agreement)!, parsed.GetValue(period)!, out SettledPeriod? settled);
                InvoiceRequest? request = settled?.State == PeriodState.Final
                    ? InvoiceRequest.From(
                        StatementDocument.TryRead(bytes)!, settled,
                        StatementForms.Reconciled(ledger.State.Catalog, settled))
                    : null;
                context.Write((request ?? throw new RefusedException(
                    "there is nothing to invoice: the period is not final, or nothing was agreed")).Render());
                return Task.FromResult(Verb.Done);
            });
    }

    internal static Command MakePayments()
    {
        Argument<string> period = SettleVerb.Period();
        return new Command("payments", "Payment instructions of the final periods of a name") { period }
            .Runs((parsed, context, _) =>
            {
                using var ledger = new SettlementReading(context.Data);
                string name = parsed.GetValue(period)!;
                context.Write(PaymentInstructions.Render(
                    [.. ledger.Statements(p => p.Name == name).Select(s => (s.Period, s.Document))]));
                return Task.FromResult(Verb.Done);
            });
    }

    internal static Command MakeVerify() => new Command(
        "verify", "Draw every stored statement up again from the records, and compare it to the byte").Runs(
        (parsed, context, cancel) =>
        {
            using var ledger = new SettlementReading(context.Data);
            int count = 0;
            var different = new List<string>();
            foreach ((SettledPeriod period, _, byte[] bytes) in ledger.Statements(_ => true))
            {
                cancel.ThrowIfCancellationRequested();
                count++;
                bool same = Drawn(ledger, period, bytes).AsSpan().SequenceEqual(bytes)
                    && StatementDocument.HashOf(bytes) == period.Hash;
                different.AddRange(same ? [] : [$"{period.Agreement} {period.Name}"]);
            }

            return Task.FromResult(different.Count == 0
                ? Said($"{count} statements, each the same to the byte")
                : throw new RefusedException($"differ from the records: {string.Join(", ", different)}"));
        });

    // What is not of the records (names, terms, standard tokens) stands as it did when the statement was made.
    private static byte[] Drawn(SettlementReading ledger, SettledPeriod period, byte[] stored)
    {
        StatementDocument then = StatementDocument.TryRead(stored)!;
        StatementDocument now =
            ClosePeriods.MakeDocument(ledger.Facts, ledger.State, period, SettleVerb.Options("verify"));
        return (now with
        {
            Payer = then.Payer,
            Payee = then.Payee,
            StandardRule = then.StandardRule,
            Quantities = now.Quantities.Count != then.Quantities.Count ? now.Quantities
                : [.. now.Quantities.Zip(then.Quantities, (q, old) => q with
                {
                    Standard = old.Standard,
                    StandardError = old.StandardError,
                })],
        }).ToBytes();
    }

    private static int Said(string sentence)
    {
        Console.Out.WriteLine(sentence);
        return Verb.Done;
    }

    private static void Write(string file, byte[] bytes)
    {
        if (file.Length > 0)
        {
            File.WriteAllBytes(file, bytes);
            return;
        }

        using Stream output = Console.OpenStandardOutput();
        output.Write(bytes);
    }
}
