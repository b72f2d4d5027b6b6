using System.Globalization;
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
    /// <summary>Pieces applied and not yet durable, at most: one is applied while others are made durable.</summary>
    private const int UnderWay = 4;

    /// <summary>Makes a correction of frames 1 to the last, or of those that it names.</summary>
    /// <param name="shard">Where.</param>
    /// <param name="whole">What; a <see cref="Correction.ToSeq"/> of 0 stands for the last durable frame.</param>
    /// <param name="progress">Told of each piece.</param>
    /// <param name="cancel">Stops between two pieces.</param>
    /// <exception cref="CorrectionRefusedException">The id was used for another correction.</exception>
    public static async Task<CorrectionTotals> RunAsync(
        Shard shard, Correction whole, IProgress<CorrectionTotals>? progress = null, CancellationToken cancel = default)
    {
        long next = Math.Max(whole.FromSeq, 1);
        long to = whole.ToSeq == 0 ? shard.DurableSeq : whole.ToSeq;
        var totals = new CorrectionTotals(0, 0);
        var underWay = new Queue<(Task<CorrectionResult> Durable, long Frames)>();
        while (underWay.Count > 0 || (next <= to && !cancel.IsCancellationRequested))
        {
            if (next <= to && underWay.Count < UnderWay && !cancel.IsCancellationRequested)
            {
                // Each piece begins where the one before it ended, which is known once that one is applied.
                string id = string.Create(CultureInfo.InvariantCulture, $"{whole.Id}/{next}-{to}");
                CorrectionWork piece = await shard.StartCorrectionAsync(
                    whole with { Id = id, FromSeq = next, ToSeq = to }).ConfigureAwait(false);
                CorrectionResult applied = await piece.Applied.ConfigureAwait(false);
                long end = applied.Status is LedgerStatus.Done or LedgerStatus.Exists ? applied.ToSeq : to;
                underWay.Enqueue((piece.Task, end - next + 1));
                next = end + 1;
                continue;
            }

            (Task<CorrectionResult> durable, long frames) = underWay.Dequeue();
            CorrectionResult result = await durable.ConfigureAwait(false);
            RequireDone(result, whole.Id);
            totals = new CorrectionTotals(
                totals.Corrected + (result.Status == LedgerStatus.Done ? result.Count : 0), totals.Frames + frames,
                totals.Closed + result.Closed);
            progress?.Report(totals);
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
}
