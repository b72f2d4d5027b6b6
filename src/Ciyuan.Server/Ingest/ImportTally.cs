using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>What an import has done so far. Written by the import alone; single numbers may be read
/// meanwhile.</summary>
public sealed class ImportTally
{
    private long _readRecords;
    private long _readBytes;

    /// <summary>Bytes taken from the files, as they are on disk (compressed, where they are).</summary>
    public long ReadBytes => Volatile.Read(ref _readBytes);

    /// <summary>Records and rows that were read, refused ones included.</summary>
    public long Read => Volatile.Read(ref _readRecords);

    /// <summary>Recorded, rated and posted now.</summary>
    public long Posted { get; private set; }

    /// <summary>Recorded before, with the same content.</summary>
    public long Existing { get; private set; }

    /// <summary>Another event has the id: kept aside, not posted.</summary>
    public long Conflicts { get; private set; }

    /// <summary>Refused; they stand in the reject file.</summary>
    public long Rejected { get; private set; }

    /// <summary>Input tokens of the records posted now.</summary>
    public long InputTokens { get; private set; }

    /// <summary>Output tokens of the records posted now.</summary>
    public long OutputTokens { get; private set; }

    /// <summary>Posted, with a charge that waits in suspense for a price or an agreement.</summary>
    public long InSuspense { get; private set; }

    /// <summary>Posted, beyond what the consumer's funding covers.</summary>
    public long Overrun { get; private set; }

    /// <summary>Posted, with a charge larger than its hold.</summary>
    public long OverHold { get; private set; }

    /// <summary>Posted, naming a hold that is not open.</summary>
    public long HoldNotOpen { get; private set; }

    /// <summary>The file and line up to which everything has been accepted durably; empty before the first
    /// batch.</summary>
    public string AcceptedUpTo { get; private set; } = "";

    /// <summary>The reject files that were written.</summary>
    public IReadOnlyList<string> RejectFiles => RejectFilesWritten;

    internal List<string> RejectFilesWritten { get; } = [];

    internal void AddRead(long records, long rejected)
    {
        Volatile.Write(ref _readRecords, _readRecords + records);
        Rejected += rejected;
    }

    internal void AddBytes(long bytes) => Interlocked.Add(ref _readBytes, bytes);

    internal void AddReplies(IReadOnlyList<UsageRecord> records, UsageReply[] replies, string acceptedUpTo)
    {
        AcceptedUpTo = acceptedUpTo;
        for (int i = 0; i < replies.Length; i++)
        {
            UsageRemarks remarks = replies[i].Remarks;
            switch (replies[i].Status)
            {
                case UsageStatus.Posted:
                    Posted++;
                    InputTokens += records[i].Tokens(Direction.Input);
                    OutputTokens += records[i].Tokens(Direction.Output);
                    InSuspense += remarks.HasFlag(UsageRemarks.Suspense) ? 1 : 0;
                    Overrun += remarks.HasFlag(UsageRemarks.Overrun) ? 1 : 0;
                    OverHold += remarks.HasFlag(UsageRemarks.OverHold) ? 1 : 0;
                    HoldNotOpen += remarks.HasFlag(UsageRemarks.HoldNotOpen) ? 1 : 0;
                    break;
                case UsageStatus.Exists:
                    Existing++;
                    break;
                default:
                    Conflicts++;
                    break;
            }
        }
    }
}
