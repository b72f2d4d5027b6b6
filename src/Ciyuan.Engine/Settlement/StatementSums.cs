using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Settlement;

/// <summary>
/// The amounts of a statement that are posted. Reading them checks that the document is that of its period and adds up:
/// lines to the exact sum, rounding of less than one minor unit, tax and net to the gross, accounts to both.
/// </summary>
/// <param name="Exact">Sum of the charges.</param>
/// <param name="Gross">Price with tax and rounding.</param>
/// <param name="AddedTax">Tax on top of the price; 0 where the price includes it.</param>
/// <param name="Due">What is to be paid.</param>
/// <param name="OpenExact">Charges of it that stand on the receivable.</param>
internal sealed record StatementSums(Amount Exact, Amount Gross, Amount AddedTax, Amount Due, Amount OpenExact)
{
    /// <summary>More than any line has, and so little that their sum can't overflow.</summary>
    private static readonly Amount Most = Amount.FromUnits(1_000_000_000_000_000_000);

    /// <summary>Reads a document; null when it is not the statement of the period, or does not add up.</summary>
    public static StatementSums? TryRead(
        StatementDocument document, Agreement agreement, SettlementTerms terms, SettledPeriod period)
    {
        bool ours = document.Agreement == agreement.Id && document.Period == period.Name
            && document.FrozenSeq == period.Frozen.Seq && document.Payer.Id == agreement.Setup.Payer
            && document.Payee.Id == agreement.Setup.Payee && document.Currency == agreement.Currency.ToString();
        if (!ours || !TryRead(document, out Amount exact, out Amount total, out Amount due)
            || !TrySum(document.Lines.Select(l => l.Amount), out Amount lines) || lines != exact
            || Rounding.ToMinorUnit(exact, agreement.Currency).Rounded != total
            || document.Tax != MakeStatement.SplitTax(total, terms, agreement.Currency))
        {
            return null;
        }

        Amount gross = Amount.Parse(document.Tax.Gross);
        if (!TrySum(document.Paid.Select(p => p.Exact), out Amount paidExact) || paidExact != exact
            || !TrySum(document.Paid.Select(p => p.Amount), out Amount paid) || paid != gross)
        {
            return null;
        }

        DocumentPaid[] open = [.. document.Paid.Where(p => p.Kind is "receivable" or "cost")];
        Amount openExact = open.Length == 0 ? default : Amount.Parse(open[0].Exact);
        return open.Length < 2 && due == (open.Length == 0 ? default : Amount.Parse(open[0].Amount))
            ? new StatementSums(exact, gross, gross - total, due, openExact)
            : null;
    }

    private static bool TryRead(StatementDocument d, out Amount exact, out Amount total, out Amount due)
    {
        total = due = default;
        return Amount.TryParse(d.Exact, out exact) && Amount.TryParse(d.Total, out total)
            && Amount.TryParse(d.Due, out due) && Amount.TryParse(d.Rounding, out Amount rounding)
            && exact <= Most && exact >= -Most && total <= Most && total >= -Most
            && total - exact == rounding;
    }

    private static bool TrySum(IEnumerable<string> amounts, out Amount sum)
    {
        sum = default;
        foreach (string text in amounts)
        {
            if (!Amount.TryParse(text, out Amount amount) || amount > Most || amount < -Most)
            {
                return false;
            }

            sum += amount;
        }

        return true;
    }
}
