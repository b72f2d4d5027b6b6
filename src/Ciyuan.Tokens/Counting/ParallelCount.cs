namespace Ciyuan.Tokens.Counting;

/// <summary>Counts one text on several threads, cut at <see cref="SafeCuts"/>.</summary>
internal sealed unsafe class ParallelCount(TextWalk walk, CounterPool pool)
{
    /// <summary>
    /// Parts are small enough to be shared out evenly, and so large that to look for a cut is nothing.
    /// </summary>
    private const int PartBytes = 1 << 18;

    internal int Run(ReadOnlySpan<byte> utf8, int threads)
    {
        List<int> cuts = Cuts(utf8);
        int workers = Math.Min(threads, cuts.Count - 1);
        long total = 0;
        int next = 0;
        fixed (byte* start = utf8)
        {
            byte* text = start;
            Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ =>
            {
                TextFeed feed = pool.Take();
                int part;
                while ((part = Interlocked.Increment(ref next)) < cuts.Count)
                {
                    int from = cuts[part - 1];
                    walk.Count(new ReadOnlySpan<byte>(text + from, cuts[part] - from), feed, long.MaxValue);
                }

                Interlocked.Add(ref total, feed.Count);
                pool.Return(feed);
            });
        }

        return checked((int)total);
    }

    private static List<int> Cuts(ReadOnlySpan<byte> utf8)
    {
        List<int> cuts = [0];
        for (int at = PartBytes; at < utf8.Length - (PartBytes / 2); at += PartBytes)
        {
            int cut = SafeCuts.First(utf8, at, at + (PartBytes / 2));
            if (cut > 0)
            {
                cuts.Add(cut);
            }
        }

        cuts.Add(utf8.Length);
        return cuts;
    }
}
