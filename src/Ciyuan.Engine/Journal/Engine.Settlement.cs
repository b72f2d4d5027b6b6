using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <content>Steps of settlement.</content>
public sealed partial class Engine
{
    /// <summary>The calendars of the agreements. It changes with the engine: take what is asked at once.</summary>
    public SettlementCalendar Calendar => _calendar;

    private SettlementResult ApplySettlement(SettlementCommand step, long seq, Timestamp time, FrameDraft frame)
    {
        if (step.IsMalformed)
        {
            return new SettlementResult(SettlementStatus.Malformed, []);
        }

        UInt128 digest = _hasher.Digest(IdKind.Settlement, step.Source, step.Id);
        ulong fingerprint = step.Fingerprint();
        if (_history.TryFind(digest, out PastId past))
        {
            SettlementStatus status =
                past.Fingerprint == fingerprint ? SettlementStatus.Exists : SettlementStatus.Conflict;
            return new SettlementResult(status, []) { Seq = past.Position.Seq };
        }

        SettlementResult result = _settle.Run(step, _catalog, time, seq);
        if (result.Status == SettlementStatus.Done)
        {
            // What was refused is not remembered: too early today is in time tomorrow.
            Remember(digest, new PastId(
                fingerprint, new FramePosition(seq, frame.Settlements.Count), (byte)SettlementStatus.Done));
            frame.Settlements.Add(step);
            frame.SettlementResults.Add(result);
        }

        return result with { Seq = seq };
    }

    /// <summary>Terms may change only for periods that are not frozen.</summary>
    private void CheckTerms(Setup setup, List<string> faults)
    {
        foreach (SettlementSetup terms in setup.Settlement ?? [])
        {
            bool known = _catalog.TermsOf(terms.Agreement).Any(t => t.Setup == terms);
            if (!known && _calendar.Of(terms.Agreement) is [.., { } last]
                && string.CompareOrdinal(terms.Start, last.Name) <= 0)
            {
                faults.Add($"settlement of '{terms.Agreement}' from '{terms.Start}': {last.Name} is frozen already; "
                    + "let new terms start after it");
            }
        }
    }
}
