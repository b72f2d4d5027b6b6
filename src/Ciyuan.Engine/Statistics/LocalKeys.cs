using System.Runtime.InteropServices;

namespace Ciyuan.Statistics;

/// <summary>Numbers what a question has to tell apart within one segment: types of rows that mean the same to it share
/// a number, so that there are few cells.</summary>
/// <typeparam name="T">What it tells apart.</typeparam>
internal sealed class LocalKeys<T>
    where T : struct
{
    private readonly Dictionary<T, int> _numbers = [];
    private readonly List<T> _keys = [];

    /// <summary>How many there are.</summary>
    internal int Count => _keys.Count;

    /// <summary>The one with a number.</summary>
    internal T this[int number] => CollectionsMarshal.AsSpan(_keys)[number];

    /// <summary>Forgets those of the segment before, and numbers those of the types of the next.</summary>
    /// <param name="types">Types of rows.</param>
    /// <param name="keyOf">What one is to the question.</param>
    /// <returns>The number for each type.</returns>
    internal int[] Number(IReadOnlyList<FactType> types, Func<FactType, T> keyOf)
    {
        _numbers.Clear();
        _keys.Clear();
        var numbers = new int[types.Count];
        for (int t = 0; t < numbers.Length; t++)
        {
            T key = keyOf(types[t]);
            if (!_numbers.TryGetValue(key, out numbers[t]))
            {
                _numbers.Add(key, numbers[t] = _keys.Count);
                _keys.Add(key);
            }
        }

        return numbers;
    }
}
