namespace Ciyuan.Server.Gateway;

/// <summary>
/// Ends a call's waiting: when its step, or the whole, takes too long, or when its client leaves and nobody waits any
/// more. One for each call, not for several threads.
/// </summary>
internal sealed class Patience : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;
    private readonly CancellationToken _client;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly TimeSpan _whole;
    private TimeSpan _ends = TimeSpan.FromDays(-1);

    /// <summary>Begins.</summary>
    /// <param name="stopWithClient">Whether the waiting ends when the client leaves; else the answer is read to its
    /// end, since it will be billed whole.</param>
    /// <param name="time">The clock.</param>
    /// <param name="whole">Time for the whole call.</param>
    /// <param name="client">Cancelled when the client leaves.</param>
    internal Patience(bool stopWithClient, TimeProvider time, TimeSpan whole, CancellationToken client)
    {
        _source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        (_client, _time, _start, _whole) = (client, time, time.GetTimestamp(), whole);
        if (stopWithClient)
        {
            _registration = client.UnsafeRegister(
                static state => ((CancellationTokenSource)state!).Cancel(), _source);
        }
    }

    /// <summary>Cancelled when the waiting ends.</summary>
    internal CancellationToken Token => _source.Token;

    /// <summary>Whether the client left.</summary>
    internal bool ClientLeft => _client.IsCancellationRequested;

    /// <summary>Whether the waiting has ended.</summary>
    internal bool IsOver => _source.IsCancellationRequested;

    /// <summary>Begins a step, which may take some time, and no more than is left for the whole. The timer is set anew
    /// only when it is off by more than an eighth of the step: a stream takes a step for each event.</summary>
    internal void Begin(TimeSpan step)
    {
        TimeSpan elapsed = _time.GetElapsedTime(_start);
        TimeSpan ends = elapsed + step < _whole ? elapsed + step : _whole;
        TimeSpan early = ends - _ends;
        if (early < TimeSpan.Zero || early > step / 8)
        {
            _ends = ends;
            _source.CancelAfter(ends < elapsed ? TimeSpan.Zero : ends - elapsed);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}
