using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Statements;
using Ciyuan.Settlement;
using Ciyuan.Storage;
using Ciyuan.Tokens.Standard;
using NodaTime;
using NodaTime.Text;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Console.Settlement;

/// <summary>A period in the calendar, open ones too.</summary>
/// <param name="Period">Name and event times.</param>
/// <param name="Settled">How far it is; null while it is open.</param>
internal sealed record CalendarPeriod(SettlementPeriod Period, SettledPeriod? Settled)
{
    internal PeriodState State => Settled?.State ?? PeriodState.Draft;
}

/// <summary>An agreement's row: its periods by the month in which they begin.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Months">For each month of the calendar, its periods in order.</param>
internal sealed record CalendarRow(Agreement Agreement, IReadOnlyList<CalendarPeriod>[] Months);

/// <summary>A step that may be taken now, with all agreements of one period that are ready for it.</summary>
/// <param name="Action">The step.</param>
/// <param name="Period">Name of the period.</param>
/// <param name="Agreements">The agreements.</param>
internal sealed record ReadyStep(SettlementAction Action, string Period, IReadOnlyList<string> Agreements);

/// <summary>The closing calendar: what each agreement's periods are, and what can be done now.</summary>
internal sealed class ClosingCalendar(SettlementState state, Func<string, bool> sees, Timestamp now)
{
    /// <summary>Most open periods that are listed for an agreement: a year of days.</summary>
    private const int MostOpen = 366;

    internal SettlementState State => state;

    /// <summary>Agreements with terms of settlement that the visitor sees.</summary>
    internal IEnumerable<Agreement> Agreements => state.Catalog.SettledAgreements.Where(sees)
        .Select(id => state.Catalog.FindAgreement(id)!);

    /// <summary>How periods are closed in the name of a user.</summary>
    internal static CloseOptions OptionsOf(string by) => new(SettlementPages.Source, by)
    {
        Standard = StatementForms.StandardTokens,
        StandardRule = StandardRule.Current.Id,
    };

    /// <summary>A period by name; null when the agreement's calendar has none.</summary>
    internal CalendarPeriod? Find(string agreement, string name)
    {
        IReadOnlyList<SettlementTerms> terms = state.Catalog.TermsOf(agreement);
        return sees(agreement) && terms.Count > 0 && terms[0].TryReadPeriod(name, out SettlementPeriod period)
            && period.Span.Start >= terms[0].First.Span.Start
                ? new CalendarPeriod(period, state.Calendar.Find(agreement, name))
                : null;
    }

    /// <summary>The rows over some months, of which the last is given.</summary>
    internal IEnumerable<CalendarRow> Rows(YearMonth[] months)
    {
        foreach (Agreement agreement in Agreements)
        {
            ILookup<YearMonth, CalendarPeriod> periods = PeriodsOf(agreement.Id).ToLookup(p => MonthOf(p.Period.Name));
            yield return new CalendarRow(agreement, [.. months.Select(m => periods[m].ToArray())]);
        }
    }

    /// <summary>An agreement's periods up to the one that is under way, in order.</summary>
    internal IEnumerable<CalendarPeriod> PeriodsOf(string agreement)
    {
        foreach (SettledPeriod settled in state.Calendar.Of(agreement))
        {
            yield return new CalendarPeriod(new SettlementPeriod(settled.Name, settled.Span), settled);
        }

        IReadOnlyList<SettlementTerms> terms = state.Catalog.TermsOf(agreement);
        SettlementPeriod open = state.Calendar.NextOf(agreement, terms);
        for (int i = 0; i < MostOpen && open.Span.Start <= now; i++)
        {
            yield return new CalendarPeriod(open, null);
            open = terms[0].Next(open);
        }
    }

    /// <summary>Steps that the platform may take now.</summary>
    internal IReadOnlyList<ReadyStep> Ready()
    {
        var ready = new SortedDictionary<(string Period, SettlementAction Action), List<string>>();
        foreach (Agreement agreement in Agreements)
        {
            bool allSplit = true;
            bool allFinal = true;
            foreach (CalendarPeriod p in PeriodsOf(agreement.Id))
            {
                if (NextStep(agreement.Id, p, allSplit, allFinal) is { } action)
                {
                    (string, SettlementAction) key = (p.Period.Name, action);
                    (ready.TryGetValue(key, out List<string>? list) ? list : ready[key] = []).Add(agreement.Id);
                }

                allSplit &= p.State >= PeriodState.Split;
                allFinal &= p.State == PeriodState.Final;
                if (p.State == PeriodState.Draft)
                {
                    break;
                }
            }
        }

        return [.. ready.Select(r => new ReadyStep(r.Key.Action, r.Key.Period, r.Value))];
    }

    /// <summary>The moment from which an open period may be frozen.</summary>
    internal Timestamp FreezesFrom(string agreement, CalendarPeriod p)
    {
        SettlementTerms terms = state.Catalog.TermsAt(agreement, p.Period.Span.Start)!;
        return terms.DaysAfter(p.Period.Span.End, terms.FreezeAfterDays);
    }

    /// <summary>What the platform may do with a period now; null: nothing.</summary>
    internal SettlementAction? NextStep(string agreement, CalendarPeriod p, bool allSplit, bool allFinal) =>
        p.Settled is not { } settled
            ? now >= FreezesFrom(agreement, p) ? SettlementAction.Freeze : null
        : settled.State == PeriodState.Frozen ? allSplit ? SettlementAction.Split : null
        : settled.State == PeriodState.Split && allFinal && settled.HasTwoSignatures
            && (now >= settled.DisputesUntil || settled.IsSignedByBoth) ? SettlementAction.Finish
        : null;

    private static YearMonth MonthOf(string name) => YearMonthPattern.Iso.Parse(name[..7]).Value;
}
