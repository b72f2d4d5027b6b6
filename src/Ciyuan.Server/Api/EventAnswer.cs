using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Ciyuan.Journal;
using Ciyuan.Ledger;

namespace Ciyuan.Server.Api;

/// <summary>
/// Writes what became of events, by hand: at 80 000 events a second the answer is a part of the cost.
/// <code>
/// {"results":[{"status":"posted","record":"12.3","remarks":["suspense"]},…],
/// "posted":n,"exists":n,"conflicts":n,"rejected":n}
/// </code>
/// </summary>
internal static class EventAnswer
{
    /// <summary>Room for a result without a reason: the longest status and the remarks are 90 bytes, the numbers
    /// 50.</summary>
    private const int MostBytes = 256;

    private static readonly byte[][] Remarks = MakeRemarks();

    /// <summary>Writes the answer to a batch.</summary>
    /// <param name="output">Receives it.</param>
    /// <param name="batch">The events.</param>
    /// <param name="replies">A reply for each record of the batch.</param>
    /// <param name="brief">Leaves out the results of events that were posted without a remark, and names the others by
    /// index.</param>
    internal static void Write(
        IBufferWriter<byte> output, EventBatch batch, ReadOnlySpan<UsageReply> replies, bool brief)
    {
        output.Write("{\"results\":["u8);
        bool first = true;
        int next = 0;
        Span<long> tallies = stackalloc long[4];
        for (int i = 0; i < batch.Faults.Count; i++)
        {
            string? fault = batch.Faults[i];
            UsageReply reply = fault is null ? replies[next++] : default;
            tallies[TallyOf(reply)]++;
            if (brief && reply is { Status: UsageStatus.Posted, Remarks: UsageRemarks.None })
            {
                continue;
            }

            if (!first)
            {
                output.Write(","u8);
            }

            first = false;
            WriteResult(output, reply, fault, brief ? i : -1);
        }

        WriteTallies(output, tallies);
    }

    /// <summary>Writes one result.</summary>
    /// <param name="output">Receives it.</param>
    /// <param name="reply">The reply; not used when there is a fault.</param>
    /// <param name="fault">Why the event was refused.</param>
    /// <param name="index">Which event of the batch; -1: not said.</param>
    internal static void WriteResult(IBufferWriter<byte> output, UsageReply reply, string? fault, int index)
    {
        Span<byte> room = output.GetSpan(MostBytes);
        int n = Put(room, 0, "{"u8);
        if (index >= 0)
        {
            n = PutNumber(room, Put(room, n, "\"index\":"u8), index);
            n = Put(room, n, ","u8);
        }

        if (fault is not null)
        {
            n = Put(room, n, "\"status\":\"rejected\",\"reason\":\""u8);
            output.Advance(n);
            output.Write(JsonEncodedText.Encode(fault).EncodedUtf8Bytes);
            output.Write("\"}"u8);
            return;
        }

        n = Put(room, n, reply.Status switch
        {
            UsageStatus.Posted => "\"status\":\"posted\",\"record\":\""u8,
            UsageStatus.Exists => "\"status\":\"exists\",\"record\":\""u8,
            _ => "\"status\":\"conflict\",\"record\":\""u8,
        });
        n = PutNumber(room, n, reply.Position.Seq);
        n = PutNumber(room, Put(room, n, "."u8), reply.Position.Index);
        n = Put(room, n, Remarks[(int)reply.Remarks & (Remarks.Length - 1)]);
        output.Advance(n);
    }

    private static void WriteTallies(IBufferWriter<byte> output, ReadOnlySpan<long> tallies)
    {
        Span<byte> room = output.GetSpan(MostBytes);
        int n = PutNumber(room, Put(room, 0, "],\"posted\":"u8), tallies[0]);
        n = PutNumber(room, Put(room, n, ",\"exists\":"u8), tallies[1]);
        n = PutNumber(room, Put(room, n, ",\"conflicts\":"u8), tallies[2]);
        n = PutNumber(room, Put(room, n, ",\"rejected\":"u8), tallies[3]);
        output.Advance(Put(room, n, "}"u8));
    }

    private static int TallyOf(UsageReply reply) => reply.Status switch
    {
        UsageStatus.Posted => 0,
        UsageStatus.Exists => 1,
        UsageStatus.Conflict or UsageStatus.ConflictExists => 2,
        _ => 3,
    };

    private static int Put(Span<byte> room, int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(room[at..]);
        return at + text.Length;
    }

    private static int PutNumber(Span<byte> room, int at, long number)
    {
        Utf8Formatter.TryFormat(number, room[at..], out int written);
        return at + written;
    }

    // What stands between the record's place and the next result, for each set of remarks.
    private static byte[][] MakeRemarks()
    {
        (UsageRemarks Remark, string Name)[] names =
        [
            (UsageRemarks.Overrun, "overrun"), (UsageRemarks.Suspense, "suspense"),
            (UsageRemarks.OverHold, "over_hold"), (UsageRemarks.HoldNotOpen, "hold_not_open"),
            (UsageRemarks.Late, "late"),
        ];
        return [.. Enumerable.Range(0, 2 * (int)UsageRemarks.Late).Select(set =>
        {
            string list = string.Join(',', names.Where(n => (set & (int)n.Remark) != 0).Select(n => $"\"{n.Name}\""));
            return Encoding.UTF8.GetBytes(list.Length == 0 ? "\"}" : $"\",\"remarks\":[{list}]}}");
        })];
    }
}
