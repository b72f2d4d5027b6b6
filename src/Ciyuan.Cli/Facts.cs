using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary>The statistics of a data folder and, for what they lack, its journal: both for reading, beside a writer or
/// without one.</summary>
internal sealed class Facts : IDisposable
{
    private readonly SqliteJournal _journal;

    internal Facts(string folder)
    {
        _journal = SqliteJournal.OpenReadOnly(folder);
        Store = FactStore.OpenReadOnly(folder, FramesFrom);
    }

    internal FactStore Store { get; }

    public void Dispose()
    {
        Store.Dispose();
        _journal.Dispose();
    }

    private IEnumerable<Frame> FramesFrom(long seq) => FramesFrom(_journal, seq);

    /// <summary>The setups of a journal that were accepted, in order.</summary>
    internal static IEnumerable<Setup> SetupsOf(SqliteJournal journal) => FramesFrom(journal, 1)
        .SelectMany(frame => frame.Setups);

    /// <summary>The frames of a journal, decoded.</summary>
    internal static IEnumerable<Frame> FramesFrom(SqliteJournal journal, long seq) =>
        journal.ReadFrom(seq).Select(stored => FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body));
}
