using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ciyuan.Counting;

/// <summary>
/// Names of fields as text, each made once: every call's usage has the same few. A fixed number of places; a name that
/// finds its place taken by another takes it over, so memory is bounded whatever comes.
/// </summary>
internal static class FieldNames
{
    private const int Places = 1_024;

    private const int MostBytes = 64; // longer than any provider's; the rest is made anew each time

    private static readonly Entry?[] Known = new Entry?[Places];

    /// <summary>The name of a field.</summary>
    internal static string Find(JsonProperty property)
    {
        ReadOnlySpan<byte> utf8 = JsonMarshal.GetRawUtf8PropertyName(property);
        if (utf8.Length is 0 or > MostBytes || utf8.Contains((byte)'\\'))
        {
            return property.Name;
        }

        ref Entry? place = ref Known[Hash(utf8) % Places];
        Entry? known = Volatile.Read(ref place);
        if (known is null || !utf8.SequenceEqual(known.Utf8))
        {
            known = new Entry(utf8.ToArray(), property.Name);
            Volatile.Write(ref place, known);
        }

        return known.Name;
    }

    private static uint Hash(ReadOnlySpan<byte> utf8)
    {
        uint hash = (uint)utf8.Length;
        foreach (byte b in utf8)
        {
            hash = unchecked((hash * 31) + b);
        }

        return hash;
    }

    private sealed record Entry(byte[] Utf8, string Name);
}
