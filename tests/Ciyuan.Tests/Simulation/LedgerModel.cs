using System.Numerics;
using Ciyuan.Ledger;

namespace Ciyuan.Tests.Simulation;

/// <summary>
/// What the ledger should do, said in another way: plain dictionaries of big integers, and every rule of docs/LEDGER.md
/// written out for the simulated network. It shares no code with the engine but the names of the outcomes.
/// </summary>
internal sealed partial class LedgerModel
{
    private static readonly BigInteger Unit = BigInteger.Pow(10, 12);

    /// <summary>acme's funding in the order in which it is drawn: path, currency, what may be owed, end.</summary>
    private static readonly (string Path, string Currency, BigInteger MayOwe, long End)[] Funding =
    [
        ("acme/pack/tokens", "TOK", 0, 700), ("acme/voucher/gift", "CNY", 0, 500),
        ("acme/prepaid/main", "CNY", 0, long.MaxValue), ("acme/credit/line", "CNY", 2_000_000_000_000, long.MaxValue),
    ];

    private Dictionary<(string Path, string Currency), BigInteger> _balances = [];
    private Dictionary<string, HoldModel> _holds = [];
    private Dictionary<string, (string Content, LedgerStatus Status, List<Move> Moves)> _groups = [];
    private HashSet<string> _holdIds = [];
    private HashSet<string> _reversed = [];
    private readonly Dictionary<string, string> _usage = [];
    private readonly HashSet<string> _conflicts = [];
    private readonly List<RecordModel> _records = [];

    /// <summary>What the hold of the present record has reserved on funding that has ended since.</summary>
    private Dictionary<string, BigInteger> _reserved = [];

    /// <summary>Version of the price list in force.</summary>
    public int Version { get; set; } = 1;

    /// <summary>Time of the last frame, in steps since the start.</summary>
    public long Last { get; private set; } = -1;

    /// <summary>Whether the present proposal has had an effect.</summary>
    public bool Effect { get; set; }

    /// <summary>Time of the present proposal.</summary>
    private long Now { get; set; }

    private sealed record HoldModel(string Party, long End, List<(string Path, BigInteger Amount)> Legs);

    private sealed record Move(string Debit, string Credit, string Currency, BigInteger Amount);

    private sealed record ChargeModel(string Rate, BigInteger Amount, List<Move> Moves);

    private sealed class RecordModel
    {
        public required SimulatedUsage Usage { get; init; }

        /// <summary>Time of its frame, which no other has.</summary>
        public required long Frame { get; init; }

        public List<ChargeModel> Charges { get; set; } = [];
    }

    public string Balances() => string.Join('\n', _balances.Where(b => !b.Value.IsZero)
        .OrderBy(b => b.Key.Path, StringComparer.Ordinal).ThenBy(b => b.Key.Currency, StringComparer.Ordinal)
        .Select(b => $"{b.Key.Path} {b.Key.Currency} {b.Value}"));

    public string Pending() => string.Join('\n', _holds.Values.SelectMany(h => h.Legs).GroupBy(l => l.Path)
        .OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key} {Sum(g.Select(l => l.Amount))}"));

    /// <summary>Starts a proposal: what has ended by now ends.</summary>
    public void Begin(long clock)
    {
        Now = Math.Max(clock, Last + 1);
        Effect = false;
        foreach (string id in _holds.Where(h => h.Value.End <= Now).Select(h => h.Key).ToArray())
        {
            _holds.Remove(id);
            Effect = true;
        }

        foreach ((string path, string currency, _, long end) in Funding)
        {
            BigInteger left = Balance(path, currency) - Held(path);
            if (end <= Now && left > 0)
            {
                Apply(new Move(path, $"ledger/breakage/acme.{path[(path.LastIndexOf('/') + 1)..]}", currency, left),
                    []);
                Effect = true;
            }
        }
    }

    public void End() => Last = Effect ? Now : Last;

    // Groups --------------------------------------------------------------------------------------------------------

    public LedgerStatus Group(string id, IReadOnlyList<SimulatedOperation> operations)
    {
        string content = string.Join('|', operations);
        if (_groups.TryGetValue(id, out var known))
        {
            return known.Content == content ? LedgerStatus.Exists : LedgerStatus.Conflict;
        }

        var saved = (new Dictionary<(string, string), BigInteger>(_balances), new Dictionary<string, HoldModel>(_holds),
            new HashSet<string>(_holdIds), new HashSet<string>(_reversed));
        var moves = new List<Move>();
        LedgerStatus status = LedgerStatus.Done;
        foreach (SimulatedOperation operation in operations)
        {
            status = operation.Kind switch
            {
                "move" => Transfer(operation, moves),
                "hold" => Place(operation),
                "settle" => Settle(operation, moves),
                "release" => _holds.Remove(operation.Id) ? LedgerStatus.Done : LedgerStatus.HoldNotOpen,
                _ => Reverse(operation, moves),
            };
            if (status != LedgerStatus.Done)
            {
                (_balances, _holds, _holdIds, _reversed) = saved;
                moves.Clear();
                break;
            }
        }

        _groups.Add(id, (content, status, moves));
        Effect = true;
        return status;
    }

