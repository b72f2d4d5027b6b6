using System.Collections.Concurrent;

namespace Ciyuan.Tokens;

/// <summary>What was found for the names of models that were asked for, since the same few are asked for again and
/// again. Safe for any number of threads.</summary>
/// <param name="find">Finds it by rules; always the same for the same name.</param>
internal sealed class ModelMemo<T>(Func<string, T?> find)
    where T : class
{
    /// <summary>Names come from callers, so they are not all remembered.</summary>
    private const int MostNames = 256;

    private readonly ConcurrentDictionary<string, T?> _found = new(StringComparer.Ordinal);

    /// <summary>What a name stands for; null when nothing names it.</summary>
    internal T? Find(string name)
    {
        if (_found.TryGetValue(name, out T? known))
        {
            return known;
        }

        if (_found.Count >= MostNames)
        {
            _found.Clear();
        }

        return _found.GetOrAdd(name, find);
    }
}
