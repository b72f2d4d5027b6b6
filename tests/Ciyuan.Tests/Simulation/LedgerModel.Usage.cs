using System.Numerics;
using Ciyuan.Ledger;

namespace Ciyuan.Tests.Simulation;

/// <summary>A record as the simulation makes it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Party">Who used.</param>
/// <param name="Model">The model.</param>
/// <param name="Input">Tokens into it.</param>
/// <param name="Output">Tokens out of it.</param>
/// <param name="Hold">The hold that it names; empty: none.</param>
/// <param name="Failed">Whether the call failed.</param>
/// <param name="LastMonth">Whether it was in the month before.</param>
/// <param name="AtPeak">Whether it was in the hours of the peak.</param>
internal sealed record SimulatedUsage(string Id, string Party, string Model, long Input, long Output, string Hold,
    bool Failed, bool LastMonth, bool AtPeak);

/// <summary>A ledger operation as the simulation makes it; amounts in pico.</summary>
internal sealed record SimulatedOperation(
    string Kind, string Id = "", string From = "", string To = "", string Currency = "CNY", long Amount = 0,
        long Overrun = 0, long End = 0);

/// <content>Usage: what it charges, who pays from what, and corrections.</content>
internal sealed partial class LedgerModel
{
    /// <summary>What the cost of output goes down to beyond <see cref="CostStep"/> tokens of a month.</summary>
    public const long CostStep = 100_000;

    /// <summary>Above so many tokens the input of a call costs 4.</summary>
    public const long CostLong = 30_000;

    private readonly Dictionary<bool, BigInteger> _output = [];

    /// <summary>Prices in pico per token of the versions 1, 2, 3 of the list: input, output. The cost of input is 3, of
    /// long input 4, else at the peak 6; of output 5, and 2 beyond so many of a month.</summary>
    public static readonly (long Input, long Output)[] List = [(7_000_001, 20_000_003), (9_000_007, 1), (5,
        30_000_000)];

    public (UsageStatus Status, UsageRemarks Remarks) Use(SimulatedUsage usage)
    {
        string content = usage.ToString();
        if (_usage.TryGetValue(usage.Id, out string? known))
        {
            if (known == content)
            {
                return (UsageStatus.Exists, UsageRemarks.None);
            }

            bool first = _conflicts.Add(content);
            Effect |= first;
            return (first ? UsageStatus.Conflict : UsageStatus.ConflictExists, UsageRemarks.None);
        }

        Effect = true;
        _usage.Add(usage.Id, content);
        HoldModel? hold = _holds.GetValueOrDefault(usage.Hold);
        if (hold?.Party == usage.Party)
        {
            _holds.Remove(usage.Hold);
        }
        else
        {
            hold = null; // somebody else's hold is none of its business
        }

        var record = new RecordModel { Usage = usage, Frame = Now };
        _records.Add(record);
        UsageRemarks remarks = ChargeWith(hold, record);
        if (usage.Hold.Length > 0)
        {
            BigInteger held = Sum((hold?.Legs ?? []).Select(l => l.Amount));
            BigInteger paid = Sum(record.Charges.Where(c => !c.Rate.StartsWith("buy", StringComparison.Ordinal)
                && !c.Rate.StartsWith("cut", StringComparison.Ordinal))
                .Select(c => c.Amount));
            remarks |= hold is null ? UsageRemarks.HoldNotOpen : paid > held
                ? UsageRemarks.OverHold : UsageRemarks.None;
        }

        return (UsageStatus.Posted, remarks);
    }

    private UsageRemarks ChargeWith(HoldModel? hold, RecordModel record)
    {
        _reserved = (hold?.Legs ?? []).Where(l => Funding.Any(f => f.Path == l.Path && f.End <= Now))
            .ToDictionary(l => l.Path, l => l.Amount);
        UsageRemarks remarks = Charge(record, _ => true);
        _reserved = [];
        return remarks;
    }

    /// <summary>Takes back and makes anew what would be rated otherwise now, or only takes back.</summary>
    /// <param name="anew">Whether to make anew.</param>
    /// <param name="together">Whether all of a frame is taken back before anything of it is made anew.</param>
    /// <returns>How many records changed.</returns>
    public int Correct(bool anew, bool together)
    {
        Effect = true;
        return together
            ? _records.GroupBy(r => r.Frame).Sum(frame => Correct([.. frame], anew))
            : _records.Sum(record => Correct([record], anew));
    }

    private int Correct(RecordModel[] records, bool anew)
    {
        ChargeModel[][] stay = [.. records.Select(record =>
        {
            string[] rates = anew ? Rates(record.Usage) : [];
            bool baseStays = record.Charges.Exists(c => c.Rate.StartsWith("sell", StringComparison.Ordinal)
                && rates.Contains(c.Rate));
            return record.Charges.Where(c => rates.Contains(c.Rate) && (c.Rate != "cut" || baseStays)).ToArray();
        })];
        int[] gone = new int[records.Length];
        for (int i = 0; i < records.Length; i++)
        {
            ChargeModel[] go = [.. records[i].Charges.Except(stay[i])];
            foreach (ChargeModel _ in go.Where(c => c.Rate == "buy"))
            {
                _output[records[i].Usage.LastMonth] -= records[i].Usage.Output;
            }

            foreach (Move move in go.SelectMany(c => Enumerable.Reverse(c.Moves)))
            {
                Apply(new Move(move.Credit, move.Debit, move.Currency, move.Amount), []);
            }

            gone[i] = go.Length;
            records[i].Charges = [.. stay[i]];
        }

        int changed = 0;
        for (int i = 0; i < records.Length; i++)
        {
            Charge(records[i], rate => anew && !stay[i].Any(s => s.Rate == rate));
            changed += gone[i] > 0 || records[i].Charges.Count > stay[i].Length ? 1 : 0;
        }

        return changed;
    }

