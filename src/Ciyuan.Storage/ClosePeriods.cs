using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Storage;

/// <summary>How periods are closed.</summary>
/// <param name="Source">Who sends the steps.</param>
/// <param name="By">The person or system that takes them.</param>
public sealed record CloseOptions(string Source, string By)
{
    /// <summary>Why, for people.</summary>
    public string Memo { get; init; } = "";

    /// <summary>Goes on though usage waits for a price.</summary>
    public bool AcceptWaiting { get; init; }

    /// <summary>Standard tokens; null: none are told.</summary>
    public StandardTokens? Standard { get; init; }

    /// <summary>Id of their rule.</summary>
    public string StandardRule { get; init; } = "";
}

/// <summary>What became of one period.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Period">The period.</param>
/// <param name="Result">The step's outcome.</param>
/// <param name="Document">At a split: the statement.</param>
public sealed record ClosedPeriod(
    string Agreement, string Period, SettlementResult Result, StatementDocument? Document = null)
{
    /// <summary>The records that are in the way of a split; empty where none is.</summary>
    public IReadOnlyList<WaitingRecord> Waiting { get; init; } = [];
}

/// <summary>A record in the way: it waits for a price.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Id">Its id.</param>
/// <param name="EventTime">When it happened.</param>
/// <param name="Reason">Why it waits.</param>
public sealed record WaitingRecord(FramePosition Position, string Id, Timestamp EventTime, SuspenseReason Reason);

/// <summary>
/// Closes periods: freezes them, all of a call in one frame, and fixes the statement of each from the facts. A
/// statement
/// follows from the journal and the cut alone, so it does not matter when it is made.
/// </summary>
public static class ClosePeriods
{
    /// <summary>Statements joined into one frame: at some 100 kB each, far below the limit of a frame.</summary>
    private const int SplitTogether = 32;

    /// <summary>Most waiting records that are named.</summary>
    private const int MostNamed = 1_000;

    /// <summary>Freezes a period of an agreement, or of all whose next period it is.</summary>
    /// <param name="shard">Where.</param>
    /// <param name="agreement">The agreement; empty for all.</param>
    /// <param name="period">The period.</param>
    /// <param name="options">Who, and how.</param>
    /// <param name="cancel">Ends the wait for a place in the queue.</param>
    public static async Task<IReadOnlyList<ClosedPeriod>> FreezeAsync(
        Shard shard, string agreement, string period, CloseOptions options, CancellationToken cancel = default)
    {
        SettlementState state = await shard.SettlementAsync(cancel).ConfigureAwait(false);
        string[] agreements = agreement.Length > 0 ? [agreement] :
        [
            .. state.Catalog.SettledAgreements
                .Where(a => state.Calendar.NextOf(a, state.Catalog.TermsOf(a)).Name == period),
        ];
        SettlementCommand[] steps =
            [.. agreements.Select(a => StepOf(SettlementAction.Freeze, a, period, options))];
        SettlementResult[] results = await shard.SettleAsync(steps, cancel).ConfigureAwait(false);
        return [.. agreements.Zip(results, (a, result) => new ClosedPeriod(a, period, result))];
    }

    /// <summary>Fixes the statement of a frozen period of an agreement, or of all in which it is frozen.</summary>
    /// <param name="shard">Where.</param>
    /// <param name="agreement">The agreement; empty for all.</param>
    /// <param name="period">The period.</param>
    /// <param name="options">Who, and how.</param>
    /// <param name="cancel">Stops between two statements.</param>
    public static async Task<IReadOnlyList<ClosedPeriod>> SplitAsync(
        Shard shard, string agreement, string period, CloseOptions options, CancellationToken cancel = default)
    {
        SettlementState state = await shard.SettlementAsync(cancel).ConfigureAwait(false);
        SettledPeriod[] frozen = [.. state.Calendar.Periods.Where(p => p.Name == period
            && (agreement.Length == 0 ? p.State == PeriodState.Frozen : p.Agreement == agreement))];
        var closed = new List<ClosedPeriod>();
        if (agreement.Length > 0 && frozen.Length == 0)
        {
            // Let the engine say why not; it looks at the period before the statement.
            SettlementCommand step = StepOf(SettlementAction.Split, agreement, period, options);
            SettlementResult[] refused =
                await shard.SettleAsync([step with { Statement = [0] }], cancel).ConfigureAwait(false);
            return [new ClosedPeriod(agreement, period, refused[0])];
        }

        FactStore facts = shard.Facts;
        foreach (SettledPeriod[] chunk in frozen.Chunk(SplitTogether))
        {
            cancel.ThrowIfCancellationRequested();
            StatementDocument[] documents = [.. chunk.Select(p => MakeDocument(facts, state, p, options))];
            SettlementCommand[] steps = [.. chunk.Zip(documents, (p, document) =>
                StepOf(SettlementAction.Split, p.Agreement, p.Name, options) with
                {
                    Statement = document.ToBytes(),
                    AcceptWaiting = options.AcceptWaiting,
                })];
            SettlementResult[] results = await shard.SettleAsync(steps, cancel).ConfigureAwait(false);
            closed.AddRange(chunk.Select((p, i) => new ClosedPeriod(p.Agreement, p.Name, results[i], documents[i])
            {
                Waiting = results[i].Status == SettlementStatus.UsageWaits ? FindWaiting(shard, state, p) : [],
            }));
        }

        return closed;
    }

