using System.Globalization;
using System.Numerics;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Simulation;

/// <summary>Random histories, each answer and each balance predicted by <see cref="LedgerModel"/>.</summary>
public sealed class SimulationTests
{
    private const int Steps = 300;

    private static readonly UsageContexts Contexts = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Takes", "Long")]
    public void Apply_RandomHistories_IsWhatTheModelPredicts(int quarter)
    {
        for (int seed = quarter * 10; seed < (quarter + 1) * 10; seed++)
        {
            new History(seed).Run();
        }
    }

    private sealed class History(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly LedgerModel _model = new();
        private readonly TestNetwork _net = new() { Watched = false };
        private readonly List<SimulatedUsage> _sent = [];
        private readonly Dictionary<(AccountName, bool), BigInteger> _posted = [];
        private long _clock;
        private int _ids;

        public void Run()
        {
            _model.Begin(0);
            _model.Effect = true;
            Assert.Equal(SetupStatus.Done, _net.Apply(setups: [Network()]).Setups[0].Status);
            _model.End();
            for (int step = 0; step < Steps; step++)
            {
                try
                {
                    Step();
                }
                catch (Exception e) // says where, so that it can be run again
                {
                    throw new InvalidOperationException($"seed {seed}, step {step}: {e.Message}", e);
                }
            }

            _net.Compare();
            Assert.Equal(_posted.OrderBy(p => p.Key.Item1.ToString(), StringComparer.Ordinal).GroupBy(p => p.Key.Item1)
                    .Select(g => (g.Key, g.Aggregate(BigInteger.Zero, (s, p) => p.Key.Item2
                        ? s - p.Value : s + p.Value))).Where(p => !p.Item2.IsZero),
                _net.Engine.Accounts.Where(a => !a.Balance.IsZero).OrderBy(a => a.Name.ToString(),
                    StringComparer.Ordinal)
                    .Select(a => (a.Name, (BigInteger)a.Balance.Pico)));
        }

        private void Step()
        {
            _clock += _random.Next(8) == 0 ? -_random.Next(5) : _random.Next(7);
            _net.Now = Start.PlusNanoseconds(_clock);
            bool upgrade = _model.Version < 3 && _random.Next(100) == 0;
            bool correct = _random.Next(60) == 0;
            (bool anew, bool together) = (_random.Next(4) > 0, _random.Next(4) > 0);
            (string Id, SimulatedOperation[] Operations)[] groups = [.. Enumerable.Range(0, _random.Next(3))
                .Select(_ => MakeGroup())];
            SimulatedUsage[] usage = [.. Enumerable.Range(0, _random.Next(5)).Select(_ => MakeUsage())];

            _model.Begin(_clock);
            if (upgrade)
            {
                _model.Version++;
                _model.Effect = true;
            }

            LedgerStatus[] statuses = [.. groups.Select(g => _model.Group(g.Id, g.Operations))];
            int changed = correct ? _model.Correct(anew, together) : 0;
            (UsageStatus, UsageRemarks)[] replies = [.. usage.Select(_model.Use)];
            _model.End();

            Applied applied = _net.Apply(
                upgrade ? [new Setup { Books = [ListBook(_model.Version)] }] : [],
                [.. groups.Select(g => new LedgerGroup("gw", g.Id, Start, [.. g.Operations.Select(ToOperation)]))],
                correct ? [new Correction("ops", $"c{_ids++}", ModeOf(anew, together, _ids % 2 == 0), 1,
                    _net.Engine.Seq, Period.Always)] : [],
                [.. usage.Select(ToRecord)]);

            Assert.Equal(statuses, applied.Groups.Select(g => g.Status));
            Assert.Equal(replies.Select(r => r.Item1), applied.Records.Select(r => r.Status));
            Assert.Equal(
                replies.Where(r => r.Item1 == UsageStatus.Posted).Select(r => r.Item2),
                applied.Records.Where(r => r.Status == UsageStatus.Posted).Select(r => r.Remarks));
            Assert.Equal(_model.Effect, applied.Frame is not null);
            if (correct)
            {
                Assert.Equal(changed, applied.Corrections[0].Count);
            }

            Check(applied);
        }

        private void Check(Applied applied)
        {
            IReadOnlyList<AccountView> accounts = _net.Engine.Accounts;
            Assert.Equal(_model.Balances(), string.Join(
                '\n', accounts.Where(a => !a.Balance.IsZero).Select(a => $"{a.Name} {a.Balance.Pico}")));
            Assert.Equal(_model.Pending(), string.Join(
                '\n', accounts.Where(a => !a.DebitsPending.IsZero).Select(a =>
                    $"{a.Name.Path} {a.DebitsPending.Pico}")));
            Assert.Empty(_net.Engine.FindBrokenInvariants());
            Assert.DoesNotContain(accounts, a => a.Available is { IsNegative: true });
            Assert.All(accounts.GroupBy(a => a.Name.Currency), g => Assert.Equal(Int128.Zero,
                g.Aggregate(Int128.Zero, (s, a) => s + a.Balance.Pico)));
            if (applied.Frame is not null)
            {
                AddPostings(_net.History.ReadFrame(applied.Frame.Seq));
            }

            if (_random.Next(30) == 0)
            {
                _net.Compare(); // and restart
            }
        }

        private void AddPostings(Frame frame)
        {
            foreach (Posting posting in frame.Expiries.SelectMany(e => e.Postings)
                .Concat(frame.GroupResults.SelectMany(g => g.Postings))
                .Concat(frame.CorrectionResults.SelectMany(c => c.Singles).SelectMany(r => r.Postings))
                .Concat(frame.CorrectionResults.SelectMany(c => c.Groups).SelectMany(g => g.Postings()))
                .Concat(frame.RecordResults.SelectMany(r => r.Postings)))
            {
                Assert.True(posting.Amount > Amount.Zero && posting.Debit != posting.Credit
                    && posting.Debit.Currency == posting.Credit.Currency);
                _posted[(posting.Debit, true)] = _posted.GetValueOrDefault((posting.Debit, true)) + posting.Amount.Pico;
                _posted[(posting.Credit, false)] = _posted.GetValueOrDefault((posting.Credit,
                    false)) + posting.Amount.Pico;
            }
        }

        private (string Id, SimulatedOperation[] Operations) MakeGroup()
        {
            string id = $"g{(_ids > 0 && _random.Next(6) == 0 ? _random.Next(_ids) : _ids++)}";
            return (id, [.. Enumerable.Range(0, 1 + (_random.Next(4) == 0 ? _random.Next(3) : 0)).Select(_ =>
                MakeOperation())]);
        }

        private SimulatedOperation MakeOperation()
        {
            string hold = $"h{_random.Next(40)}";
            long amount = _random.NextInt64(-1, 3_000_000_000_000 >> _random.Next(0, 8));
            return _random.Next(9) switch
            {
                0 => new("move", From: "acme/cash/bank", To: "acme/prepaid/main", Amount: amount),
                1 => new("move", From: "plat/adjustment/gift", To: "acme/voucher/gift", Amount: amount),
                2 => new("move", From: "plat/adjustment/gift", To: "acme/pack/tokens", Currency: "TOK",
                    Amount: amount * 300),
                3 => new("move", From: Pick("acme/prepaid/main", "acme/voucher/gift", "acme/credit/line"),
                    To: Pick("acme/cash/bank", "acme/prepaid/main"), Amount: amount),
                4 or 5 => new("hold", hold, To: Pick("acme", "acme", "beta"), Amount: amount,
                    End: _clock + _random.Next(-1, 60)),
                6 => new("settle", hold, To: "plat/revenue/hand", Amount: amount, Overrun: Pick(0, 0, amount > 0
                    ? amount : 0)),
                7 => new("release", hold),
                _ => new("reverse", $"g{_random.Next(_ids + 1)}"),
            };
        }

        private SimulatedUsage MakeUsage()
        {
            if (_sent.Count > 0 && _random.Next(5) == 0)
            {
                SimulatedUsage old = Pick([.. _sent]);
                return _random.Next(3) == 0 ? old with { Input = old.Input + _random.Next(2) } : old;
            }

            var made = new SimulatedUsage(
                $"u{_sent.Count}", Pick("acme", "acme", "acme", "beta", "ghost"), Pick("m1", "m1", "m1", "z"),
                _random.Next(0, 60_000) * _random.Next(2), _random.Next(0, 9_000) * _random.Next(2),
                _random.Next(3) == 0 ? $"h{_random.Next(40)}" : "", _random.Next(12) == 0,
                _random.Next(3) == 0, _random.Next(3) == 0);
            _sent.Add(made);
            return made;
        }

        private T Pick<T>(params T[] from) => from[_random.Next(from.Length)];
    }

