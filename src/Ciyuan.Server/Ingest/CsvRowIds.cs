using System.Globalization;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>
/// Gives rows without an id column an id from their content: the hash, and which of the file's equal rows it is. So the
/// same file under another name, or after it has grown, gives the same ids. Rows come in the order of the file.
/// </summary>
public sealed class CsvRowIds
{
    /// <summary>Most rows without id in one file: a dictionary of so many 128-bit hashes takes about 1 GiB.</summary>
    public const int MaxRows = 20_000_000;

    private readonly Dictionary<UInt128, int> _seen = [];
    private int _rows;

    /// <summary>The same record with its id.</summary>
    /// <param name="record">As read; its id is a place holder.</param>
    /// <param name="content">Hash of its row.</param>
    /// <param name="identified">With the id; null when the file has too many rows without one.</param>
    public bool TryIdentify(UsageRecord record, UInt128 content, out UsageRecord? identified)
    {
        identified = null;
        if (_rows == MaxRows)
        {
            return false;
        }

        _rows++;
        ref int equal = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
            _seen, content, out _);
        equal++;
        identified = new UsageRecord
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{content:x32}-{equal}"),
            Context = record.Context,
            EventTime = record.EventTime,
            Outcome = record.Outcome,
            LatencyMs = record.LatencyMs,
            Counts = record.Counts,
            Tags = record.Tags,
            Hold = record.Hold,
        };
        return true;
    }
}
