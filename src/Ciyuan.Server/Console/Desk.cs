using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Console.Settlement;
using Ciyuan.Server.Console.Users;
using Ciyuan.Server.Gateway;
using Ciyuan.Statistics;
using Ciyuan.Storage;

namespace Ciyuan.Server.Console;

/// <summary>What the pages are made from: the shard, its statistics, its journal. Answers that several people ask for
/// are worked out once.</summary>
internal sealed class Desk : IDisposable
{
    /// <summary>Most questions worked out at one time: ingest and gateway keep a core on a machine of two.</summary>
    private const int AtOnce = 2;

    /// <summary>How long balances may be old: they are asked of the writer's thread.</summary>
    private static readonly TimeSpan BalancesFor = TimeSpan.FromSeconds(2);

    /// <summary>Frames that are looked through in one go, some 50 ms: single frames are read in between.</summary>
    private const int SomeFrames = 256;

    private readonly SemaphoreSlim _free = new(AtOnce, AtOnce);
    private readonly ShardOptions _options;
    private readonly Lock _lock = new();
    private JournalView? _journal;
    private (long At, IReadOnlyList<AccountView> Accounts)? _balances;
    private Task? _indexing;

    internal Desk(Shard shard, ServerOptions options, Accounts accounts, ModelGateway gateway)
    {
        (Shard, Users, Gateway) = (shard, accounts, gateway);
        (_options, Time, Url, OpenId) = (options.Shard, options.Shard.Time, options.Listen, options.OpenId);
    }

    /// <summary>The writer.</summary>
    internal Shard Shard { get; }

    /// <summary>Passwords and sessions.</summary>
    internal Accounts Users { get; }

    /// <summary>How upstreams fare.</summary>
    internal ModelGateway Gateway { get; }

    /// <summary>Who else says who a user is; null: nobody.</summary>
    internal OpenIdOptions? OpenId { get; }

    /// <summary>The clock.</summary>
    internal TimeProvider Time { get; }

    /// <summary>Where the server listens, for examples of calls.</summary>
    internal string Url { get; set; }

    /// <summary>Works today out.</summary>
    internal Today Today => field ??= new Today(this);

    /// <summary>Times rated under another book.</summary>
    internal WhatIfs WhatIfs => field ??= new WhatIfs(this);

    /// <summary>Bills of others.</summary>
    internal BillShelf Bills => field ??= new BillShelf(this);

    /// <summary>Ends what goes on by itself when the server stops.</summary>
    internal CancellationToken Stopping { get; set; }

    /// <summary>The data folder.</summary>
    internal ShardOptions Options => _options;

    /// <summary>Parties, agreements, keys, upstreams, users: what is in force.</summary>
    internal Catalog Catalog => Shard.Policy.Catalog;

    /// <summary>Price books in force.</summary>
    internal PriceBooks Books => Shard.Policy.Books;

    /// <summary>The journal, to look at.</summary>
    internal JournalView Journal
    {
        get
        {
            lock (_lock)
            {
                return _journal ??= new JournalView(_options, group => group.Source != GatewayRecorder.Source);
            }
        }
    }

    /// <summary>Answers a question from the statistics.</summary>
    internal Task<Report> ReportAsync(ReportQuery query, CancellationToken cancel = default) =>
        WorkAsync(() => Shard.Facts.RunKept(query), cancel);

    /// <summary>Works something out, one of few at a time. On a thread of its own: it waits for the statistics and
    /// reads files, and the pool has as many threads as the machine has cores, which calls need.</summary>
    internal async Task<T> WorkAsync<T>(Func<T> work, CancellationToken cancel)
    {
        await _free.WaitAsync(cancel);
        try
        {
            return await Task.Factory.StartNew(
                work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>All accounts, at most two seconds old.</summary>
    internal async Task<IReadOnlyList<AccountView>> BalancesAsync(CancellationToken cancel)
    {
        if (_balances is { } kept && Time.GetElapsedTime(kept.At) < BalancesFor)
        {
            return kept.Accounts;
        }

        IReadOnlyList<AccountView> accounts = await Shard.BalancesAsync(cancel);
        _balances = (Time.GetTimestamp(), accounts);
        return accounts;
    }

    /// <summary>Asks for balances anew: who has just changed something wants to see it.</summary>
    internal void ForgetBalances() => _balances = null;

    /// <summary>Frames with commands by hand; looking for them goes on in the background.</summary>
    internal (IReadOnlyList<long> Frames, long Indexed, long Of) CommandFrames(long before, int most)
    {
        long last = Shard.DurableSeq;
        bool whole = Journal.IndexMore(last, SomeFrames);
        lock (_lock)
        {
            if (!whole && _indexing is not { IsCompleted: false })
            {
                _indexing = Task.Run(() => IndexCommands(last, Stopping));
            }
        }

        return (Journal.CommandFrames(before, most), Journal.IndexedSeq, last);
    }

    /// <summary>Looks for commands by hand up to a frame; false when nobody waits for it any more.</summary>
    internal bool IndexCommands(long last, CancellationToken cancel)
    {
        bool whole = false;
        while (!whole && !cancel.IsCancellationRequested)
        {
            whole = Journal.IndexMore(last, SomeFrames);
        }

        return whole;
    }

    /// <summary>What the first look at a day would wait for is worked out before it: at the start, and at each
    /// midnight of the usual zone. Completes after the first time.</summary>
    internal Task Warmed { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to keep the first look short, where there is something to look at.</summary>
    internal void KeepWarm()
    {
        if (Shard.DurableSeq > 0)
        {
            Warmed = Task.Run(() => WarmUp.RunAsync(this));
            _ = Warmed.ContinueWith(_ => WarmDailyAsync(), TaskScheduler.Default);
        }
    }

    private async Task WarmDailyAsync()
    {
        try
        {
            while (!Stopping.IsCancellationRequested)
            {
                await Task.Delay(WarmUp.UntilTomorrow(this), Time, Stopping);
                await WarmUp.RunAsync(this);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It goes on longer only while the statistics catch up; then it fails, which is no harm.
        Warmed.Wait(TimeSpan.FromSeconds(5));
        _free.Dispose();
        _journal?.Dispose();
        Users.Dispose();
    }
}