    private static CorrectionMode ModeOf(bool anew, bool together, bool byRate) => (anew, together) switch
    {
        (true, true) => byRate ? CorrectionMode.RerateByRate : CorrectionMode.RerateTogether,
        (true, false) => CorrectionMode.Rerate,
        (false, true) => byRate ? CorrectionMode.ReverseByRate : CorrectionMode.ReverseTogether,
        _ => CorrectionMode.Reverse,
    };

    private static BookSetup ListBook(int version) => new(
        "list", version, "CNY", "", "", "", [Price("m1", ("input", Million(LedgerModel.List[version - 1].Input)),
            ("output", Million(LedgerModel.List[version - 1].Output)))]);

    private static PriceSetup CostLine() => new(
        "*", new Dictionary<string, string> { ["input"] = Million(3) },
        Rules:
        [
            new("long", new WhenSetup(InputOver: LedgerModel.CostLong), Input(4)),
            new("peak", new WhenSetup(Times: ["09:00-12:00"]), Input(6)),
        ],
        Curves: [new("output", ["output"], "graduated", "month",
            [new StepSetup(Million(5), LedgerModel.CostStep), new StepSetup(Million(2))])]);

    private static Dictionary<string, string> Input(long pico) => new() { ["input"] = Million(pico) };

    private static string Million(long pico) => (pico / 1_000_000m).ToString(CultureInfo.InvariantCulture);

