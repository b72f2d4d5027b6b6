using System.Globalization;
using System.Numerics;
using Ciyuan.Settlement;

namespace Ciyuan.Tests.Settlement;

/// <summary>
/// What steps of settlement should do, from docs/SETTLEMENT.md: months counted as numbers, claims as big integers of
/// pico. It knows nothing of the engine but the names of outcomes. Months are those of UTC from October 2026 on,
/// frozen a day after their end, disputed for ten days, paid from 0.05 on for <c>buy</c>.
/// </summary>
internal sealed class ClaimModel
{
    private const int First = (2026 * 12) + 9;

    private static readonly BigInteger Cent = BigInteger.Pow(10, 10);

    private readonly Dictionary<string, List<Month>> _months = [];
    private readonly Dictionary<(string Agreement, string Kind), BigInteger> _claims = [];

    private sealed class Month
    {
        public int State { get; set; } = 1; // 1 frozen, 2 split, 3 final

        public BigInteger Due { get; set; }

        public DateTime Until { get; set; }

        public List<(string By, AgreementSide Side)> Signatures { get; } = [];

        public Dictionary<string, (BigInteger Amount, BigInteger? Granted)> Disputes { get; } = [];

        public BigInteger Taken => Disputes.Values.Aggregate(
            BigInteger.Zero, (sum, d) => sum + (d.Granted ?? d.Amount));
    }

    /// <summary>The next month, one that is under way, or, seldom, one that is none of these.</summary>
    public string PickPeriod(string agreement, Random random)
    {
        int count = Of(agreement).Count;
        int open = Of(agreement).FindIndex(m => m.State < 3);
        int at = random.Next(10) == 0 ? random.Next(count + 2) : random.Next(2) == 0 || open < 0 ? count : open;
        int month = First + at;
        return string.Create(CultureInfo.InvariantCulture, $"{month / 12:D4}-{(month % 12) + 1:D2}");
    }

    public IEnumerable<(string Kind, BigInteger Claim)> ClaimsOf(string agreement) =>
        ((string[])["due", "held", "agreed"]).Select(kind => (kind, _claims.GetValueOrDefault((agreement, kind))));

    public SettlementStatus Freeze(string agreement, string period, DateTime now)
    {
        int at = IndexOf(period);
        if (at > Of(agreement).Count)
        {
            return SettlementStatus.OutOfOrder;
        }

        if (at < Of(agreement).Count)
        {
            return SettlementStatus.WrongState;
        }

        var end = new DateTime((First + at + 1) / 12, ((First + at + 1) % 12) + 1, 1, 0, 0, 0, DateTimeKind.Utc);
        if (now < end.AddDays(1))
        {
            return SettlementStatus.TooEarly;
        }

        Of(agreement).Add(new Month());
        return SettlementStatus.Done;
    }

    public SettlementStatus Split(string agreement, string period, BigInteger exact, DateTime now)
    {
        if (Refuse(agreement, period, before: 2, 1, 1) is { } refusal)
        {
            return refusal;
        }

        Month month = Of(agreement)[IndexOf(period)];
        (month.State, month.Due, month.Until) = (2, Cents(exact), now.Date.AddDays(11));
        Add(agreement, "due", month.Due);
        return SettlementStatus.Done;
    }

    public SettlementStatus Sign(string agreement, string period, string by, AgreementSide side)
    {
        if (Refuse(agreement, period, before: 0, 2, 2) is { } refusal)
        {
            return refusal;
        }

        Month month = Of(agreement)[IndexOf(period)];
        if (month.Signatures.Any(s => s.By == by))
        {
            return SettlementStatus.SignedAlready;
        }

        month.Signatures.Add((by, side));
        return SettlementStatus.Done;
    }

    public SettlementStatus Dispute(string agreement, string period, string id, Int128 amount, DateTime now)
    {
        if (Refuse(agreement, period, before: 0, 2, 2) is { } refusal)
        {
            return refusal;
        }

        Month month = Of(agreement)[IndexOf(period)];
        if (now >= month.Until)
        {
            return SettlementStatus.TooLate;
        }

        if (month.Disputes.ContainsKey(id))
        {
            return SettlementStatus.DisputeExists;
        }

        if (amount <= 0 || month.Taken + amount > month.Due)
        {
            return SettlementStatus.AmountOutOfRange;
        }

        month.Disputes.Add(id, (amount, null));
        Add(agreement, "due", -(BigInteger)amount);
        Add(agreement, "held", amount);
        return SettlementStatus.Done;
    }

    public SettlementStatus Resolve(string agreement, string period, string id, Int128 granted)
    {
        if (Refuse(agreement, period, before: 0, 2, 3) is { } refusal)
        {
            return refusal;
        }

        Month month = Of(agreement)[IndexOf(period)];
        if (!month.Disputes.TryGetValue(id, out (BigInteger Amount, BigInteger? Granted) dispute)
            || dispute.Granted is not null)
        {
            return SettlementStatus.DisputeNotOpen;
        }

        if (granted < 0 || granted > dispute.Amount)
        {
            return SettlementStatus.AmountOutOfRange;
        }

        month.Disputes[id] = (dispute.Amount, granted);
        Add(agreement, "held", -dispute.Amount);
        Add(agreement, "due", dispute.Amount - granted);
        return SettlementStatus.Done;
    }

    public SettlementStatus Finish(string agreement, string period, DateTime now)
    {
        if (Refuse(agreement, period, before: 3, 2, 2) is { } refusal)
        {
            return refusal;
        }

        Month month = Of(agreement)[IndexOf(period)];
        if (now < month.Until && month.Signatures.DistinctBy(s => s.Side).Count() < 2)
        {
            return SettlementStatus.TooEarly;
        }

        if (month.Signatures.Count < 2)
        {
            return SettlementStatus.SignaturesMissing;
        }

        month.State = 3;
        BigInteger due = _claims.GetValueOrDefault((agreement, "due"));
        if (due > 0 && (agreement != "buy" || due >= 5 * Cent))
        {
            Add(agreement, "due", -due);
            Add(agreement, "agreed", due);
        }

        return SettlementStatus.Done;
    }

    // The order of the checks: months before it, then its own state.
    private SettlementStatus? Refuse(string agreement, string period, int before, int from, int to)
    {
        List<Month> months = Of(agreement);
        int at = IndexOf(period);
        return months.Take(at).Any(m => m.State < before) ? SettlementStatus.OutOfOrder
            : at >= months.Count || months[at].State < from || months[at].State > to ? SettlementStatus.WrongState
            : null;
    }

    // Half to even, by what is left of a cent.
    private static BigInteger Cents(BigInteger exact)
    {
        BigInteger size = BigInteger.Abs(exact);
        BigInteger cents = BigInteger.DivRem(size, Cent, out BigInteger rest);
        bool up = rest * 2 > Cent || (rest * 2 == Cent && !cents.IsEven);
        return exact.Sign * (cents + (up ? 1 : 0)) * Cent;
    }

    private static int IndexOf(string period) =>
        (int.Parse(period[..4], CultureInfo.InvariantCulture) * 12)
        + int.Parse(period[5..], CultureInfo.InvariantCulture) - 1 - First;

    private List<Month> Of(string agreement) =>
        _months.TryGetValue(agreement, out List<Month>? months) ? months : _months[agreement] = [];

    private void Add(string agreement, string kind, BigInteger amount) =>
        _claims[(agreement, kind)] = _claims.GetValueOrDefault((agreement, kind)) + amount;
}
