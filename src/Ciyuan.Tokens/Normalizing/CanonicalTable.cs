using System.Buffers;
using System.Reflection;

namespace Ciyuan.Tokens.Normalizing;

/// <summary>
/// Canonical decompositions, compositions and combining classes of version 14.0 of the Unicode character database,
/// about what the tokenizers use that compose text. The resource has numbers of seven bits a byte, the lowest first:
/// runs of combining classes (gap, length, class), then decompositions (gap, a byte, one or two code points); the byte
/// has 2 for two code points and 1 where these compose again. Hangul is computed.
/// </summary>
internal sealed class CanonicalTable
{
    internal static readonly CanonicalTable Instance = new();

    /// <summary>
    /// What is no ASCII and no Latin up to U+02FF begins with these bytes, but for U+4000 to U+9FFF: of the others,
    /// nothing is ever unsettled.
    /// </summary>
    internal static readonly SearchValues<byte> Doubtful = SearchValues.Create(
        [.. Enumerable.Range(0xCC, 0xF5 - 0xCC).Where(lead => lead is < 0xE4 or > 0xE9).Select(lead => (byte)lead)]);

    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<int, (int First, int Second)> _apart = [];
    private readonly Dictionary<(int, int), int> _together = [];
    private readonly ulong[] _unsettled = new ulong[0x110000 / 64];

    private CanonicalTable()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("canonical-14.bin")
            ?? throw new InvalidOperationException("The resource canonical-14.bin is missing.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
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

    /// <summary>
    /// True for a character that may change, or change with what is before it. Every other one begins text that is
    /// composed by itself.
    /// </summary>
    internal bool IsUnsettled(int codePoint) => (_unsettled[codePoint >> 6] >> (codePoint & 63) & 1) != 0;

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

    private static int Number(byte[] bytes, ref int at)
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
