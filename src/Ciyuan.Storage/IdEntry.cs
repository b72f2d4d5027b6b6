using System.Runtime.InteropServices;
using Ciyuan.Journal;

namespace Ciyuan.Storage;

/// <summary>
/// One remembered id in 32 bytes, in memory as in files (little-endian). A place of zero means: no entry.
/// </summary>
/// <remarks>
/// Place, frozen: 40 bits frame, 16 bits index, 8 bits status: a million frames a day for 3 000 years.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct IdEntry : IComparable<IdEntry>
{
    internal const int Size = 32;
    private const long MaxSeq = (1L << 40) - 1;

    internal readonly ulong High;
    internal readonly ulong Low;
    private readonly ulong _fingerprint;
    private readonly ulong _place;

    internal IdEntry(UInt128 digest, PastId past)
    {
        if (past.Position.Seq is < 1 or > MaxSeq || past.Position.Index is < 0 or > ushort.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                nameof(past), past.Position, "A place is frame 1 to 2^40-1, index 0 to 65535.");
        }

        High = (ulong)(digest >> 64);
        Low = unchecked((ulong)digest);
        _fingerprint = past.Fingerprint;
        _place = ((ulong)past.Position.Seq << 24) | ((ulong)past.Position.Index << 8) | past.Status;
    }

    internal bool IsEmpty => _place == 0;

    internal long Seq => (long)(_place >> 24);

    internal PastId Past =>
        new(_fingerprint, new FramePosition(Seq, (int)((_place >> 8) & 0xFFFF)), unchecked((byte)_place));

    public int CompareTo(IdEntry other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    internal bool Precedes(in IdEntry other) => High != other.High ? High < other.High : Low < other.Low;
}
