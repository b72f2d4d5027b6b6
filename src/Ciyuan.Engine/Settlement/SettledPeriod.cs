using Ciyuan.Quantities;

namespace Ciyuan.Settlement;

/// <summary>How far a period is. Numbers are stored: never change or reuse one.</summary>
public enum PeriodState : byte
{
    /// <summary>Still open: its statement is a draft (草稿).</summary>
    Draft = 0,

    /// <summary>Frozen (冻结): what comes is booked in the next one.</summary>
    Frozen = 1,

    /// <summary>Its statement stands and may be signed or disputed (对账).</summary>
    Split = 2,

    /// <summary>Its amount is to be paid (结算).</summary>
    Final = 3,
}

/// <summary>Who took a step, and when.</summary>
/// <param name="By">Person or system.</param>
/// <param name="Time">Time of recording.</param>
/// <param name="Seq">The frame.</param>
public sealed record SettlementMark(string By, Timestamp Time, long Seq);

/// <summary>A signature.</summary>
/// <param name="By">Who.</param>
/// <param name="Side">For which side.</param>
/// <param name="Time">When it was recorded.</param>
public sealed record SettlementSignature(string By, AgreementSide Side, Timestamp Time);

/// <summary>A dispute about an amount.</summary>
/// <param name="Id">Its id in the period.</param>
/// <param name="Side">Who disputes.</param>
/// <param name="By">The person.</param>
/// <param name="Amount">What is held while it is open.</param>
/// <param name="Reason">Why.</param>
/// <param name="Time">When it was recorded.</param>
public sealed record SettlementDispute(
    string Id, AgreementSide Side, string By, Amount Amount, string Reason, Timestamp Time)
{
    /// <summary>Who ended it; null while it is open.</summary>
    public SettlementMark? Resolved { get; init; }

    /// <summary>What was granted and taken off.</summary>
    public Amount Granted { get; init; }
}

/// <summary>A period of an agreement that is at least frozen.</summary>
public sealed record SettledPeriod
{
    /// <summary>The agreement.</summary>
    public required string Agreement { get; init; }

    /// <summary>Name of the period.</summary>
    public required string Name { get; init; }

    /// <summary>Its event times.</summary>
    public required Period Span { get; init; }

    /// <summary>How far it is.</summary>
    public PeriodState State { get; init; } = PeriodState.Frozen;

    /// <summary>Its freezing; what this frame and later ones record is not in it.</summary>
    public required SettlementMark Frozen { get; init; }

    /// <summary>Its split; null before.</summary>
    public SettlementMark? Split { get; init; }

    /// <summary>Hash of its statement, in hexadecimal; empty before the split.</summary>
    public string Hash { get; init; } = "";

    /// <summary>What the statement says is due; negative when it goes back.</summary>
    public Amount Due { get; init; }

    /// <summary>End of the dispute window.</summary>
    public Timestamp DisputesUntil { get; init; }

    /// <summary>Signatures in their order.</summary>
    public IReadOnlyList<SettlementSignature> Signatures { get; init; } = [];

    /// <summary>Disputes in their order.</summary>
    public IReadOnlyList<SettlementDispute> Disputes { get; init; } = [];

    /// <summary>When it became final; null before.</summary>
    public SettlementMark? Final { get; init; }

    /// <summary>What is to be paid now, with what was carried over before; whole minor units.</summary>
    public Amount Payable { get; init; }

    /// <summary>What is carried over to the next period: all of it when it is below the minimum, else what is not whole
    /// minor units, of either sign.</summary>
    public Amount Carried { get; init; }

    /// <summary>Until when it is to be paid.</summary>
    public Timestamp PayUntil { get; init; }

    /// <summary>What open disputes hold.</summary>
    public Amount Held => Disputes.Where(d => d.Resolved is null)
        .Aggregate(Amount.Zero, (sum, dispute) => sum + dispute.Amount);

    /// <summary>What ended disputes took off.</summary>
    public Amount Granted => Disputes.Aggregate(Amount.Zero, (sum, dispute) => sum + dispute.Granted);

    /// <summary>Whether two persons have signed.</summary>
    public bool HasTwoSignatures => Signatures.DistinctBy(s => s.By).Count() >= 2;

    /// <summary>Whether both sides have signed.</summary>
    public bool IsSignedByBoth => Signatures.DistinctBy(s => s.Side).Count() >= 2;
}
