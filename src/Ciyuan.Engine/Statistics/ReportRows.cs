using System.Numerics;
using System.Runtime.InteropServices;

namespace Ciyuan.Statistics;

/// <summary>
/// The rows of several runs put together. They are told apart and sorted by numbers: names are looked at once for each
/// value that occurs, not once for each row, of which there may be a million.
/// </summary>
internal sealed class ReportRows
{
    private readonly ReportQuery _query;
    private readonly TimeBuckets? _buckets;
    private readonly bool _usesUp;
    private readonly Axis[] _axes;
    private readonly (int Axis, int Part)[] _places;
    private Dictionary<GroupKey, Group> _groups = [];

    public ReportRows(ReportQuery query, TimeBuckets? buckets, bool usesUp)
    {
        _usesUp = usesUp;
        _query = query;
        _buckets = buckets;
        _places = new (int, int)[query.GroupBy.Count];
        int[] parts = new int[3];
        for (int i = 0; i < _places.Length; i++)
        {
            int axis = query.GroupBy[i].IsOfCount() ? 1 : query.GroupBy[i].IsOfCharge() ? 2 : 0;
            _places[i] = (axis, parts[axis]++);
        }

        _axes = Array.ConvertAll(parts, count => new Axis(count));
    }

    public int Count => _groups.Count;

    public IEnumerable<Group> Groups => _groups.Values;

    /// <summary>Adds a run's groups, which it may take over.</summary>
    /// <param name="run">The run.</param>
    /// <param name="codes">The number of each of the run's measures here.</param>
    /// <exception cref="ReportTooLargeException">There are more than <see cref="Report.MaxRows"/> rows.</exception>
    public void Add(ReportRun run, int[] codes)
    {
        int[][] here = [.. run.Keys.Values.Select((values, axis) => values.Select(_axes[axis].Find).ToArray())];
        bool same = codes.Select((code, i) => code == i).All(fits => fits);
        if (_usesUp && _groups.Count == 0 && same && Array.TrueForAll(here, IsInOrder))
        {
            _groups = run.Groups;
            return;
        }

        foreach ((GroupKey key, Group sums) in run.Groups)
        {
            var place = new GroupKey(key.Bucket, here[0][key.Type], here[1][key.Count], here[2][key.Charge]);
            ref Group? merged = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, place, out bool exists);
            if (!exists && same && _usesUp)
            {
                merged = sums;
                continue;
            }

            merged ??= new Group();
            sums.AddTo(merged, codes);
        }

        if (_groups.Count > Report.MaxRows)
        {
            throw new ReportTooLargeException(
                $"The report has {_groups.Count} rows, more than {Report.MaxRows}: narrow it.");
        }
    }

    /// <summary>The rows in order: time, then the dimensions' values in ordinal order.</summary>
    public ReportRow[] ToRows(Func<Group, Int128[]> values)
    {
        int[][][] ranks = Array.ConvertAll(_axes, axis => axis.Ranks());
        var keys = new UInt128[_groups.Count];
        var groups = new KeyValuePair<GroupKey, Group>[keys.Length];
        (int[] bits, int sum) = Widths(ranks);
        int at = 0;
        foreach (KeyValuePair<GroupKey, Group> group in _groups)
        {
            var key = (UInt128)group.Key.Bucket;
            for (int i = 0; i < _places.Length; i++)
            {
                (int axis, int part) = _places[i];
                key = (key << bits[i]) | (uint)ranks[axis][part][CodeOf(group.Key, axis)];
            }

            groups[at] = group;
            keys[at++] = key;
        }

        Sort(keys, groups, sum);
        return Array.ConvertAll(groups, group => new ReportRow(NamesOf(group.Key), values(group.Value)));
    }

    private static bool IsInOrder(int[] codes)
    {
        for (int i = 0; i < codes.Length; i++)
        {
            if (codes[i] != i)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Bits of the rank in each dimension, and of all with the bucket.</summary>
    /// <remarks>At most 32 for the bucket and 20 for each of 16 dimensions would not fit 128 bits; but a report has at
    /// most a million rows, so only a few dimensions can have many values.</remarks>
    private (int[] Bits, int Sum) Widths(int[][][] ranks)
    {
        int[] bits = Array.ConvertAll(_places, p => BitOperations.Log2((uint)ranks[p.Axis][p.Part].Length) + 1);
        int sum = bits.Sum() + (_buckets is null ? 0 : 31);
        return sum <= 128 ? (bits, sum) : throw new ReportTooLargeException("The report has too many dimensions.");
    }

    private static void Sort(UInt128[] keys, KeyValuePair<GroupKey, Group>[] groups, int bits)
    {
        if (bits <= 64)
        {
            Array.Sort(Array.ConvertAll(keys, key => (ulong)key), groups); // by far the faster
        }
        else
        {
            Array.Sort(keys, groups);
        }
    }

    private static int CodeOf(in GroupKey key, int axis) => axis switch
    {
        0 => key.Type,
        1 => key.Count,
        _ => key.Charge,
    };

    private string[] NamesOf(in GroupKey key)
    {
        int first = _buckets is null ? 0 : 1;
        var names = new string[first + _places.Length];
        if (_buckets is not null)
        {
            names[0] = _buckets.Name(key.Bucket);
        }

        for (int i = 0; i < _places.Length; i++)
        {
            names[first + i] = _axes[_places[i].Axis].Values[CodeOf(key, _places[i].Axis)][_places[i].Part];
        }

        return names;
    }

    /// <summary>The lists of values of some dimensions that occur in any run, by number.</summary>
    private sealed class Axis(int parts)
    {
        private readonly Dictionary<string[], int> _codes = new(new ValuesByContent());

        public List<string[]> Values { get; } = [];

        public int Find(string[] values)
        {
            if (!_codes.TryGetValue(values, out int code))
            {
                _codes.Add(values, code = Values.Count);
                Values.Add(values);
            }

            return code;
        }

        /// <summary>For each part, the rank of its value in each list: equal values have one rank, by ordinal
        /// order.</summary>
        public int[][] Ranks()
        {
            var ranks = new int[parts][];
            for (int part = 0; part < parts; part++)
            {
                string[] names = [.. Values.Select(v => v[part]).Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal)];
                ranks[part] = [.. Values.Select(v => Array.BinarySearch(names, v[part], StringComparer.Ordinal))];
            }

            return ranks;
        }
    }
}
