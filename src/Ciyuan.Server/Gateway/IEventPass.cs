namespace Ciyuan.Server.Gateway;

/// <summary>What changes a stream of events between the upstream and the client, and lets the counter look at each
/// event as the upstream sent it.</summary>
internal interface IEventPass
{
    /// <summary>Takes bytes, and gives those that go on to the client, until the next call.</summary>
    /// <param name="input">Bytes from the upstream.</param>
    /// <param name="events">Cuts them into events.</param>
    /// <param name="counter">Is given each event's data.</param>
    ReadOnlyMemory<byte> Pass(ReadOnlySpan<byte> input, SseReader events, CallCounter counter);

    /// <summary>What is left once the stream is over.</summary>
    ReadOnlyMemory<byte> Rest();
}
