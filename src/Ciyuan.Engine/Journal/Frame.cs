using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>Where a command stands in the journal.</summary>
/// <param name="Seq">The frame, from 1.</param>
/// <param name="Index">Its place among the frame's commands of its kind, from 0.</param>
public readonly record struct FramePosition(long Seq, int Index);

/// <summary>
/// A batch of commands on its way into the journal. Within a frame, setups come first, then steps of
/// settlement, ledger groups, corrections, records: a sender that needs another order awaits the reply in between.
/// </summary>
public sealed class FrameProposal
{
    /// <summary>Most commands of each kind in a frame: an index fits 16 bits, and a frame stays far below 64
    /// MB.</summary>
    public const int MaxCommands = 65_535;

    /// <summary>Time by the writer's clock; the frame's time is this, or just after the frame before if that is
    /// later.</summary>
    public required Timestamp Time { get; init; }

    /// <summary>Only in the first frame: 16 random bytes, the key of <see cref="IdHasher"/>.</summary>
    public byte[]? IdKey { get; init; }

    /// <summary>Changes of parties, agreements, prices, funding.</summary>
    public IReadOnlyList<Setup> Setups { get; init; } = [];

    /// <summary>Steps of settlement.</summary>
    public IReadOnlyList<SettlementCommand> Settlements { get; init; } = [];

    /// <summary>Ledger groups.</summary>
    public IReadOnlyList<LedgerGroup> Groups { get; init; } = [];

    /// <summary>Corrections of recorded usage.</summary>
    public IReadOnlyList<Correction> Corrections { get; init; } = [];

    /// <summary>Usage records; each has passed <see cref="UsageRecord.FindFault"/>.</summary>
    public IReadOnlyList<UsageRecord> Records { get; init; } = [];
}

/// <summary>
/// A frame of the journal: commands that took effect (or were refused for good), in order, each with its outcome. What
/// changed nothing, such as an event sent again, is not in it. A frame can be read by itself, without any state.
/// </summary>
public sealed class Frame
{
    /// <summary>The shard: the sequence of frames with one writer.</summary>
    public required int Shard { get; init; }

    /// <summary>Number in the shard, from 1 without gaps.</summary>
    public required long Seq { get; init; }

    /// <summary>Time of recording; later than that of the frame before.</summary>
    public required Timestamp Time { get; init; }

    /// <summary>In the first frame only: the key of <see cref="IdHasher"/>.</summary>
    public byte[]? IdKey { get; init; }

    /// <summary>What ended by itself at this time: expired holds and funding.</summary>
    public IReadOnlyList<Expiry> Expiries { get; init; } = [];

    /// <summary>Setups that were accepted and changed something. One that was refused is told to whoever gave it, and
    /// stands nowhere: what a book may say grows, and a stored refusal would not be decided so again.</summary>
    public IReadOnlyList<Setup> Setups { get; init; } = [];

    /// <summary>Steps of settlement.</summary>
    public IReadOnlyList<SettlementCommand> Settlements { get; init; } = [];

    /// <summary>Outcome of each step.</summary>
    public IReadOnlyList<SettlementResult> SettlementResults { get; init; } = [];

    /// <summary>Ledger groups.</summary>
    public IReadOnlyList<LedgerGroup> Groups { get; init; } = [];

    /// <summary>Outcome of each group.</summary>
    public IReadOnlyList<GroupResult> GroupResults { get; init; } = [];

    /// <summary>Corrections.</summary>
    public IReadOnlyList<Correction> Corrections { get; init; } = [];

    /// <summary>Outcome of each correction.</summary>
    public IReadOnlyList<CorrectionResult> CorrectionResults { get; init; } = [];

    /// <summary>Usage records.</summary>
    public IReadOnlyList<UsageRecord> Records { get; init; } = [];

    /// <summary>Outcome of each record.</summary>
    public IReadOnlyList<UsageResult> RecordResults { get; init; } = [];
}

/// <summary>What became of a setup.</summary>
public enum SetupStatus : byte
{
    /// <summary>Accepted; something is new.</summary>
    Done = 1,

    /// <summary>All of it was there already.</summary>
    Exists = 2,

