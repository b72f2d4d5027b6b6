using System.Text;
using Ciyuan.Parties;
using Ciyuan.Server.Reconciling;
using Ciyuan.Settlement;
using Ciyuan.Tokens.Standard;
using Ciyuan.Usage;

namespace Ciyuan.Server.Statements;

/// <summary>How a statement is written.</summary>
public enum StatementForm
{
    /// <summary>The stored bytes themselves.</summary>
    Json,

    /// <summary>A page.</summary>
    Html,

    /// <summary>A file to print and sign.</summary>
    Pdf,

    /// <summary>Comma-separated.</summary>
    Csv,

    /// <summary>A workbook.</summary>
    Xlsx,
}

/// <summary>Writes statements in every form.</summary>
public static class StatementForms
{
    /// <summary>Media type of a form.</summary>
    public static string MediaTypeOf(StatementForm form) => form switch
    {
        StatementForm.Html => "text/html; charset=utf-8",
        StatementForm.Pdf => "application/pdf",
        StatementForm.Csv => "text/csv; charset=utf-8",
        StatementForm.Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/json",
    };

    /// <summary>The file.</summary>
    /// <param name="bytes">The statement's bytes.</param>
    /// <param name="period">The state of its period; null for a draft.</param>
    /// <param name="form">Form.</param>
    /// <param name="chinese">Chinese, else English.</param>
    /// <param name="kind">Which document.</param>
    /// <param name="side">For whom.</param>
    /// <param name="reconciled">Reconciliations of the period, which a settlement note lists.</param>
    /// <exception cref="FontMissingException">A PDF needs a font that is not there.</exception>
    public static byte[] Write(
        byte[] bytes, SettledPeriod? period, StatementForm form, bool chinese, SheetKind kind = SheetKind.Statement,
        AgreementSide side = AgreementSide.None, IReadOnlyList<ReconciledClaim>? reconciled = null)
    {
        if (form == StatementForm.Json)
        {
            return bytes;
        }

        StatementDocument document = StatementDocument.TryRead(bytes)
            ?? throw new ArgumentException("These are no bytes of a statement.", nameof(bytes));
        string hash = period?.Split is null ? "" : StatementDocument.HashOf(bytes);
        Sheet sheet = new StatementSheet(document, hash, period, chinese, reconciled).Make(kind, side);
        return form switch
        {
            StatementForm.Html => Encoding.UTF8.GetBytes(SheetHtml.Write(sheet)),
            StatementForm.Pdf => SheetPdf.Write(sheet),
            StatementForm.Csv => SheetCsv.Write(sheet),
            _ => SheetXlsx.Write(sheet),
        };
    }

    /// <summary>The reconciliations that the note of a period lists; none of a draft.</summary>
    public static IReadOnlyList<ReconciledClaim> Reconciled(Catalog catalog, SettledPeriod? period) =>
        period is null ? [] : ReconciledClaim.Find(catalog.Reconciliations, period.Agreement, period.Span);

    /// <summary>Standard tokens by the current rule, from the sum of a model's tokens: of text and code, for which
    /// there
    /// are ratios.</summary>
    public static (Int128 Tokens, Int128 Error)? StandardTokens(string model, Meter meter, Int128 tokens)
    {
        if (!meter.IsTokens || meter.TokenClass.Modality is not (Modality.Text or Modality.Code))
        {
            return null;
        }

        // A count is converted up to a limit; a month's sum may be beyond it.
        (Int128 sum, Int128 error) = (0, 0);
        for (Int128 left = tokens; left > 0; left -= StandardRule.MaxTokens)
        {
            StandardCount part =
                StandardRule.Current.ConvertForModel((long)Int128.Min(left, StandardRule.MaxTokens), model);
            (sum, error) = (sum + part.Tokens, error + part.ErrorTokens);
        }

        return (sum, error);
    }
}
