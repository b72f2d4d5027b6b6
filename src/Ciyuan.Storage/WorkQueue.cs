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
    /// <summary>The engine's thread is at work, and looks for more by itself.</summary>
    private const int Awake = int.MaxValue;

    private readonly Queue<ShardWork> _inside = new();
    private readonly Queue<(ShardWork Work, TaskCompletionSource Place)> _outside = new();
    private bool _isComplete;
    private bool _isNudged;
    private int _commands; // of the work inside
    private int _wakeAt = Awake;

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
                Enqueue(work);
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
            _commands -= any ? CommandsOf(work!) : 0;
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

                if (!Sleep(1, most)) // a nudge begins the wait anew, which a short one can bear
                {
                    break;
                }
            }

            return _inside.Count > 0;
        }
    }

    /// <summary>Waits until there is work of so many commands, or no place for more, or <see cref="Nudge"/> was called
    /// since the last wait: less work alone wakes nobody.</summary>
    internal void WaitForNudge(int commands)
    {
        commands = Math.Min(commands, places);
        lock (_inside)
        {
            while (_commands < commands && !_isComplete && !_isNudged)
            {
                _ = Sleep(commands, Timeout.InfiniteTimeSpan);
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
            Wake();
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
                Enqueue(next.Work);
            }
        }
    }

    private void Enqueue(ShardWork work)
    {
        _inside.Enqueue(work);
        _commands += CommandsOf(work);
        if (_commands >= _wakeAt)
        {
            Wake();
        }
    }

    // Work without commands is to be answered too.
    private static int CommandsOf(ShardWork work) => Math.Max(1, work.Commands);

    private bool Sleep(int commands, TimeSpan most)
    {
        _wakeAt = commands;
        bool woken = Monitor.Wait(_inside, most);
        _wakeAt = Awake;
        return woken;
    }

    // Once: who comes before it runs need not wake it again.
    private void Wake()
    {
        if (_wakeAt != Awake)
        {
            _wakeAt = Awake;
            Monitor.Pulse(_inside);
        }
    }

    private static async Task WaitAsync(TaskCompletionSource place, CancellationToken cancel)
    {
        using CancellationTokenRegistration registration = cancel.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), place);
        await place.Task.ConfigureAwait(false);
    }
}
