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
/// Corrects any number of frames: the engine takes a piece at a time, so that usage goes on coming in between. Stopped
/// at any point and run again with the same id, it goes on where it was; with another id, it finds what is left to
/// change.
/// </summary>
public static class CorrectUsage
{
    /// <summary>Pieces under way at once: one is applied while another is made durable.</summary>
    private const int Lanes = 2;

    /// <summary>Makes a correction of frames 1 to the last, or of those that it names.</summary>
    /// <param name="shard">Where.</param>
    /// <param name="whole">What; a <see cref="Correction.ToSeq"/> of 0 stands for the last durable frame.</param>
    /// <param name="progress">Told of each piece.</param>
    /// <param name="cancel">Stops between two pieces.</param>
    /// <exception cref="CorrectionRefusedException">The id was used for another correction.</exception>
    public static async Task<CorrectionTotals> RunAsync(
        Shard shard, Correction whole, IProgress<CorrectionTotals>? progress = null, CancellationToken cancel = default)
    {
        long from = Math.Max(whole.FromSeq, 1);
        long to = whole.ToSeq == 0 ? shard.DurableSeq : whole.ToSeq;
        if (to < from)
        {
            return new CorrectionTotals(0, 0);
        }

        long middle = from + ((to - from) / Lanes);
        (long corrected, long frames, long closed) = (0, 0, 0);
        await Task.WhenAll(RunLane(from, middle), RunLane(middle + 1, to)).ConfigureAwait(false);
        return new CorrectionTotals(corrected, frames, closed);

        async Task RunLane(long next, long last)
        {
            while (next <= last)
            {
                cancel.ThrowIfCancellationRequested();
                string id = string.Create(CultureInfo.InvariantCulture, $"{whole.Id}/{next}-{last}");
                CorrectionResult piece = await shard.CorrectAsync(
                    whole with { Id = id, FromSeq = next, ToSeq = last }, CancellationToken.None).ConfigureAwait(false);
                if (piece.Status is not (LedgerStatus.Done or LedgerStatus.Exists))
                {
                    throw new CorrectionRefusedException(
                        $"Correction '{whole.Id}' of frames {next} to {last}: {piece.Status}. "
                        + (piece.Status == LedgerStatus.Conflict
                            ? "Use an id that was not used before."
                            : "Give a short id, and a memo within the limit."));
                }

                Interlocked.Add(ref corrected, piece.Status == LedgerStatus.Done ? piece.Records.Count : 0);
                Interlocked.Add(ref closed, piece.Closed);
                Interlocked.Add(ref frames, piece.ToSeq - next + 1);
                next = piece.ToSeq + 1;
                progress?.Report(new CorrectionTotals(Volatile.Read(ref corrected), Volatile.Read(ref frames)));
            }
        }
    }
}
