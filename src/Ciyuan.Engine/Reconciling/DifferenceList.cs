using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ciyuan.Quantities;

namespace Ciyuan.Reconciling;

/// <summary>
/// Collects differences: sums by class, the first ones themselves, and a hash over all of them, so that a result can be
/// signed that is too long to be shown. Not safe for several threads.
/// </summary>
/// <param name="most">Differences that are kept.</param>
public sealed class DifferenceList(int most = DifferenceList.MostKept)
{
    /// <summary>Differences that are kept unless told otherwise: at some 300 bytes each 30 MB.</summary>
    public const int MostKept = 100_000;

    private readonly SortedDictionary<DifferenceClass, DifferenceSum> _sums = [];
    private readonly List<Difference> _kept = [];
    private byte[] _hash = [];

    /// <summary>The first differences, in the order in which they were found.</summary>
    public IReadOnlyList<Difference> Kept => _kept;

    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    /// <summary>By class.</summary>
    public IReadOnlyCollection<DifferenceSum> Sums => _sums.Values;

    /// <summary>Sum of all: theirs less ours.</summary>
    public Amount Delta => _sums.Values.Aggregate(Amount.Zero, (sum, one) => sum + one.Delta);

    /// <summary>Adds one.</summary>
    public void Add(Difference difference)
    {
        Count++;
        DifferenceSum old = _sums.GetValueOrDefault(difference.Class) ?? new(difference.Class, 0, Amount.Zero);
        _sums[difference.Class] = old with { Count = old.Count + 1, Delta = old.Delta + difference.Delta };
        if (_kept.Count < most)
        {
            _kept.Add(difference);
        }

        string text = string.Create(CultureInfo.InvariantCulture,
            $"{(byte)difference.Class}|{difference.Id}|{difference.Time?.UnixNanoseconds}|{difference.Model}|"
            + $"{difference.Of.Value}|{difference.Delta.Pico}");
        _hash = SHA256.HashData([.. _hash, .. Encoding.UTF8.GetBytes(text)]);
    }

    /// <summary>A hash chained over all that was added, in hexadecimal; empty without any.</summary>
    public string Hash => Convert.ToHexStringLower(_hash);
}
