using System.Globalization;
using System.Numerics;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;

namespace Ciyuan.Tests.Settlement;

/// <summary>
/// Statements the obvious way: frame by frame, each charge put into the first month of its agreement that is not frozen
/// at that moment, counting from that of its event time; sums as big integers. Knows nothing of facts, cuts and lines.
/// </summary>
internal sealed class SlowStatements
{
    private readonly Dictionary<string, string> _lastFrozen = [];

    /// <summary>Pico by agreement, month of booking, and month of the event.</summary>
    public Dictionary<(string Agreement, string Booked, string Happened), BigInteger> Sums { get; } = [];

    /// <summary>Records by agreement and month of booking.</summary>
    public Dictionary<(string Agreement, string Booked), long> Records { get; } = [];

    public SlowStatements(IEnumerable<Frame> frames)
    {
        foreach (Frame frame in frames)
        {
            foreach (SettlementCommand step in frame.Settlements.Where(s => s.Action == SettlementAction.Freeze))
            {
                _lastFrozen[step.Agreement] = step.Period;
            }

            foreach (CorrectedRecord corrected in frame.CorrectionResults.SelectMany(c => c.Records))
            {
                Add(corrected.EventTime, corrected.Charges, isRecord: false);
            }

            for (int i = 0; i < frame.Records.Count; i++)
            {
                Add(frame.Records[i].EventTime, frame.RecordResults[i].Charges, isRecord: true);
            }
        }
    }

    /// <summary>What a month's statement comes to, by month of the event, exact.</summary>
    public SortedDictionary<string, BigInteger> Of(string agreement, string month)
    {
        var sums = new SortedDictionary<string, BigInteger>(StringComparer.Ordinal);
        foreach (((string a, string booked, string happened), BigInteger sum) in Sums)
        {
            if (a == agreement && booked == month)
            {
                sums[happened] = sum;
            }
        }

        return sums;
    }

    private void Add(Timestamp time, Charge[] charges, bool isRecord)
    {
        string happened = MonthOf(time);
        foreach (Charge charge in charges)
        {
            string agreement = charge.Rate.Agreement;
            string booked = happened;
            while (_lastFrozen.TryGetValue(agreement, out string? frozen)
                && string.CompareOrdinal(booked, frozen) <= 0)
            {
                booked = After(booked);
            }

            Records[(agreement, booked)] =
                Records.GetValueOrDefault((agreement, booked)) + (isRecord ? 1 : 0);
            if (charge.Rate.Method != RateMethod.Suspense)
            {
                var key = (agreement, booked, happened);
                Sums[key] = Sums.GetValueOrDefault(key) + (BigInteger)charge.Amount.Pico;
            }
        }
    }

    private static string MonthOf(Timestamp time) =>
        time.ToInstant().ToDateTimeOffset().ToString("yyyy-MM", CultureInfo.InvariantCulture);

    private static string After(string month)
    {
        int number = (int.Parse(month[..4], CultureInfo.InvariantCulture) * 12)
            + int.Parse(month[5..], CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{number / 12:D4}-{(number % 12) + 1:D2}");
    }
}