    /// <summary>Refused whole; the faults say why.</summary>
    Refused = 3,
}

/// <summary>The outcome of a setup.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="Faults">When refused: each fault, naming the entry and what to do.</param>
public sealed record SetupResult(SetupStatus Status, IReadOnlyList<string> Faults);

/// <summary>How recorded charges are corrected. Numbers are stored: never change or reuse one.</summary>
public enum CorrectionMode : byte
{
    /// <summary>Takes the charges back and makes them anew under the agreements and books as they are now.</summary>
    Rerate = 1,

    /// <summary>Takes the charges back.</summary>
    Reverse = 2,

    /// <summary>Like <see cref="Rerate"/>, a frame at a time: first every changed charge of the frame is taken back,
    /// then the new ones are made. Records that change in the same way stand in groups.</summary>
    RerateTogether = 3,

    /// <summary>Takes the charges back, in groups.</summary>
    ReverseTogether = 4,

    /// <summary>Like <see cref="RerateTogether"/>; records whose prices depend on them are grouped by the rate that
    /// each was found to have, where mode 3 takes them one by one.</summary>
    RerateByRate = 5,

    /// <summary>Like <see cref="ReverseTogether"/>; charges by a formula are taken back in groups too.</summary>
    ReverseByRate = 6,
}

/// <summary>What the modes have in common.</summary>
internal static class CorrectionModes
{
    /// <summary>Whether charges are made anew.</summary>
    public static bool IsRerate(this CorrectionMode mode) =>
        mode is CorrectionMode.Rerate or CorrectionMode.RerateTogether or CorrectionMode.RerateByRate;

    /// <summary>Whether records that change in the same way stand in groups.</summary>
    public static bool IsGrouped(this CorrectionMode mode) => mode >= CorrectionMode.RerateTogether;

    /// <summary>Whether records are grouped by the rate that each was found to have.</summary>
    public static bool IsByRate(this CorrectionMode mode) => mode >= CorrectionMode.RerateByRate;
}

/// <summary>
/// Corrects the charges of recorded usage by reversing entries; the records stay as they are. Safe to repeat: a second
/// rerate finds nothing to change.
/// </summary>
/// <param name="Source">Who asks; ids are unique within it.</param>
/// <param name="Id">1 to 256 characters.</param>
/// <param name="Mode">How.</param>
/// <param name="FromSeq">First frame whose records are looked at.</param>
/// <param name="ToSeq">Last frame whose records are looked at.</param>
/// <param name="Period">Only records whose event time is inside.</param>
/// <param name="Agreement">Only charges under this agreement and in suspense; empty: all.</param>
/// <param name="Index">Only the record at this place of the one frame; -1: all.</param>
/// <param name="Memo">Why, for people.</param>
public sealed record Correction(
    string Source, string Id, CorrectionMode Mode, long FromSeq, long ToSeq, Period Period,
    string Agreement = "", int Index = -1, string Memo = "");

/// <summary>The corrected charges of one record.</summary>
/// <param name="Position">The record.</param>
/// <param name="Context">Its context.</param>
/// <param name="EventTime">Its event time.</param>
/// <param name="Reversed">How many of <paramref name="Charges"/>, from the first, take back; their amounts are negative
/// and their postings have debit and credit swapped.</param>
/// <param name="Charges">The charges taken back, then those made anew.</param>
/// <param name="Postings">Postings, charge by charge.</param>
/// <param name="Counts">What the record counted; null in corrections of the modes 1 and 2, which don't tell.</param>
public sealed record CorrectedRecord(
    FramePosition Position, UsageContext Context, Timestamp EventTime, int Reversed, Charge[] Charges,
    Posting[] Postings, Count[]? Counts = null);

