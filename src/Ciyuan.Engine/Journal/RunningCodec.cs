using Ciyuan.Quantities;
using Ciyuan.Rating;

namespace Ciyuan.Journal;

/// <summary>Bytes of what curves over a period have counted (docs/FORMATS.md, "State"): entries in the order of their
/// own bytes, so that there is one form for one state.</summary>
internal static class RunningCodec
{
    internal static void Write(ByteWriter output, RunningQuantities running)
    {
        byte[][] entries = [.. running.All.Select(Encode)];
        Array.Sort(entries, static (a, b) => a.AsSpan().SequenceCompareTo(b));
        output.Count(entries.Length);
        foreach (byte[] entry in entries)
        {
            output.Raw(entry);
        }
    }

    internal static void Read(ref ByteReader reader, RunningQuantities running)
    {
        int entries = reader.Count();
        for (int i = 0; i < entries; i++)
        {
            var texts = new string[reader.Count()];
            for (int t = 0; t < texts.Length; t++)
            {
                texts[t] = reader.Text();
            }

            string agreement = texts[reader.Index(texts.Length)];
            string book = texts[reader.Index(texts.Length)];
            int version = reader.Natural();
            string model = texts[reader.Index(texts.Length)];
            string provider = texts[reader.Index(texts.Length)];
            long divisor = reader.ZigZag();
            RateCurve curve = FormulaCodec.ReadCurve(ref reader, texts);
            var start = new Timestamp(reader.ZigZag());
            running.Restore(
                new RunningKey(agreement, book, version, model, provider, divisor, curve, start), reader.ZigZag128());
        }
    }

    private static byte[] Encode(KeyValuePair<RunningKey, Int128> entry)
    {
        var texts = new List<string>();
        int IndexOf(string text)
        {
            int at = texts.IndexOf(text);
            if (at < 0)
            {
                at = texts.Count;
                texts.Add(text);
            }

            return at;
        }

        RunningKey key = entry.Key;
        var body = new ByteWriter();
        body.Count(IndexOf(key.Agreement));
        body.Count(IndexOf(key.Book));
        body.Count(key.Version);
        body.Count(IndexOf(key.Model));
        body.Count(IndexOf(key.Provider));
        body.ZigZag(key.Divisor);
        FormulaCodec.WriteCurve(body, key.Curve, IndexOf);
        body.ZigZag(key.Start.UnixNanoseconds);
        body.ZigZag(entry.Value);

        var whole = new ByteWriter();
        whole.Count(texts.Count);
        texts.ForEach(whole.Text);
        whole.Raw(body.Written);
        return whole.Written.ToArray();
    }
}
