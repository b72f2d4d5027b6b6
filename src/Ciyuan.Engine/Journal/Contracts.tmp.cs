using System.Buffers;
using Ciyuan.Quantities;
namespace Ciyuan.Journal;
#pragma warning disable
/// <summary>tmp</summary>
public sealed partial class Engine { 
/// <summary>An engine before its first frame.</summary>
public Engine(int shard, IHistory history) {}
/// <summary>Applies.</summary>
public Applied Apply(FrameProposal proposal) => throw null!;
/// <summary>Replays a stored frame: applies its commands and checks outcome equals stored; throws JournalException otherwise.</summary>
public void Replay(Frame stored, ReadOnlySpan<byte> storedBody) {}
/// <summary>last applied seq, 0 before the first.</summary>
public long Seq => 0;
/// <summary>time of last frame.</summary>
public Timestamp Time => default;
/// <summary>Writes the canonical state.</summary>
public void WriteState(IBufferWriter<byte> output) {}
/// <summary>Engine from a state written by WriteState.</summary>
public static Engine ReadState(ReadOnlySpan<byte> state, IHistory history) => throw null!;
/// <summary>All ledger accounts, read-only view; call only from the engine's thread or between frames.</summary>
public IReadOnlyList<Ciyuan.Ledger.AccountView> Accounts => throw null!;
/// <summary>Every invariant that is broken, in words; empty when all hold.</summary>
public IReadOnlyList<string> FindBrokenInvariants() => throw null!;
}