    /// <summary>The bytes of a period's statement: the stored one, while it is frozen the one that a split would store,
    /// before that a draft.</summary>
    public static byte[] FindBytes(
        Shard shard, SettlementState state, string agreement, SettlementPeriod period, CloseOptions options)
    {
        SettledPeriod? settled = state.Calendar.Find(agreement, period.Name);
        return settled is null
            ? MakeDraft(shard.Facts, state, agreement, period, options, shard.DurableSeq + 1).ToBytes()
            : SettlementState.FindStatement(settled, shard.ReadFrame)
                ?? MakeDocument(shard.Facts, state, settled, options).ToBytes();
    }

    /// <summary>The statement of a frozen period: the same at any time after its freezing.</summary>
    public static StatementDocument MakeDocument(
        FactStore facts, SettlementState state, SettledPeriod period, CloseOptions options)
    {
        SettlementTerms terms = state.Catalog.TermsAt(period.Agreement, period.Span.Start)
            ?? throw new ArgumentException($"'{period.Agreement}' has no terms.", nameof(period));
        Statement statement = facts.RunStatement(state.Calendar.QueryOf(period, terms));
        return MakeStatement.From(statement, new StatementFrame(
            state.Catalog, state.Calendar, period, options.StandardRule, options.Standard));
    }

    /// <summary>The statement of an open period as it would be now (草稿): not fixed, and nothing to sign.</summary>
    /// <param name="facts">The statistics.</param>
    /// <param name="state">Catalog and calendars.</param>
    /// <param name="agreement">An agreement with terms.</param>
    /// <param name="period">A period that is not frozen.</param>
    /// <param name="options">Standard tokens.</param>
    /// <param name="nextSeq">The frame that would freeze it.</param>
    public static StatementDocument MakeDraft(
        FactStore facts, SettlementState state, string agreement, SettlementPeriod period, CloseOptions options,
        long nextSeq)
    {
        SettlementCalendar asIf = state.Calendar.Copy();
        var command = new SettlementCommand(
            options.Source, "draft", SettlementAction.Freeze, agreement, period.Name, options.By);
        var result = new SettlementResult(SettlementStatus.Done, []) { Span = period.Span };
        asIf.Record(command, result, default, nextSeq);
        SettledPeriod frozen = asIf.Find(agreement, period.Name)!;
        return MakeDocument(facts, state with { Calendar = asIf }, frozen, options);
    }

    private static IReadOnlyList<WaitingRecord> FindWaiting(Shard shard, SettlementState state, SettledPeriod period) =>
        FindWaiting(
            shard.Facts, state.Calendar.QueryOf(period, state.Catalog.TermsAt(period.Agreement, period.Span.Start)!),
            seq => shard.ReadFrame(seq)!);

    /// <summary>The records that wait for a price in a period, with those that no agreement covers; at most a
    /// thousand.</summary>
    public static IReadOnlyList<WaitingRecord> FindWaiting(
        FactStore facts, StatementQuery query, Func<long, Frame> readFrame)
    {
        var waiting = new SortedDictionary<(long Seq, int Index), WaitingRecord>();
        bool Ours(Charge c) => c.Rate.Method == RateMethod.Suspense
            && (c.Rate.Agreement == query.Agreement || c.Rate.Agreement.Length == 0);
        foreach (long seq in facts.FindWaitingFrames(query))
        {
            Frame frame = readFrame(seq);
            for (int i = 0; i < frame.Records.Count && waiting.Count < MostNamed; i++)
            {
                UsageRecord record = frame.Records[i];
                Charge found = Array.Find(frame.RecordResults[i].Charges, Ours);
                if (found.Rate is not null && query.Period.Contains(query.Booking.BookedAt(record.EventTime, seq)))
                {
                    waiting[(seq, i)] = new WaitingRecord(
                        new FramePosition(seq, i), record.Id, record.EventTime, found.Rate.Reason);
                }
            }

            // What a correction has priced since waits no more.
            foreach (CorrectedRecord corrected in frame.CorrectionResults.SelectMany(c => c.Records))
            {
                if (corrected.Charges.Take(corrected.Reversed).Any(Ours)
                    && !corrected.Charges.Skip(corrected.Reversed).Any(Ours))
                {
                    waiting.Remove((corrected.Position.Seq, corrected.Position.Index));
                }
            }
        }

        return [.. waiting.Values];
    }

    private static SettlementCommand StepOf(
        SettlementAction action, string agreement, string period, CloseOptions options) =>
        new(options.Source, $"{action.ToString().ToLowerInvariant()}/{agreement}/{period}", action, agreement, period,
            options.By)
        {
            Memo = options.Memo,
        };
}
