using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Console;

/// <summary>Tells open pages that something new is in the journal, by server-sent events. It says no more than that: a
/// page asks for what it shows, at most every two seconds, and those who look at the same figures share
/// them.</summary>
internal static class LiveFeed
{
    /// <summary>Where it is.</summary>
    internal const string Path = "/console/live";

    /// <summary>Most open feeds; more are told to come back later, and their pages are still right when
    /// loaded.</summary>
    private const int Most = 200;

    /// <summary>Looks for news so often: a read of one number.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private const int BeatsOfSilence = 8; // a sign of life each 16 s, so that proxies keep the connection

    private static int _open;

    /// <summary>The feed, until the browser leaves or the session ends.</summary>
    internal static async Task RunAsync(Visit visit)
    {
        if (Interlocked.Increment(ref _open) > Most)
        {
            Interlocked.Decrement(ref _open);
            visit.Http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        try
        {
            await FeedAsync(visit);
        }
        catch (OperationCanceledException)
        {
            // The browser left.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private static async Task FeedAsync(Visit visit)
    {
        HttpResponse response = visit.Http.Response;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            visit.Http.RequestAborted, visit.Desk.Stopping);
        CancellationToken left = end.Token;
        response.ContentType = "text/event-stream";
        await response.Body.FlushAsync(left);
        using var timer = new PeriodicTimer(Every, visit.Desk.Time);
        // What the page shows already: news of the time between its making and this are news.
        long told = long.TryParse(
            visit.Query("seq"), NumberStyles.None, CultureInfo.InvariantCulture, out long shown) ? shown : 0;
        int silent = 0;
        while (await timer.WaitForNextTickAsync(left) && IsStillIn(visit))
        {
            long now = visit.Desk.Shard.DurableSeq;
            string? line = now != told ? string.Create(CultureInfo.InvariantCulture, $"data: {now}\n\n")
                : ++silent == BeatsOfSilence ? ": still here\n\n"
                : null;
            told = now;
            if (line is not null)
            {
                silent = 0;
                await response.Body.WriteAsync(Encoding.ASCII.GetBytes(line), left);
                await response.Body.FlushAsync(left);
            }
        }
    }

    // Signed out, idle for too long, disabled, or of another role: all end it.
    private static bool IsStillIn(Visit visit) =>
        ConsoleServer.FindSession(visit) is { } found && found.User.Role == visit.User!.Role;
}
