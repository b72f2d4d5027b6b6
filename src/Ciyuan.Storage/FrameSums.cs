using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Statistics;
using Ciyuan.Usage;

namespace Ciyuan.Storage;

/// <summary>Plain sums over decoded frames, made in the simplest way, to hold against the statistics.</summary>
internal sealed class FrameSums
{
    /// <summary>By the names of a report's columns.</summary>
    internal Dictionary<string, Int128> Figures { get; } = [];

    internal long Records { get; private set; }

    internal void Add(Frame frame)
    {
        Records += frame.Records.Count;
        for (int i = 0; i < frame.Records.Count; i++)
        {
            if (frame.RecordResults[i].Status == UsageStatus.Posted)
            {
                Add("calls", 1);
                Add("tokens_input", frame.Records[i].Tokens(Direction.Input));
                Add("tokens_output", frame.Records[i].Tokens(Direction.Output));
                Add(frame.RecordResults[i].Charges);
            }
        }

        foreach (CorrectionResult corrected in frame.CorrectionResults)
        {
            foreach (CorrectedRecord single in corrected.Singles)
            {
                Add(single.Charges);
            }

            foreach (GroupCharge charge in corrected.Groups.SelectMany(g => g.Charges))
            {
                Add(charge.Rate, charge.Total);
            }
        }
    }

    internal FrameSums Copy()
    {
        var copy = new FrameSums();
        foreach ((string name, Int128 figure) in Figures)
        {
            copy.Add(name, figure);
        }

        return copy;
    }

    private void Add(Charge[] charges)
    {
        foreach (Charge charge in charges)
        {
            Add(charge.Rate, charge.Amount);
        }
    }

    private void Add(Rate rate, Amount amount)
    {
        if (rate.Method != RateMethod.Suspense)
        {
            string side = rate.Side switch { Side.Income => "income", Side.Cost => "cost", _ => "between" };
            Add($"{side}_{rate.Currency}", amount.Pico);
        }
    }

    private void Add(string name, Int128 figure) => Figures[name] = Figures.GetValueOrDefault(name) + figure;
}

/// <summary>The statistics as they are on disk, to be held against the sums of the same frames.</summary>
internal sealed class FactsUpToSealed : IDisposable
{
    private readonly FactStore _store;
    private FrameSums _expected = new();

    internal FactsUpToSealed(string folder) => _store = FactStore.OpenReadOnly(folder, _ => []);

    /// <summary>Last frame that is in the file.</summary>
    internal long LastSeq => _store.LastSeq;

    internal void Expect(FrameSums sums) => _expected = sums.Copy();

    internal string Check(long last)
    {
        Recovery.RequireTail("stats.db", LastSeq, last);
        Report report = _store.Run(new ReportQuery());
        foreach ((string name, Int128 expected) in _expected.Figures)
        {
            Int128 stored = report.Value(report.Total, name);
            if (stored != expected)
            {
                throw new JournalException(
                    $"stats.db says {name} = {stored} up to frame {LastSeq}, the journal says {expected}; " +
                    "delete stats.db, it is made anew");
            }
        }

        return LastSeq == 0
            ? "nothing in the file yet"
            : $"{_expected.Figures.Count} figures up to frame {LastSeq} equal those of the journal";
    }

    public void Dispose() => _store.Dispose();
}
