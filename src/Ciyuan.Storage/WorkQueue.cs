using System.Diagnostics.CodeAnalysis;

namespace Ciyuan.Storage;

/// <summary>
/// Work on its way from any number of callers to the one thread of the engine. Callers never block: beyond the queue's
/// places they wait outside, in the order in which they came. The engine's thread sleeps while there is nothing, and
/// does not spin: the core is of more use to those who make work.
/// </summary>
/// <param name="places">How much work waits inside.</param>
internal sealed class WorkQueue(int places)
{
    private readonly Queue<ShardWork> _inside = new();
    private readonly Queue<(ShardWork Work, TaskCompletionSource Place)> _outside = new();
    private bool _isComplete;
    private bool _sleeps;
    private bool _isNudged;

    /// <summary>Whether no more work will come, and all has been taken.</summary>
    internal bool IsCompleted
    {
        get
        {
            lock (_inside)
            {
                return _isComplete && _inside.Count == 0 && _outside.Count == 0;
            }
        }
    }

    /// <summary>Queues work.</summary>
    /// <param name="work">The work.</param>
    /// <param name="cancel">Ends the wait for a place; what is queued stays queued.</param>
    /// <returns>When it is queued.</returns>
    /// <exception cref="ObjectDisposedException">The shard is closed; it was not queued.</exception>
    internal ValueTask AddAsync(ShardWork work, CancellationToken cancel)
    {
        TaskCompletionSource place;
        lock (_inside)
        {
            if (_isComplete)
            {
                return ValueTask.FromException(new ObjectDisposedException(nameof(Shard)));
            }

            if (_outside.Count == 0 && _inside.Count < places)
            {
                _inside.Enqueue(work);
                if (_sleeps)
                {
                    Monitor.Pulse(_inside);
                }

                return ValueTask.CompletedTask;
            }

            place = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _outside.Enqueue((work, place));
        }

        return new ValueTask(cancel.CanBeCanceled ? WaitAsync(place, cancel) : place.Task);
    }

    /// <summary>Takes the next work, if there is any.</summary>
    internal bool TryTake([NotNullWhen(true)] out ShardWork? work)
    {
        lock (_inside)
        {
            bool any = _inside.TryDequeue(out work);
            LetIn();
            return any;
        }
    }

    /// <summary>Waits until there is work; false when there is none in time, or will never be again.</summary>
    internal bool Wait(TimeSpan most)
    {
        lock (_inside)
        {
            while (_inside.Count == 0 && !_isComplete)
            {
                if (most != Timeout.InfiniteTimeSpan && most <= TimeSpan.Zero)
                {
                    return false;
                }

                _sleeps = true;
                bool pulsed = Monitor.Wait(_inside, most); // a nudge begins the wait anew, which a short one can bear
                _sleeps = false;
                if (!pulsed)
                {
                    break;
                }
            }

            return _inside.Count > 0;
        }
    }

    /// <summary>Waits until there is work, or <see cref="Nudge"/> was called since the last wait.</summary>
    internal void WaitForNudge()
    {
        lock (_inside)
        {
            while (_inside.Count == 0 && !_isComplete && !_isNudged)
            {
                _sleeps = true;
                Monitor.Wait(_inside);
                _sleeps = false;
            }

            _isNudged = false;
        }
    }

    /// <summary>Ends <see cref="WaitForNudge"/>.</summary>
    internal void Nudge()
    {
        lock (_inside)
        {
            _isNudged = true;
            if (_sleeps)
            {
                Monitor.Pulse(_inside);
            }
        }
    }

    /// <summary>Says that no more will be added; what waits outside is still taken.</summary>
    internal void Complete()
    {
        lock (_inside)
        {
            _isComplete = true;
            Monitor.Pulse(_inside);
        }
    }

    private void LetIn()
    {
        while (_inside.Count < places && _outside.TryDequeue(out (ShardWork Work, TaskCompletionSource Place) next))
        {
            if (next.Place.TrySetResult()) // else its caller has given up
            {
                _inside.Enqueue(next.Work);
            }
        }
    }

    private static async Task WaitAsync(TaskCompletionSource place, CancellationToken cancel)
    {
        using CancellationTokenRegistration registration = cancel.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), place);
        await place.Task.ConfigureAwait(false);
    }
}
