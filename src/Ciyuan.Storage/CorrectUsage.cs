using System.Globalization;
using System.Threading.Channels;
using Ciyuan.Journal;
using Ciyuan.Ledger;

namespace Ciyuan.Storage;

/// <summary>What a correction of a whole period did.</summary>
/// <param name="Corrected">Records whose charges changed.</param>
/// <param name="Frames">Frames that were looked at.</param>
/// <param name="Closed">Records that were left alone because their event time is closed.</param>
public sealed record CorrectionTotals(long Corrected, long Frames, long Closed = 0);

/// <summary>A correction could not be made; the message says why and what to do.</summary>
public sealed class CorrectionRefusedException(string message) : Exception(message);

/// <summary>
/// Corrects any number of frames, in their order: the engine takes a piece at a time, so that usage goes on coming in
/// between. Stopped at any point and run again with the same id, it goes on where it was; with another id, it finds
/// what is left to change.
/// </summary>
public static class CorrectUsage
{
    /// <summary>Makes a correction of frames 1 to the last, or of those that it names.</summary>
    /// <param name="shard">Where.</param>
    /// <param name="whole">What; a <see cref="Correction.ToSeq"/> of 0 stands for the last durable frame.</param>
    /// <param name="progress">Told of each piece.</param>
    /// <param name="cancel">Stops between two pieces.</param>
    /// <exception cref="CorrectionRefusedException">The id was used for another correction.</exception>
    public static async Task<CorrectionTotals> RunAsync(
        Shard shard, Correction whole, IProgress<CorrectionTotals>? progress = null, CancellationToken cancel = default)
    {
        long first = Math.Max(whole.FromSeq, 1);
        long to = whole.ToSeq == 0 ? shard.DurableSeq : whole.ToSeq;
        var totals = new CorrectionTotals(0, 0);
        if (first > to)
        {
            return totals;
        }

        var pieces = new Pieces(whole, to, cancel);
        await shard.StartAsync(pieces.Begin(first), cancel).ConfigureAwait(false);
        try
        {
            await foreach ((Task<CorrectionResult> durable, long frames) in pieces.ReadAsync().ConfigureAwait(false))
            {
                CorrectionResult result = await durable.ConfigureAwait(false);
                RequireDone(result, whole.Id);
                totals = new CorrectionTotals(
                    totals.Corrected + (result.Status == LedgerStatus.Done ? result.Count : 0),
                    totals.Frames + frames, totals.Closed + result.Closed);
                progress?.Report(totals);
            }
        }
        finally
        {
            pieces.Stop();
        }

        cancel.ThrowIfCancellationRequested();
        return totals;
    }

    private static void RequireDone(CorrectionResult piece, string id)
    {
        if (piece.Status is not (LedgerStatus.Done or LedgerStatus.Exists))
        {
            throw new CorrectionRefusedException(
                $"Correction '{id}': {piece.Status}. "
                + (piece.Status == LedgerStatus.Conflict
                    ? "Use an id that was not used before."
                    : "Give a short id, and a memo within the limit."));
        }
    }

    /// <summary>
    /// The pieces of a correction. Each begins where the one before it ended, which is known once that one is applied:
    /// the writer asks for it then, so it never waits for the thread that waits for all of them.
    /// </summary>
    private sealed class Pieces(Correction whole, long to, CancellationToken cancel)
    {
        private readonly Channel<(Task<CorrectionResult> Durable, long Frames)> _applied =
            Channel.CreateUnbounded<(Task<CorrectionResult>, long)>();

        private volatile bool _stopped;

        /// <summary>Those that were applied, in order, until the last or until it is stopped.</summary>
        public IAsyncEnumerable<(Task<CorrectionResult> Durable, long Frames)> ReadAsync() =>
            _applied.Reader.ReadAllAsync(CancellationToken.None);

        /// <summary>No piece begins any more.</summary>
        public void Stop() => _stopped = true;

        /// <summary>The piece that begins at a frame.</summary>
        public CorrectionWork Begin(long from)
        {
            string id = string.Create(CultureInfo.InvariantCulture, $"{whole.Id}/{from}-{to}");
            return new CorrectionWork(whole with { Id = id, FromSeq = from, ToSeq = to }, Follow);
        }

        /// <summary>What comes after a piece that was applied, or failed before it was.</summary>
        private CorrectionWork? Follow(CorrectionWork piece, CorrectionResult? applied)
        {
            long from = piece.Correction.FromSeq;
            long end = applied?.Status is LedgerStatus.Done or LedgerStatus.Exists ? applied.ToSeq : to;
            _applied.Writer.TryWrite((piece.Task, end - from + 1));
            if (applied is not null && end < to && !_stopped && !cancel.IsCancellationRequested)
            {
                return Begin(end + 1);
            }

            _applied.Writer.TryComplete();
            return null;
        }
    }
}
