using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

public sealed partial class Engine
{
    /// <summary>
    /// The groups of a source that placed a hold which is still open, newest first. Goes back through the frames until
    /// every open hold is found, or to a time before which there are none of interest.
    /// </summary>
    /// <param name="source">Source of the groups.</param>
    /// <param name="since">Frames before this are not looked at.</param>
    public IReadOnlyList<LedgerGroup> FindOpenHolds(string source, Timestamp since)
    {
        var found = new List<LedgerGroup>();
        int left = _ledger.Holds.Count;
        for (long seq = Seq; seq > 0 && left > 0; seq--)
        {
            Frame frame = _history.ReadFrame(seq);
            if (frame.Time < since)
            {
                break;
            }

            foreach (LedgerGroup group in frame.Groups)
            {
                int open = group.Operations.OfType<PlaceHold>().Count(
                    place => _ledger.Holds.ContainsKey(_hasher.Digest(IdKind.Hold, group.Source, place.Hold)));
                left -= open;
                if (open > 0 && group.Source == source)
                {
                    found.Add(group);
                }
            }
        }

        return found;
    }
}
