namespace Ciyuan.Server.Api;

/// <summary>Counts what is under way, so that neither the writer's queue nor memory grows without bound. When it is
/// full,
/// the newcomer is refused; who is in is never put out.</summary>
internal sealed class InFlight(ServerLimits limits)
{
    private long _bytes;
    private int _waiting;

    /// <summary>Takes a place in the writer's queue; false when it is full.</summary>
    internal bool TryWait()
    {
        if (Interlocked.Increment(ref _waiting) <= limits.WaitingRequests)
        {
            return true;
        }

        Interlocked.Decrement(ref _waiting);
        return false;
    }

    /// <summary>Gives the place back.</summary>
    internal void EndWait() => Interlocked.Decrement(ref _waiting);

    /// <summary>Takes some bytes of memory; false when there are not so many.</summary>
    internal bool TryHold(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= limits.BytesInFlight)
        {
            return true;
        }

        Interlocked.Add(ref _bytes, -bytes);
        return false;
    }

    /// <summary>Gives bytes back.</summary>
    internal void Release(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
