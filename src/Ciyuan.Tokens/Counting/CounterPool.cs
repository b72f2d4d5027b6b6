namespace Ciyuan.Tokens.Counting;

/// <summary>
/// The counters of a tokenizer that nobody uses at the moment. A call takes one and puts it back; one more is made when
/// none is there. So a tokenizer has as many as calls ran at once, up to <see cref="Places"/>; what is put back beyond
/// that is disposed. Taking and putting back allocate nothing.
/// </summary>
internal sealed class CounterPool(Func<TextFeed> make) : IDisposable
{
    internal const int Places = 16;
    private readonly TextFeed?[] _idle = new TextFeed?[Places];

    internal TextFeed Take()
    {
        int first = Environment.CurrentManagedThreadId % Places;
        for (int i = 0; i < Places; i++)
        {
            ref TextFeed? place = ref _idle[(first + i) % Places];
            if (place is not null && Interlocked.Exchange(ref place, null) is { } feed)
            {
                return feed;
            }
        }

        return make();
    }

    internal void Return(TextFeed feed)
    {
        feed.Reset();
        int first = Environment.CurrentManagedThreadId % Places;
        for (int i = 0; i < Places; i++)
        {
            ref TextFeed? place = ref _idle[(first + i) % Places];
            if (place is null && Interlocked.CompareExchange(ref place, feed, null) is null)
            {
                return;
            }
        }

        feed.Dispose();
    }

    /// <summary>Bytes outside of the managed heap of those that are idle.</summary>
    internal long NativeBytes() => _idle.Sum(feed => feed?.NativeBytes ?? 0);

    public void Dispose()
    {
        for (int i = 0; i < Places; i++)
        {
            Interlocked.Exchange(ref _idle[i], null)?.Dispose();
        }
    }
}
