using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Statistics;
using Ciyuan.Usage;
using NodaTime;
using Xunit;

namespace Ciyuan.Tests.Statistics;

/// <summary>
/// Reports the slow and obvious way: every record is taken apart into bits (a call, a count, a part of an amount), each
/// with all its dimensions, then filtered and grouped. Figures are by column name.
/// </summary>
internal sealed class NaiveReport
{
    private readonly ReportQuery _query;
    private readonly Dictionary<string, HashSet<(string, int)>> _callsOf = [];

    public NaiveReport(IEnumerable<Frame> frames, ReportQuery query)
    {
        _query = query;
        foreach (Frame frame in frames)
        {
            foreach (CorrectedRecord corrected in frame.CorrectionResults.SelectMany(result => result.Records))
            {
                AddCorrection(corrected);
            }

            for (int i = 0; i < frame.Records.Count; i++)
            {
                AddRecord(frame.Records[i], frame.RecordResults[i]);
            }
        }
    }

    public Dictionary<string, Dictionary<string, Int128>> Rows { get; } = [];

    public Dictionary<string, Int128> Total { get; } = [];

    public long InPeriod { get; private set; }

    public long Records { get; private set; }

    private readonly HashSet<string> _seen = [];

    private void AddRecord(UsageRecord record, UsageResult result)
    {
        if (result.Status != UsageStatus.Posted)
        {
            return;
        }

        Records++;
        if (!_query.Period.Contains(record.EventTime))
        {
            return;
        }

        InPeriod++;
        Rate?[] rates = [.. result.Charges.Select(charge => charge.Rate)];
        Rate?[] orNone = rates.Length == 0 ? [null] : rates;
        Count[] counts = [.. record.Counts.Where(count => count.Steps > 0)];
        foreach (Rate? rate in orNone)
        {
            foreach (Count? count in counts.Length == 0 ? [null] : counts.Select(c => (Count?)c))
            {
                string call = record.Outcome switch { Outcome.Failed => "failed", Outcome.Cut => "cut", _ => "" };
                Add(record, false, count, rate, "calls", 1, onceAs: $"{record.Id}");
                if (call.Length > 0)
                {
                    Add(record, false, count, rate, call, 1, onceAs: $"{record.Id}");
                }

                if (count is { } c)
                {
                    string name = !c.Meter.IsTokens ? c.Meter.ToString()
                        : c.Meter.TokenClass.Direction == Direction.Input ? "tokens_input" : "tokens_output";
                    Add(record, false, count, rate, name, c.Steps, onceAs: $"{record.Id}|{c.Meter}");
                }
            }
        }

        AddCharges(record, result.Charges, result.Postings, isCorrection: false, reversed: 0);
    }

    private void AddCorrection(CorrectedRecord corrected)
    {
        if (_query.Period.Contains(corrected.EventTime))
        {
            var record = new UsageRecord
            {
                Id = "",
                Context = corrected.Context,
                EventTime = corrected.EventTime,
                Counts = corrected.Counts ?? [],
            };
            AddCharges(record, corrected.Charges, corrected.Postings, isCorrection: true, corrected.Reversed);
        }
    }

    private void AddCharges(UsageRecord record, Charge[] charges, Posting[] postings, bool isCorrection, int reversed)
    {
        int next = 0;
        for (int i = 0; i < charges.Length; i++)
        {
            Charge charge = charges[i];
            Rate rate = charge.Rate;
            int sign = i < reversed ? -1 : 1;
            Posting[] own = postings[next..(next + charge.PostingCount)];
            next += charge.PostingCount;
            foreach (Count covered in charge.Covered ?? [])
            {
                string name = covered.Meter.IsTokens ? "pack_tokens" : $"pack_{covered.Meter}";
                Add(record, isCorrection, covered, rate, name, sign * covered.Steps);
            }

            if (rate.Method == RateMethod.Suspense)
            {
                Add(record, isCorrection, null, rate, "suspense_charges", sign);
                foreach (Posting posting in own)
                {
                    AddWaiting(record, isCorrection, rate, posting, sign);
                }
            }
            else if (rate.Method == RateMethod.Prices && record.Counts.Length > 0)
            {
                foreach (Count count in record.Counts)
                {
                    long free = (charge.Covered ?? []).FirstOrDefault(c => c.Meter == count.Meter).Steps;
                    Int128 part = rate.TryGetPrice(count.Meter, out Amount price)
                        ? price.Pico * (count.Steps - free) : 0;
                    Add(record, isCorrection, count, rate, MoneyName(rate), sign * part);
                }
            }
            else
            {
                Add(record, isCorrection, null, rate, MoneyName(rate), charge.Amount.Pico);
            }
        }
    }

