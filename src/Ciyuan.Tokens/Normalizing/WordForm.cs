using System.Buffers;
using System.Text;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Normalizing;

/// <summary>Does to text what BERT does before it looks for words: <see cref="WordSteps"/>. Immutable.</summary>
internal sealed unsafe class WordForm(WordSteps steps)
{
    /// <summary>So many characters are gathered before those that are in order by then are written.</summary>
    private const int Gathered = 4096;

    private const int CapitalDottedI = 0x130;
    private static readonly Lazy<Dictionary<int, int>> Lower = new(ReadLower);

    /// <summary>Writes what a text becomes. The text is valid UTF-8.</summary>
    internal void Write(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> to)
    {
        List<int> points = [];
        fixed (byte* start = text)
        {
            byte* end = start + text.Length;
            for (byte* at = start; at < end;)
            {
                int point = Utf8Reader.Decode(at, out int length);
                at += length;
                if (points.Count >= Gathered && CompositionTable.Canonical.Class(point) == 0)
                {
                    Flush(points, to);
                }

                Add(point, points);
            }
        }

        Flush(points, to);
    }

    private void Add(int point, List<int> points)
    {
        byte category = OldCategories.Bits[point];
        if (Has(WordSteps.Clean) && (category & OldCategories.Control) != 0)
        {
            return;
        }

        point = Has(WordSteps.Clean) && (category & OldCategories.White) != 0 ? ' ' : point;
        bool isApart = Has(WordSteps.SetIdeographsApart) && (category & OldCategories.Ideograph) != 0;
        if (isApart)
        {
            points.Add(' ');
        }

        if (Has(WordSteps.StripAccents) && point >= 0x80)
        {
            CompositionTable.Canonical.Decompose(point, points);
        }
        else
        {
            points.Add(point);
        }

        if (isApart)
        {
            points.Add(' ');
        }
    }

    private void Flush(List<int> points, ArrayBufferWriter<byte> to)
    {
        if (Has(WordSteps.StripAccents))
        {
            CompositionTable.Canonical.Order(points);
        }

        foreach (int point in points)
        {
            if (!Has(WordSteps.StripAccents) || (OldCategories.Bits[point] & OldCategories.Mark) == 0)
            {
                WriteOne(Has(WordSteps.LowerCase) ? Lower.Value.GetValueOrDefault(point, point) : point, to);
                if (point == CapitalDottedI && Has(WordSteps.LowerCase))
                {
                    WriteOne(0x307, to); // the only character that becomes two
                }
            }
        }

        points.Clear();
    }

    private bool Has(WordSteps step) => (steps & step) != 0;

    private static void WriteOne(int point, ArrayBufferWriter<byte> to) =>
        to.Advance(new Rune(point).EncodeToUtf8(to.GetSpan(4)));

    /// <summary>
    /// The lower case of each character in version 17.0 of the Unicode character database, whatever is around it. The
    /// resource has runs, numbers of seven bits a byte, the lowest first: how far after the run before it begins, how
    /// many characters there are times two, plus one where only every second is meant, and how far away their lower
    /// case is, times two, less one and its sign turned where it is before them.
    /// </summary>
    private static Dictionary<int, int> ReadLower()
    {
        Dictionary<int, int> lower = new() { [CapitalDottedI] = 'i' };
        byte[] bytes = CompositionTable.Resource("lower-17.bin");
        for (int at = 0, start = 0; at < bytes.Length;)
        {
            start += CompositionTable.Number(bytes, ref at);
            int size = CompositionTable.Number(bytes, ref at);
            int distance = CompositionTable.Number(bytes, ref at);
            distance = (distance & 1) == 0 ? distance / 2 : -(distance + 1) / 2;
            for (int i = 0, point = start; i < size / 2; i++, point += 1 + (size & 1))
            {
                lower.Add(point, point + distance);
            }
        }

        return lower;
    }
}