    private LedgerStatus Transfer(SimulatedOperation o, List<Move> moves)
    {
        if (o.Amount <= 0)
        {
            return LedgerStatus.AmountOutOfRange;
        }

        if (o.From == o.To)
        {
            return LedgerStatus.AccountsAreSame;
        }

        if (Funding.Any(f => (f.Path == o.From || f.Path == o.To) && f.End <= Now))
        {
            return LedgerStatus.AccountExpired;
        }

        if (Funding.Any(f => f.Path == o.From && Free(f.Path) < o.Amount))
        {
            return LedgerStatus.InsufficientFunds;
        }

        Apply(new Move(o.From, o.To, o.Currency, o.Amount), moves);
        return LedgerStatus.Done;
    }

    private LedgerStatus Place(SimulatedOperation o)
    {
        if (o.Amount <= 0)
        {
            return LedgerStatus.AmountOutOfRange;
        }

        if (o.End <= Now)
        {
            return LedgerStatus.HoldExpiresTooSoon;
        }

        if (_holdIds.Contains(o.Id))
        {
            return LedgerStatus.HoldExists;
        }

        var legs = new List<(string, BigInteger)>();
        BigInteger rest = o.To == "acme" ? Draw(o.Amount, (path, part) => legs.Add((path, part))) : 0;
        if (o.To != "acme")
        {
            legs.Add(($"{o.To}/receivable/open", o.Amount));
        }

        if (rest > 0)
        {
            return LedgerStatus.InsufficientFunds;
        }

        _holds.Add(o.Id, new HoldModel(o.To, o.End, legs));
        _holdIds.Add(o.Id);
        return LedgerStatus.Done;
    }

    private LedgerStatus Settle(SimulatedOperation o, List<Move> moves)
    {
        if (o.Amount < 0)
        {
            return LedgerStatus.AmountOutOfRange;
        }

        if (!_holds.TryGetValue(o.Id, out HoldModel? hold))
        {
            return LedgerStatus.HoldNotOpen;
        }

        if (o.Amount > Sum(hold.Legs.Select(l => l.Amount)) + o.Overrun)
        {
            return LedgerStatus.ExceedsHold;
        }

        _holds.Remove(o.Id);
        BigInteger rest = o.Amount;
        foreach ((string path, BigInteger held) in hold.Legs)
        {
            BigInteger part = BigInteger.Min(held, rest);
            Apply(new Move(path, o.To, "CNY", part), moves);
            rest -= part;
        }

        rest = hold.Party == "acme" ? Draw(rest, (path, part) => Apply(new Move(path, o.To, "CNY", part),
            moves)) : rest;
        Apply(new Move($"{hold.Party}/overrun/all", o.To, "CNY", rest), moves);
        return LedgerStatus.Done;
    }

    private LedgerStatus Reverse(SimulatedOperation o, List<Move> moves)
    {
        if (!_groups.TryGetValue(o.Id, out var group) || group.Status != LedgerStatus.Done)
        {
            return LedgerStatus.GroupNotFound;
        }

        if (_reversed.Contains(o.Id))
        {
            return LedgerStatus.AlreadyReversed;
        }

        foreach (Move move in Enumerable.Reverse(group.Moves))
        {
            if (Funding.Any(f => f.Path == move.Credit && Free(f.Path) < move.Amount))
            {
                return LedgerStatus.InsufficientFunds;
            }

            Apply(new Move(move.Credit, move.Debit, move.Currency, move.Amount), moves);
        }

        _reversed.Add(o.Id);
        return LedgerStatus.Done;
    }

    // Accounts ------------------------------------------------------------------------------------------------------

    /// <summary>Draws acme's money in its order; gives back what nothing covers.</summary>
    private BigInteger Draw(BigInteger amount, Action<string, BigInteger> take)
    {
        foreach (var (path, currency, _, end) in Funding)
        {
            BigInteger part = BigInteger.Min(
                amount, end > Now ? Free(path) : _reserved.GetValueOrDefault(path));
            if (currency == "CNY" && part > 0)
            {
                _reserved[path] = _reserved.GetValueOrDefault(path) - part;
                take(path, part);
                amount -= part;
            }
        }

        return amount;
    }

    private BigInteger Free(string path)
    {
        var (_, currency, mayOwe, _) = Funding.Single(f => f.Path == path);
        return Balance(path, currency) + mayOwe - Held(path);
    }

    private BigInteger Held(string path) => Sum(_holds.Values.SelectMany(h => h.Legs).Where(l => l.Path == path)
        .Select(l => l.Amount));

    private BigInteger Balance(string path, string currency) => _balances.GetValueOrDefault((path, currency));

    private void Apply(Move move, List<Move> moves)
    {
        if (!move.Amount.IsZero)
        {
            _balances[(move.Debit, move.Currency)] = Balance(move.Debit, move.Currency) - move.Amount;
            _balances[(move.Credit, move.Currency)] = Balance(move.Credit, move.Currency) + move.Amount;
            moves.Add(move);
        }
    }

    private static BigInteger Sum(IEnumerable<BigInteger> amounts) => amounts.Aggregate(BigInteger.Zero, (a, b) =>
        a + b);
}
