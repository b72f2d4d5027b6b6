using Ciyuan.Quantities;

namespace Ciyuan.Ledger;

/// <summary>Up to when the periods of each agreement are frozen: what comes later for those times is late.</summary>
internal sealed class FrozenTimes
{
    private readonly Dictionary<string, Timestamp> _until = new(StringComparer.Ordinal);

    // Nearly every record lies after all that is frozen, so nothing is looked up for it.
    private Timestamp _latest = Timestamp.MinValue;

    /// <summary>Freezes an agreement's event times before a moment.</summary>
    public void Freeze(string agreement, Timestamp until)
    {
        _until[agreement] = until;
        _latest = until > _latest ? until : _latest;
    }

    /// <summary>Whether an agreement's event time is frozen.</summary>
    public bool IsFrozen(string agreement, Timestamp moment) =>
        moment < _latest && _until.TryGetValue(agreement, out Timestamp until) && moment < until;
}