    /// <summary>Under which rates a record stands now, in the order of posting.</summary>
    private string[] Rates(SimulatedUsage usage)
    {
        if (usage.Failed)
        {
            return usage.Party == "ghost" ? ["suspense/income"] : [];
        }

        string sell = usage.Party switch
        {
            "beta" => "sellb",
            "acme" => usage.Model == "m1" ? $"sell v{Version}" : $"suspense v{Version}/income",
            _ => "suspense/income",
        };
        string[] rates = [sell, "buy"];
        return usage.Party != "acme" ? rates : [.. rates, sell.StartsWith("sell", StringComparison.Ordinal)
            ? "cut" : "suspense/cost"];
    }

    private UsageRemarks Charge(RecordModel record, Func<string, bool> wanted)
    {
        SimulatedUsage usage = record.Usage;
        string[] rates = [.. Rates(usage).Where(wanted)];
        var remarks = UsageRemarks.None;
        var packs = new List<Move>();
        BigInteger money = rates.Any(r => r.StartsWith("sell ", StringComparison.Ordinal)) ? AfterPacks(usage,
            packs) : 0;
        foreach (string rate in rates)
        {
            var moves = new List<Move>();
            BigInteger amount = 0;
            switch (rate[..3])
            {
                case "sel" when rate == "sellb":
                    amount = 10_000_000_001;
                    Apply(new Move("beta/receivable/sellb", "plat/revenue/sellb", "CNY", amount), moves);
                    break;
                case "sel":
                    amount = money;
                    moves.AddRange(packs);
                    BigInteger rest = Draw(amount, (path, part) => Apply(new Move(path, "plat/revenue/sell", "CNY",
                        part), moves));
                    remarks |= rest > 0 ? UsageRemarks.Overrun : UsageRemarks.None;
                    Apply(new Move("acme/overrun/all", "plat/revenue/sell", "CNY", rest), moves);
                    break;
                case "buy":
                    amount = CountCost(usage);
                    Apply(new Move("plat/cost/buy", "qwen/payable/buy", "CNY", amount), moves);
                    break;
                case "cut":
                    BigInteger whole = rates.Any(r => r.StartsWith("sell", StringComparison.Ordinal))
                        ? money
                        : record.Charges.Single(c => c.Rate.StartsWith("sell", StringComparison.Ordinal)).Amount;
                    amount = (whole / 10) + (whole % 10 >= 5
                        ? 1 : 0); // a tenth; of two equal remainders the share goes before the rest
                    Apply(new Move("plat/cost/cut", "data/payable/cut", "CNY", amount), moves);
                    break;
                default:
                    remarks |= UsageRemarks.Suspense;
                    string side = rate[(rate.IndexOf('/', StringComparison.Ordinal) + 1)..];
                    BigInteger tokens = usage.Input + usage.Output;
                    Apply(new Move($"ledger/suspense/{side}", $"ledger/unrated/{side}", tokens > 0 ? "TOK" : "REQ",
                        BigInteger.Max(tokens, 1) * Unit), moves);
                    break;
            }

            record.Charges.Add(new ChargeModel(rate, amount, moves));
        }

        return remarks;
    }

    private BigInteger CountCost(SimulatedUsage usage)
    {
        BigInteger before = _output.GetValueOrDefault(usage.LastMonth);
        BigInteger after = _output[usage.LastMonth] = before + usage.Output;
        long input = usage.Input > CostLong ? 4 : usage.AtPeak ? 6 : 3;
        return (input * (BigInteger)usage.Input) + OutputCost(after) - OutputCost(before);
    }

    private static BigInteger OutputCost(BigInteger tokens) =>
        (5 * BigInteger.Min(tokens, CostStep)) + (2 * BigInteger.Max(tokens - CostStep, 0));

    /// <summary>Lets the pack pay for input, then output; the price of the rest.</summary>
    private BigInteger AfterPacks(SimulatedUsage usage, List<Move> moves)
    {
        BigInteger left = Funding[0].End > Now ? Free("acme/pack/tokens") / Unit : 0;
        BigInteger input = BigInteger.Min(left, usage.Input);
        BigInteger output = BigInteger.Min(left - input, usage.Output);
        Apply(new Move("acme/pack/tokens", "plat/redeemed/sell", "TOK", (input + output) * Unit), moves);
        (long inputPrice, long outputPrice) = List[Version - 1];
        return ((usage.Input - input) * inputPrice) + ((usage.Output - output) * outputPrice);
    }
}
