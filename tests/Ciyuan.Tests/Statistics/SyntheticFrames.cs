using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Statistics;

/// <summary>
/// Frames as the engine makes them, from a seed: few names, so that groups meet; all methods of rating, packs,
/// suspense,
/// conflicts, and corrections of earlier records. Amounts are computed here, apart from the code under test.
/// </summary>
internal sealed class SyntheticFrames(int seed)
{
    private static readonly Currency[] Currencies = [Currency.Cny, Currency.Usd];

    private readonly Random _random = new(seed);
    private readonly Dictionary<(string, int), Rate> _rates = [];
    private readonly List<(FramePosition Position, UsageRecord Record, Charge[] Charges, Posting[] Postings)> _past =
        [];
    private long _seq;

    /// <summary>First event time.</summary>
    public Timestamp Start { get; init; } = Time("2026-03-25T00:00:00Z");

    /// <summary>Span of the event times.</summary>
    public TimeSpan Span { get; init; } = TimeSpan.FromDays(12);

    /// <summary>How many different parties there are.</summary>
    public int Parties { get; init; } = 3;

    public static Timestamp Time(string text) =>
        Timestamp.TryParse(text, out Timestamp time) ? time : throw new ArgumentException(text);

    public IEnumerable<Frame> Make(int frames, int recordsPerFrame)
    {
        for (int i = 0; i < frames; i++)
        {
            yield return MakeFrame(recordsPerFrame);
        }
    }

    /// <summary>Corrections of the modes 3 and 4 tell what was counted.</summary>
    private bool IsCounted => _seq % 2 == 0;

    private Frame MakeFrame(int count)
    {
        _seq++;
        var records = new UsageRecord[count];
        var results = new UsageResult[count];
        var corrected = new List<CorrectedRecord>();
        for (int i = 0; _past.Count > 0 && i < count / 10; i++)
        {
            int at = _random.Next(_past.Count);
            corrected.Add(Correct(_past[at]) with { Counts = IsCounted ? _past[at].Record.Counts : null });
            _past.RemoveAt(at);
        }

        for (int i = 0; i < count; i++)
        {
            records[i] = MakeRecord(i);
            results[i] = _random.Next(20) == 0
                ? new UsageResult(UsageStatus.Conflict, UsageRemarks.None, [], [])
                : MakeResult(records[i]);
            if (results[i].Status == UsageStatus.Posted && _past.Count < 1000)
            {
                _past.Add((new FramePosition(_seq, i), records[i], results[i].Charges, results[i].Postings));
            }
        }

        return new Frame
        {
            Shard = 0,
            Seq = _seq,
            Time = Start.PlusNanoseconds(_seq * Timestamp.PerSecond),
            Corrections = corrected.Count == 0 ? [] : [new Correction(
                "s", $"c{_seq}", IsCounted ? CorrectionMode.RerateTogether : CorrectionMode.Rerate, 1, _seq,
                Period.Always)],
            CorrectionResults =
                corrected.Count == 0 ? [] : [new CorrectionResult(LedgerStatus.Done, _seq, corrected, [])],
            Records = records,
            RecordResults = results,
        };
    }

    private string Pick(string prefix, int count) => $"{prefix}{_random.Next(count)}";

    private UsageRecord MakeRecord(int index)
    {
        var meters = new SortedSet<Meter>();
        for (int n = _random.Next(5); n > 0; n--)
        {
            meters.Add(_random.Next(6) switch
            {
                0 => Meter.Image,
                1 => Meter.Second,
                2 => new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheRead),
                3 => new TokenClass(Direction.Output, Modality.Audio, TokenKind.Reasoning),
                4 => TokenClass.InputText,
                _ => TokenClass.OutputText,
            });
        }

