using System.IO.Hashing;
using System.Text;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Tests.Journal;
using Ciyuan.Tests.Quantities;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Ledger;

/// <summary>Groups of ledger operations: docs/LEDGER.md, "Holds" and "Groups and their outcomes".</summary>
public sealed class GroupTests
{
    private static readonly Timestamp Later = At("2026-12-01T00:00:00Z");

    /// <summary>acme: prepaid 10, a voucher of 5 that ends first and is drawn first, an empty credit of 3; one hold
    /// "h" of
    /// 2 on the voucher; a group "paid" of 1 from prepaid to revenue, a group "reversed", and one that was
    /// refused.</summary>
    private static TestNetwork Ready()
    {
        TestNetwork net = Usual(
            new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"),
            new FundingSetup("acme", "gift", FundingKind.Voucher, "CNY", Priority: 1, Expires: "2026-11-20T00:00:00Z"),
            new FundingSetup("acme", "line", FundingKind.Credit, "CNY", Priority: 200, Limit: "3"),
            new FundingSetup("acme", "old", FundingKind.Voucher, "CNY", Priority: 1, Expires: "2026-10-01T00:00:00Z"));
        net.Deposit("acme/prepaid/main", "10").Deposit("acme/voucher/gift", "5");
        net.Post(Hold("h", "2"));
        net.Use(Record("u", party: "nobody"));
        net.Group("paid", Move("acme/prepaid/main", "plat/revenue/sell", "1"));
        net.Group("reversed", Move("acme/prepaid/main", "plat/revenue/sell", "1"));
        net.Group("undo", new ReverseGroup("reversed"));
        net.Group("drained", Move("acme/cash/in", "acme/prepaid/main", "4"));
        net.Group("refused", Move("acme/prepaid/main", "plat/revenue/sell", "1000"));
        return net;
    }

    private static PostTransfer Move(string debit, string credit, string amount, string currency = "CNY") =>
        new(debit, credit, Currency.Parse(currency), Amount.Parse(amount));

    private static PlaceHold Hold(string id, string amount, string party = "acme", string currency = "CNY",
        string expires = "2026-12-01T00:00:00Z") =>
        new(id, party, Currency.Parse(currency), Amount.Parse(amount), At(expires));

    private static SettleHold Settle(string id, string amount, string overrun = "0",
        string credit = "plat/revenue/sell") =>
        new(id, credit, Amount.Parse(amount), Amount.Parse(overrun));

    private static readonly string TooLong = new('x', 257);