    private static Setup Network() => new()
    {
        Parties = [Party("plat", Role.Platform), Party("acme", Role.Consumer), Party("beta", Role.Consumer),
            Party("qwen", Role.Provider), Party("data", Role.Data)],
        Books = [ListBook(1), new("cost", 1, "CNY", "", "", "", [CostLine()], "Asia/Shanghai")],
        Agreements =
        [
            new("sell", "acme", "plat", Book: "list"), new("sellb", "beta", "plat", "CNY", PerCall: "0.010000000001"),
            new("buy", "plat", "qwen", Book: "cost"),
            new("cut", "plat", "data", ShareOf: "sell", SharePercent: "10", Where: new WhereSetup(Party: "acme")),
        ],
        Funding =
        [
            new("acme", "line", FundingKind.Credit, "CNY", Priority: 200, Limit: "2"), new("acme", "main",
                FundingKind.Prepaid, "CNY"),
            new("acme", "gift", FundingKind.Voucher, "CNY", Priority: 0, Expires: "2026-11-01T00:00:00.0000005Z"),
            new("acme", "tokens", FundingKind.Pack, Expires: "2026-11-01T00:00:00.0000007Z"),
        ],
    };

    private static LedgerOperation ToOperation(SimulatedOperation o)
    {
        var amount = new Amount(o.Amount);
        return o.Kind switch
        {
            "move" => new PostTransfer(o.From, o.To, Currency.Parse(o.Currency), amount),
            "hold" => new PlaceHold(o.Id, o.To, Currency.Cny, amount, Start.PlusNanoseconds(o.End)),
            "settle" => new SettleHold(o.Id, o.To, amount, new Amount(o.Overrun)),
            "release" => new ReleaseHold(o.Id),
            _ => new ReverseGroup(o.Id),
        };
    }

    private static UsageRecord ToRecord(SimulatedUsage usage) => new()
    {
        Id = usage.Id,
        Context = Contexts.Intern(new UsageContext("gw", usage.Party, ModelAnswered: usage.Model, Provider: "qwen")),
        EventTime = Start.PlusNanoseconds(
            ((usage.AtPeak ? 2 : 0) - (usage.LastMonth ? 24 : 0)) * 3_600 * Timestamp.PerSecond),
        Outcome = usage.Failed ? Outcome.Failed : Outcome.Ok,
        Counts =
        [
            new Count(TokenClass.InputText, EvidenceGrade.Reported, usage.Input), new Count(TokenClass.OutputText,
                EvidenceGrade.Reported, usage.Output),
        ],
        Hold = usage.Hold,
    };
}
