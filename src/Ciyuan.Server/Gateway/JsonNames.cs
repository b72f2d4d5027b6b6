using System.Text;
using System.Text.Json;

namespace Ciyuan.Server.Gateway;

/// <summary>Names of fields that matter, found by their bytes: of most fields of a body the length alone says that they
/// are none of them.</summary>
internal sealed class JsonNames
{
    private readonly string[] _names;
    private readonly (byte[] Utf8, int Index)[][] _byLength;

    /// <summary>Some names.</summary>
    internal JsonNames(params ReadOnlySpan<string> names)
    {
        _names = names.ToArray();
        var byLength = new List<(byte[], int)>[_names.Max(n => n.Length) + 1];
        for (int i = 0; i < _names.Length; i++)
        {
            (byLength[_names[i].Length] ??= []).Add((Encoding.UTF8.GetBytes(_names[i]), i));
        }

        _byLength = [.. byLength.Select(l => l?.ToArray() ?? [])];
    }

    /// <summary>Number of the name that the reader stands at; -1 when it is none of them.</summary>
    internal int Find(ref Utf8JsonReader json)
    {
        if (json.ValueIsEscaped)
        {
            return FindEscaped(ref json);
        }

        ReadOnlySpan<byte> name = json.ValueSpan;
        if (name.Length < _byLength.Length)
        {
            foreach ((byte[] known, int index) in _byLength[name.Length])
            {
                if (name.SequenceEqual(known))
                {
                    return index;
                }
            }
        }

        return -1;
    }

    private int FindEscaped(ref Utf8JsonReader json)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            if (json.ValueTextEquals(_names[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