    private void AddWaiting(UsageRecord record, bool isCorrection, Rate rate, Posting posting, int sign)
    {
        Currency unit = posting.Debit.Currency;
        Count[] counts = [.. record.Counts.Where(c => c.Steps > 0 && c.Meter.Currency == unit)];
        if (counts.Length == 0)
        {
            Add(record, isCorrection, null, rate, $"suspense_{unit}", sign * posting.Amount.Pico);
        }

        foreach (Count count in counts)
        {
            Int128 part = (Int128)count.Steps * (Amount.PicoPerUnit / count.Meter.StepsPerUnit);
            Add(record, isCorrection, count, rate, $"suspense_{unit}", sign * part);
        }
    }

    private static string MoneyName(Rate rate) => $"{rate.Side.ToString().ToLowerInvariant()}_{rate.Currency}";

    private void Add(
        UsageRecord record, bool isCorrection, Count? count, Rate? rate, string column, Int128 value,
            string? onceAs = null)
    {
        if (_query.Filters.Any(filter => !filter.Matches(Value(filter.Dimension, record, isCorrection, count, rate))))
        {
            return;
        }

        IEnumerable<string> key = _query.GroupBy.Select(d => Value(d, record, isCorrection, count, rate));
        string joined = string.Join('|', _query.Bucket == Bucket.None ? key : key.Prepend(BucketOf(record.EventTime)));
        if (onceAs is null || _seen.Add($"{column}|{onceAs}|in {joined}"))
        {
            Rows.TryAdd(joined, []);
            AddInto(Rows[joined], column, value);
        }

        if (onceAs is null || _seen.Add($"{column}|{onceAs}"))
        {
            AddInto(Total, column, value);
        }
    }

    private static void AddInto(Dictionary<string, Int128> row, string column, Int128 value) =>
        row[column] = row.GetValueOrDefault(column) + value;

    private static string Value(Dimension dimension, UsageRecord record, bool isCorrection, Count? count, Rate? rate)
    {
        UsageContext c = record.Context;
        string? token = count is { Meter.IsTokens: true } k ? k.Meter.ToString() : null;
        string? value = dimension switch
        {
            Dimension.Party => c.Party,
            Dimension.Project => c.Project,
            Dimension.Key => c.Key,
            Dimension.Scenario => c.Scenario,
            Dimension.Model => c.ModelAnswered.Length > 0 ? c.ModelAnswered : c.ModelAsked,
            Dimension.ModelAsked => c.ModelAsked,
            Dimension.Provider => c.Provider,
            Dimension.Site => c.Site,
            Dimension.Operation => c.Operation,
            Dimension.Source => c.Source,
            Dimension.Outcome => isCorrection ? null : record.Outcome.ToString().ToLowerInvariant(),
            Dimension.Class => count?.Meter.ToString(),
            Dimension.Direction => token?.Split('.')[0],
            Dimension.Modality => token?.Split('.')[1],
            Dimension.Kind => token?.Split('.')[2],
            Dimension.Grade => count?.Grade.ToString().ToLowerInvariant(),
            Dimension.Agreement => rate?.Agreement,
            Dimension.Side => rate?.Side.ToString().ToLowerInvariant(),
            _ => throw new ArgumentOutOfRangeException(nameof(dimension)),
        };
        return string.IsNullOrEmpty(value) ? "-" : value;
    }

    private string BucketOf(Timestamp time)
    {
        ZonedDateTime local = time.ToInstant().InZone(_query.Zone);
        LocalDate date = local.Date;
        LocalTime clock = local.TimeOfDay;
        int minutes = _query.Bucket switch { Bucket.Minute => 1, Bucket.QuarterHour => 15, Bucket.Hour => 60, _ => 0 };
        if (minutes == 0)
        {
            return _query.Bucket switch
            {
                Bucket.Month => date.ToString("uuuu'-'MM", null),
                Bucket.Week => date.Next(IsoDayOfWeek.Monday).PlusDays(-7).ToString("uuuu'-'MM'-'dd", null),
                _ => date.ToString("uuuu'-'MM'-'dd", null),
            };
        }

        int into = ((clock.Hour * 60) + clock.Minute) % minutes;
        ZonedDateTime start = local.PlusSeconds(-clock.Second).PlusMinutes(-into);
        Offset offset = local.Offset;
        if (start.Offset != offset)
        {
            start = local.Zone.GetZoneInterval(time.ToInstant()).Start.InZone(local.Zone);
        }

        return start.ToString("uuuu'-'MM'-'dd'T'HH':'mmo<m>", null);
    }
}
