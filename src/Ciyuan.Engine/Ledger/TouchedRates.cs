using Ciyuan.Rating;

namespace Ciyuan.Ledger;

/// <summary>
/// Which present charges of a record a correction replaced. By agreement, of which a record has one charge at most: the
/// charge that the correction took back may have been made by an earlier one that is not looked at any more, as this
/// one supersedes it. Charges without an agreement are told apart by their rates.
/// </summary>
internal sealed class TouchedRates
{
    private readonly HashSet<string> _agreements = new(StringComparer.Ordinal);
    private readonly HashSet<Rate> _taken = [];

    /// <summary>Adds a charge of the correction.</summary>
    public void Add(Rate rate, bool taken)
    {
        if (rate.Agreement.Length > 0)
        {
            _agreements.Add(rate.Agreement);
        }
        else if (taken)
        {
            _taken.Add(rate);
        }
    }

    /// <summary>Whether a charge that was there before is not there any more.</summary>
    public bool Contains(Rate rate) =>
        rate.Agreement.Length > 0 ? _agreements.Contains(rate.Agreement) : _taken.Contains(rate);
}
