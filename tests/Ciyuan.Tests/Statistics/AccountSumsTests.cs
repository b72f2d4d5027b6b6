using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Xunit;

namespace Ciyuan.Tests.Statistics;

public sealed class AccountSumsTests
{
    private static readonly Frame[] Frames = [.. new SyntheticFrames(9).Make(6, 50)];

    [Theory]
    [InlineData(TimeBasis.Recorded)]
    [InlineData(TimeBasis.Event)]
    public void At_TheEndOfTime_HasEveryPosting(TimeBasis basis)
    {
        IReadOnlyDictionary<AccountName, AccountTotals> sums = AccountSums.At(Frames, Timestamp.MaxValue, basis);

        Int128 posted = Frames.SelectMany(frame => frame.RecordResults.SelectMany(result => result.Postings)
                .Concat(frame.CorrectionResults.SelectMany(r => r.Records).SelectMany(record => record.Postings)))
            .Aggregate(default(Int128), (sum, posting) => sum + posting.Amount.Pico);
        Assert.Equal(posted, sums.Values.Aggregate(default(Int128), (sum, totals) => sum + totals.Debits.Pico));
        Assert.Equal(posted, sums.Values.Aggregate(default(Int128), (sum, totals) => sum + totals.Credits.Pico));
        foreach (IGrouping<Currency, AccountTotals> currency in sums.GroupBy(pair => pair.Key.Currency, pair =>
            pair.Value))
        {
            Assert.Equal(Amount.Zero, currency.Aggregate(Amount.Zero, (sum, totals) => sum + totals.Balance));
        }
    }

    [Fact]
    public void At_TheTimeOfAFrame_IncludesThatFrameAndNoneAfterIt()
    {
        Frame third = Frames[2];

        Assert.Equal(
            Print(AccountSums.At(Frames.Take(3), Timestamp.MaxValue, TimeBasis.Recorded)),
            Print(AccountSums.At(Frames, third.Time, TimeBasis.Recorded)));
        Assert.Equal(
            Print(AccountSums.At(Frames.Take(2), Timestamp.MaxValue, TimeBasis.Recorded)),
            Print(AccountSums.At(Frames, third.Time.PlusNanoseconds(-1), TimeBasis.Recorded)));
    }

    [Fact]
    public void At_AnEventTime_TakesALateGroupWhereItHappened()
    {
        var a = new AccountName("a", Currency.Cny);
        var b = new AccountName("b", Currency.Cny);
        var group = new LedgerGroup("s", "1", new Timestamp(10), []);
        var frame = new Frame
        {
            Shard = 0,
            Seq = 1,
            Time = new Timestamp(100),
            Groups = [group],
            GroupResults = [new GroupResult(LedgerStatus.Done, -1, [new Posting(a, b, Amount.FromUnits(3))])],
            Expiries = [new Expiry(0, a, [new Posting(b, a, Amount.FromUnits(1))])],
        };

        Assert.Equal(Amount.FromUnits(3), AccountSums.At([frame], new Timestamp(10), TimeBasis.Event)[b].Balance);
        Assert.Equal(Amount.FromUnits(2), AccountSums.At([frame], new Timestamp(100), TimeBasis.Event)[b].Balance);
        Assert.Empty(AccountSums.At([frame], new Timestamp(99), TimeBasis.Recorded));
    }

    private static string[] Print(IReadOnlyDictionary<AccountName, AccountTotals> sums) =>
        [.. sums.Select(pair => $"{pair.Key} {pair.Value}").Order(StringComparer.Ordinal)];
}