/// <summary>The stored outcome of a correction.</summary>
/// <param name="Status"><see cref="LedgerStatus.Done"/>, or why not.</param>
/// <param name="ToSeq">Last frame that was looked at. A correction stops at the end of a frame once it has seen
/// <see cref="Engine.CorrectedRecordsEach"/> records; the rest is asked for by another, from the next frame on.</param>
/// <param name="Singles">Records that were corrected one by one, in journal order.</param>
/// <param name="Groups">Records that were corrected together, by frame and first record; none in the modes 1 and
/// 2.</param>
public sealed record CorrectionResult(
    LedgerStatus Status, long ToSeq, IReadOnlyList<CorrectedRecord> Singles, IReadOnlyList<CorrectedGroup> Groups)
{
    /// <summary>Records that were left alone because their event time is closed; told in the answer and not
    /// stored.</summary>
    public int Closed { get; init; }

    /// <summary>How many records changed.</summary>
    public int Count => Singles.Count + Groups.Sum(g => g.Records);

    /// <summary>The records whose charges changed, alone or in groups, in journal order. Made at each call.</summary>
    public IEnumerable<CorrectedRecord> Records => Singles.Concat(Groups.SelectMany(RecordsOf))
        .OrderBy(r => r.Position.Seq).ThenBy(r => r.Position.Index);

    private static IEnumerable<CorrectedRecord> RecordsOf(CorrectedGroup group)
    {
        for (int i = 0; i < group.Records; i++)
        {
            (Charge[] charges, Posting[] postings) = group.ChargesOf(i);
            yield return new CorrectedRecord(
                new FramePosition(group.Seq, group.Indices[i]), group.Contexts[i], new Timestamp(group.Times[i]),
                group.Reversed, charges, postings, group.CountsOf(i));
        }
    }
}

/// <summary>The answer to one usage record.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="Remarks">Remarks.</param>
/// <param name="Position">Where it stands in the journal; for a record that was there before, where the first one
/// stands.</param>
public readonly record struct UsageReply(UsageStatus Status, UsageRemarks Remarks, FramePosition Position);

/// <summary>The answer to one ledger group.</summary>
/// <param name="Status">What became of it; <see cref="LedgerStatus.Exists"/> when it was sent before.</param>
/// <param name="Earlier">With <see cref="LedgerStatus.Exists"/>: what became of it then.</param>
/// <param name="FailedOperation">Index of the operation that was refused; -1 when none or when sent before.</param>
/// <param name="Position">Where it stands in the journal.</param>
public readonly record struct GroupReply(
    LedgerStatus Status, LedgerStatus Earlier, int FailedOperation, FramePosition Position);

/// <summary>The answers to a proposal, in its order, and the frame to be made durable before they go out.</summary>
public sealed class Applied
{
    /// <summary>The frame; null when nothing had an effect.</summary>
    public required Frame? Frame { get; init; }

    /// <summary>A result for each setup.</summary>
    public required IReadOnlyList<SetupResult> Setups { get; init; }

    /// <summary>A result for each step of settlement.</summary>
    public required IReadOnlyList<SettlementResult> Settlements { get; init; }

    /// <summary>A reply for each group.</summary>
    public required IReadOnlyList<GroupReply> Groups { get; init; }

    /// <summary>A result for each correction; <see cref="LedgerStatus.Exists"/> when sent before.</summary>
    public required IReadOnlyList<CorrectionResult> Corrections { get; init; }

    /// <summary>A reply for each record.</summary>
    public required UsageReply[] Records { get; init; }
}

/// <summary>What the engine remembers of an id.</summary>
/// <param name="Fingerprint">Hash of the content.</param>
/// <param name="Position">Where it stands.</param>
/// <param name="Status">What became of it: a number of the enum of its kind.</param>
public readonly record struct PastId(ulong Fingerprint, FramePosition Position, byte Status);

/// <summary>
/// What the engine asks about its own past: a map of every id ever seen, and the frames. Deterministic: the answers
/// depend on the journal alone. In memory for tests and simulation, on disk for real.
/// </summary>
public interface IHistory
{
    /// <summary>What is remembered under a digest.</summary>
    bool TryFind(UInt128 digest, out PastId past);

    /// <summary>Remembers a digest for good; it was not there before.</summary>
    void Add(UInt128 digest, PastId past);

    /// <summary>A frame before the present one, decoded.</summary>
    Frame ReadFrame(long seq);

    /// <summary>The records of a frame before the present one, as columns; the caller disposes them.</summary>
    RecordedUsage ReadUsage(long seq);
}
