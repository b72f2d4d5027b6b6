using Ciyuan.Quantities;

namespace Ciyuan.Settlement;

/// <summary>From a frame on, what happened before a moment is booked at that moment: a period was frozen, or event
/// times
/// were closed.</summary>
/// <param name="Agreement">The agreement; empty for all.</param>
/// <param name="Until">First event time that is still open.</param>
/// <param name="FromSeq">First frame for which that holds.</param>
public readonly record struct BookingCut(string Agreement, Timestamp Until, long FromSeq);

/// <summary>
/// When a charge is booked: at its event time, unless that had been closed before it was recorded; then at the end of
/// what was closed. With <c>until(s)</c> the latest moment that was closed for the agreement before frame s, a charge
/// at
/// event time t recorded in frame s is booked at max(t, until(s)). So every charge is in one period of a calendar, no
/// period that is frozen ever gains or loses one, and which period it is follows from the journal alone.
/// </summary>
public sealed class BookingTimes
{
    private readonly Timestamp[] _until; // both rising
    private readonly long[] _from;

    /// <summary>The times of an agreement under some cuts, of which those of other agreements are left out.</summary>
    /// <param name="agreement">The agreement.</param>
    /// <param name="cuts">Cuts in the order of their frames.</param>
    public BookingTimes(string agreement, IEnumerable<BookingCut> cuts)
    {
        var until = new List<Timestamp>();
        var from = new List<long>();
        foreach (BookingCut cut in cuts)
        {
            bool ours = cut.Agreement.Length == 0 || cut.Agreement == agreement;
            if (ours && (until.Count == 0 || cut.Until > until[^1]))
            {
                until.Add(cut.Until);
                from.Add(cut.FromSeq);
            }
        }

        _until = [.. until];
        _from = [.. from];
    }

    /// <summary>Everything is booked when it happens.</summary>
    public static BookingTimes Open { get; } = new("", []);

    /// <summary>The latest moment before which all is closed for what a frame records.</summary>
    public Timestamp UntilAt(long seq)
    {
        int after = Array.BinarySearch(_from, seq + 1);
        after = after < 0 ? ~after : after;
        while (after > 0 && _from[after - 1] > seq)
        {
            after--; // several cuts may stand in one frame
        }

        return after == 0 ? Timestamp.MinValue : _until[after - 1];
    }

    /// <summary>The end of the closed time that a moment lies in; it must be before <see cref="UntilAt"/>.</summary>
    public Timestamp ClosedEndOf(Timestamp moment)
    {
        int at = Array.BinarySearch(_until, moment);
        return _until[at < 0 ? ~at : at + 1];
    }

    /// <summary>When something is booked.</summary>
    public Timestamp BookedAt(Timestamp moment, long seq) =>
        UntilAt(seq) is var until && until > moment ? until : moment;
}