    [Fact]
    public void Fingerprint_OfAnyGroup_IsThatOfWhatItsPartsSay() => Properties.ForAll(Properties.Seeds, seed =>
    {
        var random = new Random(seed);
        string Text() => string.Concat(
            Enumerable.Range(0, random.Next(4) * random.Next(200)).Select(_ => (char)random.Next(0x10000)));
        Amount Some() => new(new Int128((ulong)random.NextInt64() >> 28, (ulong)random.NextInt64())
            * random.Next(-1, 2));
        Currency currency = random.Next(2) == 0 ? Currency.Parse("CNY") : default;
        LedgerOperation[] operations =
        [
            .. Enumerable.Range(0, random.Next(6)).Select(_ => (LedgerOperation)(random.Next(5) switch
            {
                0 => new PostTransfer(Text(), Text(), currency, Some()),
                1 => new PlaceHold(Text(), Text(), currency, Some(), new Timestamp(random.NextInt64())),
                2 => new SettleHold(Text(), Text(), Some(), Some()),
                3 => new ReleaseHold(Text()),
                _ => new ReverseGroup(Text()),
            })),
        ];
        var group = new LedgerGroup("s", "id", new Timestamp(-random.NextInt64()), operations, Text());
        string text = string.Join(
            '|', [$"{group.EventTime.UnixNanoseconds}", group.Memo, .. operations.Select(o => o.ToString())]);

        Assert.Equal(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(text)), group.Fingerprint());
    });

    public static TheoryData<LedgerOperation, LedgerStatus> Operations => new()
    {
        // Transfers, in the order of the checks.
        { Move("acme/prepaid/main", "plat/revenue/sell", "1"), LedgerStatus.Done },
        { Move("plat/cash/bank", "acme/prepaid/main", "1"), LedgerStatus.Done },
        { Move("acme/receivable/new", "acme/payable/new", "1", "USD"), LedgerStatus.Done },
        { Move("acme/credit/line", "plat/revenue/sell", "3"), LedgerStatus.Done },
        { Move("", "plat/revenue/sell", "1"), LedgerStatus.Malformed },
        { Move("acme/prepaid/main", TooLong, "1"), LedgerStatus.Malformed },
        { new PostTransfer("acme/prepaid/main", "plat/revenue/sell", default, Amount.Parse("1")),
            LedgerStatus.Malformed },
        { Move("nobody/cash/x", "nobody/cash/x", "0"), LedgerStatus.AmountOutOfRange },
        { Move("acme/prepaid/main", "plat/revenue/sell", "-1"), LedgerStatus.AmountOutOfRange },
        { Move("plat/cash/bank", "acme/prepaid/main", "1000000000000000.000000000001"), LedgerStatus.AmountOutOfRange },
        { Move("nobody/cash/x", "ledger/suspense/income", "1"), LedgerStatus.AccountNotFound },
        { Move("acme/prepaid/other", "plat/revenue/sell", "1"), LedgerStatus.AccountNotFound },
        { Move("acme/prepaid/main", "plat/revenue/sell", "1", "USD"), LedgerStatus.AccountNotFound },
        { Move("acme/cash/Upper", "plat/cash/bank", "1"), LedgerStatus.AccountNotFound },
        { Move("acme/cash/a/b", "plat/cash/bank", "1"), LedgerStatus.AccountNotFound },
        { Move("acme/breakage/x", "plat/cash/bank", "1"), LedgerStatus.AccountNotFound },
        { Move("ledger/suspense/income", "ledger/suspense/income", "1", "TOK"), LedgerStatus.AccountsAreSame },
        { Move("acme/voucher/old", "acme/voucher/old", "1"), LedgerStatus.AccountsAreSame },
        { Move("ledger/suspense/income", "ledger/unrated/income", "1", "TOK"), LedgerStatus.AccountIsKept },
        { Move("acme/voucher/old", "plat/revenue/sell", "1"), LedgerStatus.AccountExpired },
        { Move("plat/cash/bank", "acme/voucher/old", "1"), LedgerStatus.AccountExpired },
        { Move("acme/prepaid/main", "plat/revenue/sell", "13.000000000001"), LedgerStatus.InsufficientFunds },
        { Move("acme/voucher/gift", "plat/revenue/sell", "3.000000000001"), LedgerStatus.InsufficientFunds },
        { Move("acme/credit/line", "plat/revenue/sell", "3.000000000001"), LedgerStatus.InsufficientFunds },

        // Holds.
        { Hold("new", "19"), LedgerStatus.Done },
        { Hold("open", "1", "qwen"), LedgerStatus.Done },
        { Hold("open", "1", "acme", "USD"), LedgerStatus.Done },
        { Hold("", "1"), LedgerStatus.Malformed },
        { Hold(TooLong, "0"), LedgerStatus.Malformed },
        { Hold("h", "0", "nobody"), LedgerStatus.AmountOutOfRange },
        { Hold("h", "1", "nobody", expires: "2026-01-01T00:00:00Z"), LedgerStatus.PartyNotFound },
        { Hold("h", "1", expires: "2026-01-01T00:00:00Z"), LedgerStatus.HoldExpiresTooSoon },
        { Hold("h", "1000"), LedgerStatus.HoldExists },
        { Hold("new", "19.000000000001"), LedgerStatus.InsufficientFunds },
        { Settle("h", "2"), LedgerStatus.Done },
        { Settle("h", "0"), LedgerStatus.Done },
        { Settle("h", "3", "1"), LedgerStatus.Done },
        { Settle("h", "1", credit: ""), LedgerStatus.Malformed },
        { Settle("none", "-1"), LedgerStatus.AmountOutOfRange },
        { Settle("none", "1", "-1"), LedgerStatus.AmountOutOfRange },
        { Settle("h", "1", credit: "nobody/revenue/x"), LedgerStatus.AccountNotFound },
        { Settle("h", "1", credit: "acme/voucher/gift"), LedgerStatus.AccountsAreSame },
        { Settle("h", "3", "1", credit: "acme/voucher/gift"), LedgerStatus.AccountsAreSame },
        { Settle("h", "100", "98", credit: "acme/overrun/all"), LedgerStatus.AccountsAreSame },
        { Settle("none", "1", credit: "ledger/unrated/income"), LedgerStatus.AccountIsKept },
        { Settle("h", "1", credit: "acme/voucher/old"), LedgerStatus.AccountExpired },
        { Settle("none", "1"), LedgerStatus.HoldNotOpen },
        { Settle("h", "2.000000000001"), LedgerStatus.ExceedsHold },
        { Settle("h", "3.000000000001", "1"), LedgerStatus.ExceedsHold },
        { new ReleaseHold("h"), LedgerStatus.Done },
        { new ReleaseHold("none"), LedgerStatus.HoldNotOpen },
        { new ReleaseHold(""), LedgerStatus.Malformed },

        // Reversals.
        { new ReverseGroup("paid"), LedgerStatus.Done },
        { new ReverseGroup("undo"), LedgerStatus.Done },
        { new ReverseGroup("none"), LedgerStatus.GroupNotFound },
        { new ReverseGroup("refused"), LedgerStatus.GroupNotFound },
        { new ReverseGroup("reversed"), LedgerStatus.AlreadyReversed },
        { new ReverseGroup(""), LedgerStatus.Malformed },
    };

    [Fact]
    public void Settle_AboveTheHold_LeavesFundingForModelsAlone()
    {
        TestNetwork net = Usual(
            new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"),
            new FundingSetup("acme", "gift", FundingKind.Voucher, "CNY", Priority: 1, Models: ["m1"]));
        net.Deposit("acme/prepaid/main", "3").Deposit("acme/voucher/gift", "5");
        Assert.Equal(LedgerStatus.Done, net.Post(Hold("h", "2")));
        Assert.Equal(LedgerStatus.Done, net.Post(Settle("h", "4", "2")));
        Assert.Equal(("5", "0", "-1"), (net.Balance("acme/voucher/gift"), net.Balance("acme/prepaid/main"),
            net.Balance("acme/overrun/all")));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Post_OneOperation_HasTheFirstStatusThatApplies(LedgerOperation operation, LedgerStatus expected)
    {
        TestNetwork net = Ready();
        string before = net.Balances();
        Assert.Equal(expected, net.Post(operation));
        if (expected != LedgerStatus.Done)
        {
            Assert.Equal(before, net.Balances());
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Post_OperationAfterOthers_IsAllOrNothing(LedgerOperation operation, LedgerStatus expected)
    {
        TestNetwork net = Ready();
        var before = net.Engine.Accounts;
        GroupReply reply = net.Group(
            "both", Move("plat/cash/bank", "qwen/payable/fresh", "1", "USD"), Hold("other", "0.5"),
                new ReleaseHold("other"), operation);
        Assert.Equal(expected, reply.Status);
        if (expected != LedgerStatus.Done)
        {
            Assert.Equal(expected == LedgerStatus.Malformed ? -1 : 3, reply.FailedOperation);
            Assert.Equal(before, net.Engine.Accounts);
        }
        else
        {
            Assert.Equal("1", net.Balance("qwen/payable/fresh", "USD"));
        }
    }

    [Fact]
    public void Group_IdMissingOrNoOrTooManyOperations_IsMalformedAndNotRemembered()
    {
        TestNetwork net = Ready();
        long seq = net.Engine.Seq;
        Assert.Equal(LedgerStatus.Malformed, net.Group("").Status);
        Assert.Equal(LedgerStatus.Malformed, net.Group("x").Status);
        Assert.Equal(LedgerStatus.Malformed, net.Group("x", [.. Enumerable.Repeat(new ReleaseHold("n"), 257)]).Status);
        Assert.Equal(LedgerStatus.Malformed, net.Group(TooLong, new ReleaseHold("n")).Status);
        Assert.Equal(seq, net.Engine.Seq);
        Assert.Equal(LedgerStatus.Done, net.Group("x", Move("plat/cash/a", "plat/cash/b", "1")).Status);
    }

    [Fact]
    public void Group_SentAgain_ExistsWithItsFirstOutcomeForGood()
    {
        TestNetwork net = Ready();
        LedgerOperation draw = Move("acme/prepaid/main", "plat/revenue/sell", "1000");
        GroupReply again = net.Group("refused", draw);
        Assert.Equal((LedgerStatus.Exists, LedgerStatus.InsufficientFunds), (again.Status, again.Earlier));
        net.Deposit("acme/prepaid/main", "5000");
        Assert.Equal(LedgerStatus.Exists, net.Group("refused", draw).Status);
        Assert.Equal(LedgerStatus.Conflict, net.Group("refused", Move("acme/prepaid/main", "plat/revenue/sell", "1"))
            .Status);
        GroupReply paid = net.Group("paid", Move("acme/prepaid/main", "plat/revenue/sell", "1"));
        Assert.Equal((LedgerStatus.Exists, LedgerStatus.Done), (paid.Status, paid.Earlier));
    }

    [Fact]
    public void Hold_EndsOnce_AndItsIdIsNeverFreeAgain()
    {
        TestNetwork net = Ready();
        Assert.Equal(LedgerStatus.Done, net.Post(Settle("h", "0.5")));
        Assert.Equal(("4.5", "13"), (net.Balance("acme/voucher/gift"), net.Balance("acme/prepaid/main")));
        Assert.Equal(LedgerStatus.HoldNotOpen, net.Post(Settle("h", "0.5")));
        Assert.Equal(LedgerStatus.HoldNotOpen, net.Post(new ReleaseHold("h")));
        Assert.Equal(LedgerStatus.HoldExists, net.Post(Hold("h", "1")));
    }

    [Fact]
    public void Hold_PastItsEnd_IsReleasedByTheNextFrame()
    {
        TestNetwork net = Ready();
        net.Now = Later.PlusNanoseconds(-1);
        net.Post(Move("plat/cash/a", "plat/cash/b", "1"));
        Assert.Single(net.Engine.Accounts, a => !a.DebitsPending.IsZero);
        net.Now = Later;
        Assert.Equal(LedgerStatus.HoldNotOpen, net.Post(new ReleaseHold("h")));
        Assert.DoesNotContain(net.Engine.Accounts, a => !a.DebitsPending.IsZero);
        Assert.Contains(net.History.ReadFrame(net.Engine.Seq).Expiries, e => e.Hold != 0);
    }

    [Fact]
    public void Settle_WithOverrun_DrawsHoldThenFundingThenOverrun()
    {
        TestNetwork net = Ready();
        Assert.Equal(LedgerStatus.Done, net.Post(Settle("h", "30", "28")));
        Assert.Equal("0 0 -3 -9 31", string.Join(' ', net.Balance("acme/voucher/gift"),
            net.Balance("acme/prepaid/main"),
            net.Balance("acme/credit/line"), net.Balance("acme/overrun/all"), net.Balance("plat/revenue/sell")));
    }

    [Fact]
    public void Hold_OverSeveralAccounts_ReservesInTheOrderOfDrawing()
    {
        TestNetwork net = Ready();
        Assert.Equal(LedgerStatus.Done, net.Post(Hold("big", "17")));
        Assert.Equal("acme/credit/line 1,acme/prepaid/main 13,acme/voucher/gift 5", string.Join(
            ',', net.Engine.Accounts.Where(a => !a.DebitsPending.IsZero).Select(a =>
                $"{a.Name.Path} {a.DebitsPending}")));
        Assert.Equal(LedgerStatus.Done, net.Post(new ReleaseHold("big")));
    }

    [Fact]
    public void Reverse_MoneyThatIsGone_IsRefusedWhole()
    {
        TestNetwork net = Ready();
        net.Post(Move("acme/prepaid/main", "plat/revenue/sell", "12"));
        Assert.Equal(LedgerStatus.InsufficientFunds, net.Post(new ReverseGroup("drained")));
        net.Deposit("acme/prepaid/main", "3");
        Assert.Equal(LedgerStatus.Done, net.Post(new ReverseGroup("drained")));
        Assert.Equal("0", net.Balance("acme/prepaid/main"));
        Assert.Equal("0", net.Balance("acme/cash/in"));
    }

    [Fact]
    public void Reverse_TwiceInOneGroup_IsRefusedWhole()
    {
        TestNetwork net = Ready();
        Assert.Equal(LedgerStatus.AlreadyReversed, net.Post(new ReverseGroup("paid"), new ReverseGroup("paid")));
        Assert.Equal(LedgerStatus.Done, net.Post(new ReverseGroup("paid")));
    }

    [Fact]
    public void Funding_PastItsEnd_GoesToBreakage()
    {
        TestNetwork net = Ready();
        net.Post(new ReleaseHold("h"));
        net.Now = At("2026-11-20T00:00:00Z");
        net.Post(Move("plat/cash/a", "plat/cash/b", "1"));
        Assert.Equal(("0", "5"), (net.Balance("acme/voucher/gift"), net.Balance("ledger/breakage/acme.gift")));
    }

    [Fact]
    public void Setup_FundingTwiceWithOtherTerms_IsRefused()
    {
        TestNetwork net = Ready();
        var first = new FundingSetup("acme", "two", FundingKind.Credit, "CNY", Limit: "1");
        net.SetUp(new Setup { Funding = [first, first with { Limit = "2" }] }, SetupStatus.Refused);
        net.SetUp(new Setup { Funding = [first, first with { Currency = "USD" }] }, SetupStatus.Refused);
        net.SetUp(new Setup { Funding = [first, first] });
        net.SetUp(new Setup { Funding = [first] }, SetupStatus.Exists);
        net.SetUp(new Setup { Funding = [first with { Limit = "3" }] }, SetupStatus.Refused);
    }
}
