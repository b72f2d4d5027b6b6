using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Server.Console.Data;

/// <summary>A charge with why it is what it is, and what it moved.</summary>
/// <param name="Charge">The charge.</param>
/// <param name="Postings">Its postings.</param>
/// <param name="Explanation">Line by line; null where no price book made it.</param>
internal sealed record ChargeView(Charge Charge, IReadOnlyList<Posting> Postings, PriceExplanation? Explanation);

/// <summary>A record with its eight steps, as far as a scope sees them.</summary>
internal sealed record RecordView
{
    internal required FoundRecord Found { get; init; }

    /// <summary>Whether the caller's side is seen: who, which key, which tags.</summary>
    internal required bool SeesCaller { get; init; }

    /// <summary>The group that placed the hold; null when there was none.</summary>
    internal required LedgerGroup? Hold { get; init; }

    internal required FramePosition? HoldPosition { get; init; }

    internal required IReadOnlyList<ChargeView> Charges { get; init; }

    internal required string FrameHash { get; init; }

    internal UsageRecord Record => Found.Record;

    /// <summary>Whether a record is seen in a scope: it is charged under an agreement of the party, and a consumer's
    /// own.</summary>
    internal static bool Sees(FoundRecord found, Scope scope) => scope.IsAll
        || ((!scope.IsConsumer || found.Record.Context.Party == scope.Party) && ChargesOf(found, scope).Any());

    /// <summary>The charges that a scope sees.</summary>
    internal static IEnumerable<Charge> ChargesOf(FoundRecord found, Scope scope) =>
        found.Result.Charges.Where(c => scope.Sees(c.Rate.Agreement));

    /// <summary>All that can be told of a record.</summary>
    internal static async Task<RecordView> OfAsync(Visit visit, FoundRecord found)
    {
        Desk desk = visit.Desk;
        UsageRecord record = found.Record;
        bool caller = visit.Scope.IsAll || visit.Scope.IsConsumer;
        FramePosition? at = caller && record.Hold.Length > 0
            ? await desk.Shard.FindAsync(IdKind.Hold, record.Context.Source, record.Hold, visit.Http.RequestAborted)
            : null;
        LedgerGroup? hold = at is { } position ? desk.Journal.Read(position.Seq)?.Groups.FirstOrDefault(
            g => g.Operations.OfType<PlaceHold>().Any(p => p.Hold == record.Hold)) : null;
        return new RecordView
        {
            Found = found,
            SeesCaller = caller,
            Hold = hold,
            HoldPosition = at,
            Charges = [.. Split(found).Where(c => visit.Scope.Sees(c.Charge.Rate.Agreement))
                .Select(c => c with { Explanation = Explain(desk.Books, record, c.Charge) })],
            FrameHash = desk.Journal.HashOf(found.Position.Seq),
        };
    }

    private static IEnumerable<ChargeView> Split(FoundRecord found)
    {
        int from = 0;
        foreach (Charge charge in found.Result.Charges)
        {
            yield return new ChargeView(
                charge, found.Result.Postings[from..(from + charge.PostingCount)], null);
            from += charge.PostingCount;
        }
    }

    // The books as they are now: versions never change, so what was in force then is found by the event time.
    private static PriceExplanation? Explain(PriceBooks books, UsageRecord record, Charge charge)
    {
        Rate rate = charge.Rate;
        if (rate.Book.Length == 0 || rate.Method is not (RateMethod.Prices or RateMethod.Formula))
        {
            return null;
        }

        Dictionary<string, Int128>? before = null;
        if (charge.Before is { } counted && rate.Formula is { } formula)
        {
            before = [];
            for (int i = 0; i < counted.Length; i++)
            {
                before[formula.Curves[formula.Running[i]].Name] = counted[i];
            }
        }

        return ExplainPrice.Explain(books, new PriceQuestion(rate.Book, record, rate.Currency, Before: before));
    }
}
