using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Tests.Journal;
using Ciyuan.Tests.Quantities;
using Ciyuan.Tests.Rating;
using Ciyuan.Usage;
using NodaTime;
using static Ciyuan.Tests.Journal.TestNetwork;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Tests.Ledger;

/// <summary>Groups by the rate that each record was found to have (modes 5 and 6) beside the mode 3, which takes such
/// records one by one: on random books with rules, curves, labels, funding and closed times, both must do the
/// same.</summary>
public sealed class ByRatePropertiesTests
{
    private static int Cases => PricePropertiesTests.Cases;

    [Fact]
    [Trait("Takes", "Long")]
    public void Correct_RandomBooksByRate_IsWhatRecordByRecordGives()
    {
        (int grouped, int byFormula, int single) = (0, 0, 0);
        Properties.ForAll(Cases, Properties.Seeds, seed =>
        {
            (TestNetwork slow, TestNetwork fast) = (Recorded(seed), Recorded(seed));
            foreach ((CorrectionMode mode, CorrectionMode byRate) in new[]
            {
                (CorrectionMode.RerateTogether, CorrectionMode.RerateByRate),
                (CorrectionMode.ReverseTogether, CorrectionMode.ReverseByRate),
                (CorrectionMode.RerateTogether, CorrectionMode.RerateByRate),
            })
            {
                CorrectionResult expected = slow.Correct(mode);
                CorrectionResult result = fast.Correct(byRate);
                Assert.Equal((seed, Tell(expected)), (seed, Tell(result)));
                Assert.Equal(expected.Closed, result.Closed);
                Assert.Equal(slow.Balances(), fast.Balances());
                grouped += result.Groups.Sum(g => g.Records) - expected.Groups.Sum(g => g.Records);
                byFormula += result.Groups.Count(
                    g => Array.Exists(g.Charges, c => c.Rate.Method == RateMethod.Formula));
                single += result.Singles.Count;
            }

            Assert.Empty(fast.Correct(CorrectionMode.RerateByRate).Records);
            fast.Compare();
            AssertStatementsAddUp(fast);
        });
        Assert.True(
            grouped > Cases * 5 && byFormula > Cases && single > Cases,
            $"{grouped} records more in groups, {byFormula} groups by formula, {single} alone: too few");
    }

    /// <summary>Records under one random book, not yet rated again under another.</summary>
    private static TestNetwork Recorded(int seed)
    {
        var random = new Random(seed);
        var books = new RandomBooks(seed);
        bool counts = random.Next(4) == 0;
        Setup setup = Counting(books.Setup(), counts);
        TestNetwork net = new TestNetwork { Watched = false, Restarts = false, Now = At("2027-02-01T00:00:00Z") }.SetUp(
            setup with
            {
                Parties = [.. setup.Parties, Party("data", Role.Data)],
                Agreements = [.. setup.Agreements,
                    new("cut", "plat", "data", ShareOf: "sell", SharePercent: "33.3333"),
                    new("batch", "plat", "data", "CNY", PerCall: "0.01", Where: new WhereSetup(
                        Tags: new Dictionary<string, string> { ["tier"] = "batch" }))],
                Funding = random.Next(3) > 0 ? [] : [
                    new FundingSetup("acme", "main", FundingKind.Prepaid, setup.Agreements[0].Currency),
                    .. random.Next(4) > 0 ? (FundingSetup[])[] : [new("acme", "pack", FundingKind.Pack, Classes:
                        ["output.text.fresh"])],
                ],
            });
        Fund(net, random);
        for (int frame = 0; frame < 3; frame++)
        {
            net.Apply(records: [.. Enumerable.Range(frame * 40, 40).Select(books.Record)]);
        }

        // Without a book between them: the versions of one book have one currency.
        Setup other = Counting(new RandomBooks(unchecked(seed + 1)).Setup(), counts);
        BookSetup next = other.Books.First(b => b.Id == "list");
        net.SetUp(new Setup
        {
            Books = [next with { Version = 9, Currency = setup.Books.First(b => b.Id == "list").Currency, On = null }],
            Closings = random.Next(3) == 0 ? [new ClosingSetup("2026-10-12T00:00:00Z", random.Next(2) == 0
                ? "sell" : null)] : null,
        });
        return net;
    }

    /// <summary>A setup, its curves counting over periods or else within a call.</summary>
    private static Setup Counting(Setup setup, bool overPeriods) => overPeriods ? setup : setup with
    {
        Books = [.. setup.Books.Select(book => book with
        {
            Prices = [.. book.Prices.Select(p => p with
            {
                Curves = p.Curves is null ? null : [.. p.Curves.Select(c => c with { Per = "call" })],
            })],
        })],
    };

    private static void Fund(TestNetwork net, Random random)
    {
        foreach (AccountName name in net.Engine.Accounts.Where(a => a.MayOwe is not null).Select(a => a.Name).ToArray())
        {
            string amount = name.Currency == Currency.Tok ? "5000" : random.Next(3) == 0 ? "0.5" : "1000000000";
            net.Deposit(name.Path, amount, name.Currency.ToString());
        }
    }

    private static string Tell(CorrectionResult result) => string.Join("\n", result.Records.Select(r =>
        $"{r.Position} {r.EventTime} {r.Reversed} "
        + string.Join(';', r.Charges.Select(c => $"{c.Rate.GetHashCode()} {c.Amount}")) + " | "
        + string.Join(";", r.Postings.Select(p => $"{p.Debit} {p.Credit} {p.Amount}"))));

    private static void AssertStatementsAddUp(TestNetwork net)
    {
        Frame[] frames = [.. Enumerable.Range(1, net.History.Frames).Select(seq => net.History.ReadFrame(seq))];
        using var store = FactStore.OpenReadOnly(Path.GetTempPath(), _ => frames);
        foreach ((string agreement, string account) in new[]
            { ("sell", "plat/revenue/sell"), ("cut", "data/payable/cut"), ("batch", "data/payable/batch") })
        {
            Statement statement = store.RunStatement(new StatementQuery(agreement, Period.Always, DateTimeZone.Utc));
            AccountView? balance = net.Engine.Accounts.SingleOrDefault(a => a.Name.Path == account);
            Assert.Equal(balance?.Balance.ToString() ?? "0", statement.Exact.ToString());
        }
    }
}
