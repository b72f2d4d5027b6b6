using System.Globalization;
using System.Numerics;
using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Settlement;

namespace Ciyuan.Tests.Settlement;

/// <summary>Random histories of usage, late records, corrections and every step of settlement: each answer and each
/// claim is predicted by <see cref="ClaimModel"/>, each amount by <see cref="SlowStatements"/>.</summary>
public sealed class SettlementHistoryTests
{
    private const int Steps = 120;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Settle_RandomHistories_IsWhatTheModelPredicts(int third)
    {
        for (int seed = third * 8; seed < (third + 1) * 8; seed++)
        {
            var history = new History(seed);
            try
            {
                history.Run();
            }
            catch (Exception e) // says where, so that it can be run again
            {
                throw new InvalidOperationException($"seed {seed}, step {history.Done}: {e.Message}", e);
            }
        }
    }

    private sealed class History(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly SettlingNetwork _settling = new(
            t => t with { DisputeDays = 10, MinimumPayout = t.Agreement == "buy" ? "0.05" : null }, watched: false);

        private readonly ClaimModel _model = new();
        private DateTime _now = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);

        public int Done { get; private set; }

        public void Run()
        {
            for (; Done < Steps; Done++)
            {
                _now = _now.AddHours(_random.Next(72));
                _settling.Net.Now = Timestamp.FromDateTimeOffset(new DateTimeOffset(_now));
                switch (_random.Next(4))
                {
                    case 0:
                        DateTime time = _now.AddHours(-_random.Next(_random.Next(4) == 0 ? 1_500 : 200));
                        time = time < new DateTime(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc) ? _now : time;
                        _settling.Use(
                            time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                            _random.Next(90_000), _random.Next(40_000), _random.Next(4) == 0 ? "beta" : "acme");
                        break;
                    case 1 when _random.Next(6) == 0:
                        Correct();
                        break;
                    default:
                        Step(SettlingNetwork.Agreements[_random.Next(4)]);
                        break;
                }

                Check();
            }
        }

        private void Correct()
        {
            var correction = new Correction(
                "ops", $"c{Done}", CorrectionMode.Reverse, 1, _settling.Net.Engine.Seq, Period.Always, "sell");
            _settling.Net.Apply(corrections: [correction]);
        }

        private void Step(string agreement)
        {
            string period = _model.PickPeriod(agreement, _random);
            string by = _random.Next(2) == 0 ? "ann" : "bob";
            var side = (AgreementSide)(1 + _random.Next(2));
            string dispute = $"d{_random.Next(3)}";
            var amount = new Amount((Int128)_random.Next(-1, 30) * (Amount.PicoPerUnit / 100));
            (SettlementStatus expected, SettlementResult result) = _random.Next(7) switch
            {
                0 or 1 => (_model.Freeze(agreement, period, _now),
                    _settling.Step(SettlementAction.Freeze, agreement, period)),
                2 or 3 => Split(agreement, period),
                4 => (_model.Sign(agreement, period, by, side), Sign(agreement, period, by, side)),
                5 when _random.Next(2) == 0 => (_model.Resolve(agreement, period, dispute, amount.Pico),
                    _settling.Step(SettlementAction.Resolve, agreement, period,
                        c => c with { Dispute = dispute, Amount = amount })),
                5 => (_model.Dispute(agreement, period, dispute, amount.Pico, _now),
                    _settling.Step(SettlementAction.Dispute, agreement, period,
                        c => c with { Dispute = dispute, Amount = amount, Side = side })),
                _ => (_model.Finish(agreement, period, _now),
                    _settling.Step(SettlementAction.Finish, agreement, period)),
            };
            Assert.True(expected == result.Status, $"{agreement} {period}: {result.Status}, expected {expected}");
        }

        private (SettlementStatus, SettlementResult) Split(string agreement, string period)
        {
            if (_settling.Calendar.Find(agreement, period) is null)
            {
                return (_model.Split(agreement, period, 0, _now), _settling.Step(
                    SettlementAction.Split, agreement, period, c => c with { Statement = [0] }));
            }

            BigInteger exact = agreement == "sellb" // beta has paid before
                ? 0
                : new SlowStatements(_settling.Frames).Of(agreement, period).Values
                    .Aggregate(BigInteger.Zero, (sum, part) => sum + part);
            return (_model.Split(agreement, period, exact, _now), _settling.Split(agreement, period));
        }

        private SettlementResult Sign(string agreement, string period, string by, AgreementSide side) =>
            _settling.Step(SettlementAction.Sign, agreement, period, c => c with
            {
                By = by,
                Side = side,
                Hash = _settling.Calendar.Find(agreement, period)?.Hash ?? "",
            });

        private void Check()
        {
            foreach (string agreement in SettlingNetwork.Agreements)
            {
                string payee = agreement == "buy" ? "qwen/" : "data/";
                (string party, int sign) = agreement switch
                {
                    "sell" => ("acme/", -1),
                    "sellb" => ("beta/", -1),
                    _ => (payee, 1),
                };
                foreach ((string kind, BigInteger claim) in _model.ClaimsOf(agreement))
                {
                    Int128 balance = _settling.Net.Engine.Accounts
                        .FirstOrDefault(a => a.Name.Path == party + kind + "/" + agreement)?.Balance.Pico ?? 0;
                    Assert.True(claim * sign == (BigInteger)balance, $"{party}{kind}/{agreement}: {balance}, {claim}");
                }
            }

            Assert.DoesNotContain(_settling.Net.Engine.Accounts, a =>
                a.Name.Path.StartsWith("ledger/clearing/", StringComparison.Ordinal) && !a.Balance.IsZero);
            Assert.Empty(_settling.Net.Engine.FindBrokenInvariants());
        }
    }
}
