using System.Buffers;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Ciyuan.Tokens.Normalizing;

/// <summary>
/// Decompositions, compositions and combining classes of version 9.0 of the Unicode character database, about what the
/// tokenizers use that compose text. Numbers in the resources have seven bits a byte, the lowest first. Canonical ones:
/// runs of combining classes (gap, length, class), then decompositions (gap, a byte, one or two code points); the byte
/// has 2 for two code points and 1 where these compose again. Compatible ones: gap, how many code points, and these;
/// then runs of combining marks (gap, length). Hangul is computed.
/// </summary>
internal sealed class CompositionTable
{
    private static readonly Lazy<CompositionTable> CanonicalOnly = new(() => new CompositionTable(false));
    private static readonly Lazy<CompositionTable> WithCompatible = new(() => new CompositionTable(true));

    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<int, (int First, int Second)> _apart = [];
    private readonly Dictionary<int, int[]> _replaced = [];
    private readonly Dictionary<(int, int), int> _together = [];
    private readonly HashSet<int> _marks = [];
    private readonly ulong[] _unsettled = new ulong[0x110000 / 64];

    private CompositionTable(bool compatible)
    {
        LowestLead = compatible ? (byte)0xC2 : (byte)0xCC;
        Doubtful = SearchValues.Create([.. Enumerable.Range(0, 256).Select(lead => (byte)lead).Where(IsDoubtful)]);
        ReadCanonical(Resource("canonical-9.bin"));
        if (compatible)
        {
            ReadCompatible(Resource("compatible-9.bin"));
        }
    }

    /// <summary>For NFC. Made when a text is composed first: it takes milliseconds.</summary>
    internal static CompositionTable Canonical => CanonicalOnly.Value;

    /// <summary>For NFKC.</summary>
    internal static CompositionTable Compatible => WithCompatible.Value;

    /// <summary>
    /// Bytes that begin what may be unsettled: not ASCII, without compatible ones not Latin up to U+02FF, and not
    /// U+4000 to U+9FFF.
    /// </summary>
    internal SearchValues<byte> Doubtful { get; }

    private byte LowestLead { get; }

    /// <summary>Whether a byte is one of <see cref="Doubtful"/>.</summary>
    internal bool IsDoubtful(byte lead) => lead >= LowestLead && lead is < 0xE4 or (> 0xE9 and < 0xF5);

