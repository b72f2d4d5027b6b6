using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>A frame in the making: the commands that had an effect, each with its outcome.</summary>
internal sealed class FrameDraft
{
    public List<Setup> Setups { get; } = [];

    public List<SettlementCommand> Settlements { get; } = [];

    public List<SettlementResult> SettlementResults { get; } = [];

    public List<LedgerGroup> Groups { get; } = [];

    public List<GroupResult> GroupResults { get; } = [];

    public List<Correction> Corrections { get; } = [];

    public List<CorrectionResult> CorrectionResults { get; } = [];

    public List<UsageRecord> Records { get; } = [];

    public List<UsageResult> RecordResults { get; } = [];

    public bool HasCommands =>
        Setups.Count + Settlements.Count + Groups.Count + Corrections.Count + Records.Count > 0;

    public Frame Finish(int shard, long seq, Timestamp time, byte[]? idKey, IReadOnlyList<Expiry> expiries) => new()
    {
        Shard = shard,
        Seq = seq,
        Time = time,
        IdKey = idKey,
        Expiries = expiries,
        Setups = Setups,
        Settlements = Settlements,
        SettlementResults = SettlementResults,
        Groups = Groups,
        GroupResults = GroupResults,
        Corrections = Corrections,
        CorrectionResults = CorrectionResults,
        Records = Records,
        RecordResults = RecordResults,
    };
}
