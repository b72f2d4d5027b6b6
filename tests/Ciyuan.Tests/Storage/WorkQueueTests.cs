using Ciyuan.Journal;
using Ciyuan.Storage;

namespace Ciyuan.Tests.Storage;

/// <summary>The way of work to the engine's thread: whoever sleeps is woken when there is what it waits for.</summary>
public sealed class WorkQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Takers_SleepInEveryWay_TakeAllWorkInOrder(int seed)
    {
        const int All = 20_000;
        var queue = new WorkQueue(places: 16);
        Task<List<int>> taken = Task.Factory.StartNew(
            () => TakeAll(queue, new Random(seed)), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        for (int i = 0; i < All; i++)
        {
            await queue.AddAsync(new Numbered(i), CancellationToken.None);
            if (i % 3 == seed % 3)
            {
                queue.Nudge();
            }
        }

        queue.Complete();
        Assert.Equal(Enumerable.Range(0, All), await taken.WaitAsync(TimeSpan.FromMinutes(2)));
    }

    [Fact]
    public async Task WaitForNudge_FewCommands_WakesForTheNudgeAlone()
    {
        var queue = new WorkQueue(places: 16);
        Task woken = Task.Factory.StartNew(
            () => queue.WaitForNudge(commands: 3), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        await queue.AddAsync(new Numbered(0), CancellationToken.None);
        await queue.AddAsync(new Numbered(1), CancellationToken.None);
        Assert.False(woken.IsCompleted);
        queue.Nudge();
        await woken.WaitAsync(TimeSpan.FromMinutes(2));

        Task enough = Task.Factory.StartNew(
            () => queue.WaitForNudge(commands: 3), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        await queue.AddAsync(new Numbered(2), CancellationToken.None);
        await enough.WaitAsync(TimeSpan.FromMinutes(2));
    }

    private static List<int> TakeAll(WorkQueue queue, Random random)
    {
        var taken = new List<int>();
        while (!queue.IsCompleted)
        {
            if (random.Next(2) == 0)
            {
                queue.WaitForNudge(random.Next(1, 20)); // beyond the places too: then the nudge, or the end, wakes it
            }
            else
            {
                _ = queue.Wait(TimeSpan.FromMilliseconds(random.Next(3)));
            }

            while (queue.TryTake(out ShardWork? work))
            {
                taken.Add(((Numbered)work).Number);
            }
        }

        return taken;
    }

    private sealed class Numbered(int number) : ShardWork
    {
        internal int Number => number;

        internal override int Commands => number % 3; // some have none, and are to be taken too

        internal override ShardWork? TakeAnswer(Applied applied, Engine engine) => null;

        internal override void Complete()
        {
        }

        internal override void Fail(Exception fault)
        {
        }
    }
}
