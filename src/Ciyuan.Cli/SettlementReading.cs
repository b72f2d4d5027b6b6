using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary>Catalog, calendars and statements of a data folder, for reading beside a writer or without one.</summary>
internal sealed class SettlementReading : IDisposable
{
    private readonly Facts _facts;
    private readonly SqliteJournal _journal;

    internal SettlementReading(string folder)
    {
        _facts = new Facts(folder);
        _journal = SqliteJournal.OpenReadOnly(folder);
        State = SettlementState.Read(_facts.Store, _journal);
    }

    internal SettlementState State { get; }

    internal FactStore Facts => _facts.Store;

    public void Dispose()
    {
        _journal.Dispose();
        _facts.Dispose();
    }

    internal Frame ReadFrame(long seq) => SettlementState.ReadFrame(_journal, seq);

    /// <summary>The terms of an agreement that is there and has some.</summary>
    internal IReadOnlyList<SettlementTerms> TermsOf(string agreement)
    {
        IReadOnlyList<SettlementTerms> terms = State.Catalog.TermsOf(agreement);
        return terms.Count > 0 ? terms
            : throw new RefusedException(State.Catalog.FindAgreement(agreement) is null
                ? NearNames.Unknown("agreement", agreement, State.Catalog.Agreements.Select(a => a.Id))
                : $"agreement '{agreement}': {SettlementRendering.Explain(SettlementStatus.NoTerms)}");
    }

    /// <summary>A period by its name, frozen or not.</summary>
    internal SettlementPeriod PeriodOf(string agreement, string name) =>
        TermsOf(agreement)[0].TryReadPeriod(name, out SettlementPeriod period)
            ? period
            : throw new RefusedException(SettlementRendering.Explain(SettlementStatus.PeriodUnknown));

    /// <summary>The question for a period: of a frozen one what is in it, else what would be.</summary>
    internal StatementQuery QueryOf(string agreement, string name)
    {
        SettlementPeriod period = PeriodOf(agreement, name);
        return State.Calendar.Find(agreement, name) is { } frozen
            ? State.Calendar.QueryOf(frozen, TermsOf(agreement)[0])
            : new StatementQuery(agreement, period.Span, TermsOf(agreement)[0].Zone)
            {
                Booking = State.Calendar.BookingOf(agreement),
            };
    }

    /// <summary>The bytes of a period's statement: the stored ones, or a draft of what they would be now.</summary>
    internal byte[] StatementOf(string agreement, string name, out SettledPeriod? period)
    {
        SettlementPeriod named = PeriodOf(agreement, name);
        period = State.Calendar.Find(agreement, name);
        CloseOptions options = SettleVerb.Options("draft");
        return period is null
                ? ClosePeriods.MakeDraft(Facts, State, agreement, named, options, Facts.LastSeq + 1).ToBytes()
            : SettlementState.FindStatement(period, ReadFrame)
                ?? ClosePeriods.MakeDocument(Facts, State, period, options).ToBytes();
    }

    /// <summary>The stored statements of some periods.</summary>
    internal IEnumerable<(SettledPeriod Period, StatementDocument Document, byte[] Bytes)> Statements(
        Func<SettledPeriod, bool> of)
    {
        foreach (SettledPeriod period in State.Calendar.Periods.Where(p => p.Split is not null && of(p)))
        {
            byte[] bytes = SettlementState.FindStatement(period, ReadFrame)
                ?? throw new JournalException($"The statement of {period.Agreement} {period.Name} is missing.");
            yield return (period, StatementDocument.TryRead(bytes)
                ?? throw new JournalException($"The statement of {period.Agreement} {period.Name} is damaged."), bytes);
        }
    }
}