    /// <summary>The bytes of a resource.</summary>
    internal static byte[] Resource(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The resource {name} is missing.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Sorts marks that follow one another by their class; equal ones stay in order.</summary>
    internal void Order(List<int> points)
    {
        Span<int> all = CollectionsMarshal.AsSpan(points);
        for (int start = 0, end; start < all.Length; start = end)
        {
            end = start;
            while (end < all.Length && Class(all[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                SortMarks(all[start..end]);
            }

            end = Math.Max(end, start + 1);
        }
    }

    /// <summary>By class, then by place, so that a million marks take no longer than sorting does.</summary>
    private void SortMarks(Span<int> marks)
    {
        Span<long> order = marks.Length <= 32 ? stackalloc long[marks.Length] : new long[marks.Length];
        for (int i = 0; i < marks.Length; i++)
        {
            order[i] = ((long)Class(marks[i]) << 32) | (uint)i;
        }

        Span<int> before = marks.Length <= 32 ? stackalloc int[marks.Length] : new int[marks.Length];
        marks.CopyTo(before);
        order.Sort();
        for (int i = 0; i < marks.Length; i++)
        {
            marks[i] = before[(int)(order[i] & uint.MaxValue)];
        }
    }

    private void ReadCanonical(byte[] bytes)
    {
        int at = 0;
        int start = 0;
        for (int left = Number(bytes, ref at); left > 0; left--)
        {
            start += Number(bytes, ref at);
            int length = Number(bytes, ref at);
            byte value = bytes[at++];
            for (int i = 0; i < length; i++)
            {
                _classes[start + i] = value;
                Unsettle(start + i);
            }
        }

        start = 0;
        for (int left = Number(bytes, ref at); left > 0; left--)
        {
            start += Number(bytes, ref at);
            AddDecomposition(start, bytes, ref at);
        }

        for (int i = 0x1161; i < 0x11C3; i++)
        {
            Unsettle(i); // vowels and final consonants of Hangul join what is before them
        }
    }

    private void ReadCompatible(byte[] bytes)
    {
        int at = 0;
        int codePoint = 0;
        for (int left = Number(bytes, ref at); left > 0; left--)
        {
            codePoint += Number(bytes, ref at);
            int[] becomes = new int[Number(bytes, ref at)];
            for (int i = 0; i < becomes.Length; i++)
            {
                becomes[i] = Number(bytes, ref at);
            }

            _replaced.Add(codePoint, becomes);
            Unsettle(codePoint);
        }

        int mark = 0;
        for (int left = Number(bytes, ref at); left > 0; left--)
        {
            mark += Number(bytes, ref at);
            _marks.UnionWith(Enumerable.Range(mark, Number(bytes, ref at)));
        }

        UnsettleWholes();
    }

    /// <summary>What composes again out of a first part that does not stay is no more what it was.</summary>
    private void UnsettleWholes()
    {
        foreach ((int whole, (int first, _)) in _apart)
        {
            int part = first;
            while (!_replaced.ContainsKey(part) && _apart.TryGetValue(part, out (int First, int Second) parts))
            {
                part = parts.First;
            }

            if (_replaced.ContainsKey(part))
            {
                Unsettle(whole);
            }
        }
    }

    /// <summary>
    /// True for a character that may change, or change with what is before it. Every other one begins text that is
    /// composed by itself.
    /// </summary>
    internal bool IsUnsettled(int codePoint) => (_unsettled[codePoint >> 6] >> (codePoint & 63) & 1) != 0;

    /// <summary>True for a combining mark of any class (M); of <see cref="Compatible"/> only.</summary>
    internal bool IsMark(int codePoint) => _marks.Contains(codePoint);

    /// <summary>The combining class; 0 for what does not combine.</summary>
    internal int Class(int codePoint) => _classes.GetValueOrDefault(codePoint);

    /// <summary>Adds the full decomposition of a character.</summary>
    internal void Decompose(int codePoint, List<int> to)
    {
        if (codePoint is >= 0xAC00 and < 0xAC00 + 11172)
        {
            int index = codePoint - 0xAC00;
            to.Add(0x1100 + (index / 588));
            to.Add(0x1161 + (index % 588 / 28));
            if (index % 28 != 0)
            {
                to.Add(0x11A7 + (index % 28));
            }
        }
        else if (_replaced.TryGetValue(codePoint, out int[]? becomes))
        {
            foreach (int part in becomes)
            {
                Decompose(part, to);
            }
        }
        else if (_apart.TryGetValue(codePoint, out (int First, int Second) parts))
        {
            Decompose(parts.First, to);
            if (parts.Second >= 0)
            {
                Decompose(parts.Second, to);
            }
        }
        else
        {
            to.Add(codePoint);
        }
    }

    /// <summary>What two characters compose to; -1 for nothing.</summary>
    internal int Compose(int first, int second)
    {
        if (first is >= 0x1100 and < 0x1113 && second is >= 0x1161 and < 0x1176)
        {
            return 0xAC00 + ((((first - 0x1100) * 21) + second - 0x1161) * 28);
        }

        if (first is >= 0xAC00 and < 0xAC00 + 11172 && (first - 0xAC00) % 28 == 0 && second is > 0x11A7 and < 0x11C3)
        {
            return first + second - 0x11A7;
        }

        return _together.GetValueOrDefault((first, second), -1);
    }

    internal static int Number(byte[] bytes, ref int at)
    {
        int number = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = bytes[at++];
            number |= (part & 127) << shift;
            if (part < 128)
            {
                return number;
            }
        }
    }

    private void Unsettle(int codePoint) => _unsettled[codePoint >> 6] |= 1UL << (codePoint & 63);

    private void AddDecomposition(int codePoint, byte[] bytes, ref int at)
    {
        byte flags = bytes[at++];
        int first = Number(bytes, ref at);
        int second = (flags & 2) != 0 ? Number(bytes, ref at) : -1;
        _apart.Add(codePoint, (first, second));
        if ((flags & 1) != 0)
        {
            _together.Add((first, second), codePoint);
            Unsettle(second);
        }
        else
        {
            Unsettle(codePoint);
        }
    }
}
