using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Settlement;

/// <summary>
/// The calendars of all agreements: which periods are frozen, split, final, with who and when. It follows from the
/// steps
/// in the journal alone, so the engine and a reader of frames have the same.
/// </summary>
public sealed class SettlementCalendar
{
    private readonly SortedDictionary<string, List<SettledPeriod>> _periods = new(StringComparer.Ordinal);
    private readonly List<BookingCut> _cuts = [];

    /// <summary>Every period that is at least frozen, by agreement and in order.</summary>
    public IEnumerable<SettledPeriod> Periods => _periods.Values.SelectMany(list => list);

    /// <summary>From which frame on what is booked later: by freezing, and by closed event times.</summary>
    public IReadOnlyList<BookingCut> Cuts => _cuts;

    /// <summary>The periods of an agreement, in order.</summary>
    public IReadOnlyList<SettledPeriod> Of(string agreement) => _periods.GetValueOrDefault(agreement) ?? [];

    /// <summary>A period that is at least frozen, or null.</summary>
    public SettledPeriod? Find(string agreement, string name) => Of(agreement).FirstOrDefault(p => p.Name == name);

    /// <summary>The period that is to be frozen next.</summary>
    /// <param name="agreement">The agreement.</param>
    /// <param name="terms">Its terms; at least one.</param>
    public SettlementPeriod NextOf(string agreement, IReadOnlyList<SettlementTerms> terms) =>
        Of(agreement) is [.., { } last]
            ? terms[0].Next(new SettlementPeriod(last.Name, last.Span))
            : terms[0].First;

    /// <summary>When an agreement's charges are booked.</summary>
    public BookingTimes BookingOf(string agreement) => new(agreement, _cuts);

    /// <summary>
    /// The question for the statement of a period: what is booked in it. The first period of a calendar takes all that
    /// was booked before it.
    /// </summary>
    /// <param name="period">The period.</param>
    /// <param name="terms">The agreement's terms.</param>
    public StatementQuery QueryOf(SettledPeriod period, SettlementTerms terms)
    {
        bool first = Of(period.Agreement)[0].Name == period.Name;
        var span = new Period(first ? Timestamp.MinValue : period.Span.Start, period.Span.End);
        return new StatementQuery(period.Agreement, span, terms.Zone) { Booking = BookingOf(period.Agreement) };
    }

    /// <summary>The name of the period of an agreement that ends at a moment; the moment itself where there is
    /// none.</summary>
    public string NameOf(string agreement, Timestamp end) =>
        Of(agreement).FirstOrDefault(p => p.Span.End == end)?.Name ?? $"< {end}";

    /// <summary>Event times were closed by a setup.</summary>
    public void AddClosings(Setup setup, long seq)
    {
        foreach (ClosingSetup closing in setup.Closings ?? [])
        {
            if (Timestamp.TryParse(closing.Until, out Timestamp until))
            {
                _cuts.Add(new BookingCut(closing.Agreement ?? "", until, seq));
            }
        }
    }

    /// <summary>Takes in a step that was done.</summary>
    /// <param name="command">The step.</param>
    /// <param name="result">Its outcome.</param>
    /// <param name="time">Time of recording.</param>
    /// <param name="seq">The frame.</param>
    public void Record(SettlementCommand command, SettlementResult result, Timestamp time, long seq)
    {
        var mark = new SettlementMark(command.By, time, seq);
        if (command.Action == SettlementAction.Freeze)
        {
            Add(new SettledPeriod
            {
                Agreement = command.Agreement,
                Name = command.Period,
                Span = result.Span,
                Frozen = mark,
            });
            _cuts.Add(new BookingCut(command.Agreement, result.Span.End, seq));
            return;
        }

        List<SettledPeriod> periods = _periods[command.Agreement];
        int at = periods.FindIndex(p => p.Name == command.Period);
        periods[at] = After(periods[at], command, result, mark);
    }

    /// <summary>A calendar with the same in it, which this one no longer changes.</summary>
    public SettlementCalendar Copy()
    {
        var copy = new SettlementCalendar();
        copy.Restore(Periods, _cuts);
        return copy;
    }

    /// <summary>Puts back what a stored state has.</summary>
    internal void Restore(IEnumerable<SettledPeriod> periods, IEnumerable<BookingCut> cuts)
    {
        _periods.Clear();
        _cuts.Clear();
        _cuts.AddRange(cuts);
        foreach (SettledPeriod period in periods)
        {
            Add(period);
        }
    }

    private static SettledPeriod After(
        SettledPeriod period, SettlementCommand command, SettlementResult result, SettlementMark mark) =>
        command.Action switch
        {
            SettlementAction.Split => period with
            {
                State = PeriodState.Split,
                Split = mark,
                Hash = StatementDocument.HashOf(command.Statement),
                Due = result.Amount,
                DisputesUntil = result.Until,
            },
            SettlementAction.Sign => period with
            {
                Signatures =
                    [.. period.Signatures, new SettlementSignature(command.By, command.Side, mark.Time)],
            },
            SettlementAction.Dispute => period with { Disputes = [.. period.Disputes, DisputeOf(command, mark)] },
            SettlementAction.Resolve => period with
            {
                Disputes = [.. period.Disputes.Select(d => d.Id != command.Dispute
                    ? d
                    : d with { Resolved = mark, Granted = command.Amount })],
            },
            _ => period with
            {
                State = PeriodState.Final,
                Final = mark,
                Payable = result.Amount,
                Carried = result.Carried,
                PayUntil = result.Until,
            },
        };

    private static SettlementDispute DisputeOf(SettlementCommand command, SettlementMark mark) =>
        new(command.Dispute, command.Side, command.By, command.Amount, command.Memo, mark.Time);

    private void Add(SettledPeriod period)
    {
        if (!_periods.TryGetValue(period.Agreement, out List<SettledPeriod>? list))
        {
            _periods.Add(period.Agreement, list = []);
        }

        list.Add(period);
    }
}
