using System.IO.Hashing;
using System.Runtime.InteropServices;
using Ciyuan.Ledger;
using Ciyuan.Rating;

namespace Ciyuan.Journal;

/// <summary>Frames whose records were corrected, and where the corrected charges stand.</summary>
/// <param name="FromSeq">First frame.</param>
/// <param name="ToSeq">Last frame.</param>
/// <param name="Position">The correction.</param>
/// <param name="Touched">Digest of which charges changed (<see cref="TouchedCharges"/>); 0 where that can't be
/// told.</param>
internal readonly record struct CorrectedRange(long FromSeq, long ToSeq, FramePosition Position, UInt128 Touched);

/// <summary>
/// The corrections that must be read to know what a record is charged now. A later one that changed the very same
/// charges says all that an earlier one said, so the earlier is dropped: a month that is rated for the tenth time is
/// read like one that was rated twice.
/// </summary>
internal sealed class CorrectedRanges
{
    private readonly List<CorrectedRange> _ranges = [];

    /// <summary>All, in order.</summary>
    public IReadOnlyList<CorrectedRange> All => _ranges;

    /// <summary>Adds the newest.</summary>
    public void Add(in CorrectedRange range)
    {
        UInt128 touched = range.Touched;
        if (touched != 0 && _ranges.FindIndex(r => r.Touched == touched) is >= 0 and int superseded)
        {
            _ranges.RemoveAt(superseded);
        }

        _ranges.Add(range);
    }

    /// <summary>Those that may have changed records of a frame, in order.</summary>
    public IEnumerable<CorrectedRange> Of(long seq)
    {
        for (int i = 0; i < _ranges.Count; i++)
        {
            if (_ranges[i].FromSeq <= seq && seq <= _ranges[i].ToSeq)
            {
                yield return _ranges[i];
            }
        }
    }
}

/// <summary>
/// Which charges a correction changed: records, and of each the agreements. A record has at most one charge of an
/// agreement, so they say what the charge now depends on, whatever it was and is.
/// </summary>
internal static class TouchedCharges
{
    /// <summary>The digest: equal, short of a collision of 128 bits, when the same agreements of the same records
    /// changed, in whatever order. 0 when one had no agreement, for there may be several such charges.</summary>
    public static UInt128 DigestOf(CorrectionResult result)
    {
        UInt128 sum = 0;
        foreach (CorrectedRecord single in result.Singles)
        {
            if (!TryAddUp(single.Charges.Select(c => c.Rate), out UInt128 agreements))
            {
                return 0;
            }

            sum = unchecked(sum + DigestOf(single.Position.Seq, single.Position.Index, agreements));
        }

        foreach (CorrectedGroup group in result.Groups)
        {
            if (!TryAddUp(group.Charges.Select(c => c.Rate), out UInt128 agreements))
            {
                return 0;
            }

            foreach (int index in group.Indices)
            {
                sum = unchecked(sum + DigestOf(group.Seq, index, agreements));
            }
        }

        return sum;
    }

    private static bool TryAddUp(IEnumerable<Rate> rates, out UInt128 agreements)
    {
        agreements = 0;
        foreach (string agreement in rates.Select(r => r.Agreement).Distinct(StringComparer.Ordinal))
        {
            if (agreement.Length == 0)
            {
                return false;
            }

            agreements = unchecked(agreements + XxHash128.HashToUInt128(MemoryMarshal.AsBytes(agreement.AsSpan())));
        }

        return true;
    }

    private static UInt128 DigestOf(long seq, int index, UInt128 agreements)
    {
        unchecked
        {
            // Two rounds of a full product of 64 bits for each half: a term for each record costs some nanoseconds.
            ulong place = ((ulong)seq * 0x9E3779B97F4A7C15) ^ ((ulong)index * 0xC2B2AE3D27D4EB4F);
            return new UInt128(
                Mix(place ^ (ulong)(agreements >> 64), 0xA0761D6478BD642F),
                Mix(place ^ (ulong)agreements, 0xE7037ED1A0B428DB));
        }
    }

    private static ulong Mix(ulong value, ulong by)
    {
        ulong high = Math.BigMul(value ^ (value >> 32), by, out ulong low);
        high = Math.BigMul(high ^ low ^ by, 0x8EBC6AF09C88C6E3, out low);
        return high ^ low;
    }
}