        long nanoseconds = (long)(_random.NextDouble() * Span.TotalSeconds) * Timestamp.PerSecond;
        return new UsageRecord
        {
            Id = $"{_seq}-{index}",
            Context = new UsageContext(
                Pick("source", 2), Pick("party", Parties), Project: _random.Next(2) == 0 ? "" : "p1", Key: "",
                Scenario: Pick("scenario", 2), ModelAsked: "asked", ModelAnswered: _random.Next(3) == 0
                    ? "" : Pick("gpt-", 3),
                Provider: Pick("provider", 2)),
            EventTime = Start.PlusNanoseconds(nanoseconds),
            Outcome = (Outcome)_random.Next(3),
            Counts = [.. meters.Select(m => new Count(m, (EvidenceGrade)_random.Next(3), Steps()))],
        };
    }

    private long Steps() => _random.Next(10) switch
    {
        0 => 0,
        1 => UsageRecord.MaxSteps - _random.Next(1000),
        _ => _random.Next(20_000),
    };

    private Rate RateOf(string agreement, int variant)
    {
        if (_rates.TryGetValue((agreement, variant), out Rate? rate) && _random.Next(50) > 0)
        {
            return rate;
        }

        RateMethod method = agreement == "none" ? RateMethod.Suspense
            : agreement.StartsWith("call", StringComparison.Ordinal) ? RateMethod.PerCall
            : agreement.StartsWith("share", StringComparison.Ordinal) ? RateMethod.Share
            : variant == 2 ? RateMethod.Suspense : RateMethod.Prices;
        var prices = new List<MeterPrice>();
        foreach (string name in method == RateMethod.Prices ? (
            string[])["input.text.cache_read", "image", "second", "input", "output"] : [])
        {
            Assert.True(MeterPattern.TryParse(name, out MeterPattern pattern));
            prices.Add(new MeterPrice(pattern, new Amount(7_500 * (1 + variant + name.Length))));
        }

        rate = new Rate
        {
            Agreement = agreement == "none" ? "" : agreement,
            Method = method,
            Side = (Side)(agreement.Length % 3),
            Payer = "payer",
            Payee = "payee",
            Currency = agreement == "none" ? default : Currencies[agreement.Length % 2],
            Book = method == RateMethod.Prices ? "book" : "",
            Version = method == RateMethod.Prices ? 1 + variant : 0,
            Prices = [.. prices],
            PerCall = method == RateMethod.PerCall ? Amount.Parse("0.01") : default,
            ShareOf = method == RateMethod.Share ? "sale" : "",
            SharePpm = method == RateMethod.Share ? 333_333 : 0,
            Reason = method == RateMethod.Suspense ? SuspenseReason.NoModelPrice : SuspenseReason.None,
        };
        return _rates[(agreement, variant)] = rate;
    }

    private UsageResult MakeResult(UsageRecord record)
    {
        var charges = new List<Charge>();
        var postings = new List<Posting>();
        foreach (string agreement in (string[])["sale", "call", "shared", "sales", "none"])
        {
            if (_random.Next(2) == 0)
            {
                charges.Add(MakeCharge(RateOf(agreement, _random.Next(3)), record, postings));
            }
        }

        return new UsageResult(UsageStatus.Posted, UsageRemarks.None, [.. charges], [.. postings]);
    }

    private Charge MakeCharge(Rate rate, UsageRecord record, List<Posting> postings)
    {
        if (rate.Method == RateMethod.Suspense)
        {
            return MakeSuspense(rate, record, postings);
        }

        Count[]? covered = null;
        Int128 amount = rate.Method == RateMethod.PerCall ? rate.PerCall.Pico
            : _random.NextInt64(1_000_000_000_000_000);
        if (rate.Method == RateMethod.Prices)
        {
            covered = record.Counts.Length == 0 || _random.Next(4) > 0 ? null
                : [.. record.Counts.Where(c => c.Steps > 0).Select(c => c with { Steps = 1 + (c.Steps / 3) }).Take(2)];
            amount = 0;
            foreach (Count count in record.Counts)
            {
                long free = (covered ?? []).FirstOrDefault(c => c.Meter == count.Meter).Steps;
                amount += rate.TryGetPrice(count.Meter, out Amount price) ? price.Pico * (count.Steps - free) : 0;
            }
        }

        var account = new AccountName($"a/{rate.Agreement}", rate.Currency);
        postings.Add(new Posting(account, account with { Path = "b" }, new Amount(amount)));
        return new Charge(rate, new Amount(amount), 1, covered);
    }

    private static Charge MakeSuspense(Rate rate, UsageRecord record, List<Posting> postings)
    {
        int before = postings.Count;
        foreach (IGrouping<Currency, Count> unit in record.Counts.Where(c => c.Steps > 0).GroupBy(c =>
            c.Meter.Currency))
        {
            Int128 sum = 0;
            foreach (Count count in unit)
            {
                sum += (Int128)count.Steps * (Amount.PicoPerUnit / count.Meter.StepsPerUnit);
            }

            postings.Add(new Posting(new AccountName("suspense", unit.Key), new AccountName(
                "unrated", unit.Key), new Amount(sum)));
        }

        if (postings.Count == before)
        {
            Currency request = Meter.Request.Currency;
            postings.Add(new Posting(
                new AccountName("suspense", request), new AccountName("unrated", request), Amount.FromUnits(1)));
        }

        return new Charge(rate, default, postings.Count - before);
    }

    private CorrectedRecord Correct((FramePosition Position, UsageRecord Record, Charge[] Charges,
        Posting[] Postings) past)
    {
        var postings = new List<Posting>();
        Charge[] back = [.. past.Charges.Select(charge => charge with { Amount = -charge.Amount })];
        postings.AddRange(past.Postings.Select(posting => new Posting(posting.Credit, posting.Debit, posting.Amount)));
        UsageResult anew = MakeResult(past.Record);
        postings.AddRange(anew.Postings);
        return new CorrectedRecord(
            past.Position, past.Record.Context, past.Record.EventTime, back.Length, [.. back, .. anew.Charges],
                [.. postings]);
    }
}
