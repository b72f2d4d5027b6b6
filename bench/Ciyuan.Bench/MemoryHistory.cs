using Ciyuan.Journal;
using Ciyuan.Ledger;

namespace Ciyuan.Bench;

/// <summary>The past in memory, for measuring the engine without storage.</summary>
internal sealed class MemoryHistory : IHistory
{
    private readonly Dictionary<UInt128, PastId> _ids = [];

    public bool TryFind(UInt128 digest, out PastId past) => _ids.TryGetValue(digest, out past);

    public void Add(UInt128 digest, PastId past) => _ids.Add(digest, past);

    public Frame ReadFrame(long seq) => throw new InvalidOperationException("Nothing is corrected here.");

    public RecordedUsage ReadUsage(long seq) => throw new InvalidOperationException("Nothing is corrected here.");
}
