using Ciyuan.Parties;
using Microsoft.Extensions.Logging;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Step 2, Forward 转发, up to the first byte: tries the upstreams in their order until one answers. What was refused,
/// or never reached an upstream, is tried at the next; nothing is tried again once a byte has gone to the client.
/// </summary>
internal sealed partial class Forward(UpstreamClient client, TimeProvider time, GatewayLimits limits, ILogger log)
{
    /// <summary>Statuses after which another upstream is worth a try: it is busy or broken, and bills
    /// nothing.</summary>
    private static bool IsWorthAnother(int status) => status is 408 or 429 or 500 or 502 or 503 or 504 or 529;

    /// <summary>Sends a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="candidates">Upstreams in their order.</param>
    /// <param name="limit">Limit of the answer to put in; -1: none.</param>
    /// <param name="holdRetry">Gives a further try its hold; false when that can't be.</param>
    /// <param name="patience">Ends the wait.</param>
    /// <returns>The answer of the last upstream tried, whatever its status; or why there is none.</returns>
    internal async Task<(HttpResponseMessage? Answer, GatewayRefusal? Refusal)> RunAsync(
        Call call, Candidate[] candidates, long limit, Func<ValueTask<bool>> holdRetry, Patience patience)
    {
        HttpResponseMessage? last = null;
        GatewayRefusal? refusal = null;
        for (int i = 0; i < candidates.Length && call.Attempts < GatewayLimits.Attempts; i++)
        {
            Candidate candidate = candidates[i];
            // When all are passed over, the last one is asked all the same: its answer says more than ours.
            bool isLast = i == candidates.Length - 1 && call.Attempts == 0;
            if (call.SpeakTo(candidate).Spoken is null || (!candidate.Upstream.MayTry(time) && !isLast))
            {
                continue; // it can't be said in that protocol, or the upstream is passed over
            }

            if (call.Attempts > 0 && !await holdRetry())
            {
                candidate.Upstream.NoteNothing();
                break; // what the last one said stands
            }

            last?.Dispose();
            (last, refusal) = (null, null);
            call.Served = candidate;
            call.Attempts++;
            (last, refusal, bool goOn) = await TryAsync(call, candidate, limit, patience);
            if (!goOn)
            {
                break;
            }
        }

        return last is null && refusal is null
            ? (null, new GatewayRefusal(RefusalKind.Upstream, "All upstreams of this model are out of order now."))
            : (last, refusal);
    }

    private async Task<(HttpResponseMessage? Answer, GatewayRefusal? Refusal, bool GoOn)> TryAsync(
        Call call, Candidate candidate, long limit, Patience patience)
    {
        long start = time.GetTimestamp();
        Upstream upstream = candidate.Upstream;
        if (upstream.LacksSecret)
        {
            return (null, RefuseForKey(call, upstream), true);
        }

        try
        {
            patience.Begin(limits.FirstByteTime);
            ReadOnlyMemory<byte> body = call.Spoken.WriteBody(candidate.Served, limit);
            HttpResponseMessage answer = await client.SendAsync(call, candidate, body, patience.Token);
            return TakeAnswer(call, upstream, answer, time.GetElapsedTime(start).TotalMilliseconds);
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            return (null, GiveUp(call, upstream, patience), false);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException)
        {
            upstream.NoteFailure(time, limits.OpenTime);
            Failed(log, call.Id, upstream.Setup.Id, fault.Message);
            var refusal = new GatewayRefusal(RefusalKind.Upstream, "The upstream could not be reached, or broke off.");
            return (null, refusal, NeverArrived(fault));
        }
    }

    private (HttpResponseMessage? Answer, GatewayRefusal? Refusal, bool GoOn) TakeAnswer(
        Call call, Upstream upstream, HttpResponseMessage answer, double firstByteMs)
    {
        if ((int)answer.StatusCode is 401 or 402)
        {
            return (null, RefuseAccount(call, upstream, answer), true);
        }

        if ((int)answer.StatusCode is >= 300 and < 400)
        {
            return (null, RefuseRedirection(call, upstream, answer), true);
        }

        bool goOn = IsWorthAnother((int)answer.StatusCode);
        if (goOn)
        {
            upstream.NoteFailure(time, limits.OpenTime);
        }
        else
        {
            upstream.NoteAnswer(firstByteMs);
        }

        return (answer, null, goOn);
    }

    // That is about the gateway's own key or money, and is not for the client to read, who would look for it at home.
    private GatewayRefusal RefuseAccount(Call call, Upstream upstream, HttpResponseMessage answer)
    {
        string reason = (int)answer.StatusCode == 401
            ? "it does not take the gateway's key"
            : "the gateway's account there has no money left";
        answer.Dispose();
        upstream.NoteFailure(time, limits.OpenTime);
        Failed(log, call.Id, upstream.Setup.Id, reason);
        return new GatewayRefusal(RefusalKind.Upstream, "The upstream refused the gateway.");
    }

    private GatewayRefusal RefuseForKey(Call call, Upstream upstream)
    {
        upstream.NoteFailure(time, limits.OpenTime);
        string place = upstream.Setup.KeyFile is { Length: > 0 } file ? file : upstream.Setup.KeyVariable;
        Failed(log, call.Id, upstream.Setup.Id, $"there is no key in {place}");
        return new GatewayRefusal(RefusalKind.Upstream, "The gateway has no key for the upstream.");
    }

    // Where it leads was not looked at, and is no more for the client to know than the upstream's own address.
    private GatewayRefusal RefuseRedirection(Call call, Upstream upstream, HttpResponseMessage answer)
    {
        answer.Dispose();
        upstream.NoteFailure(time, limits.OpenTime);
        Failed(log, call.Id, upstream.Setup.Id, "it redirects; set its base_url to where it leads");
        return new GatewayRefusal(RefusalKind.Upstream, "The upstream redirects, which is not followed.");
    }

    // What nobody waits for any more may have been worked on, and be billed: it is not sent a second time.
    private GatewayRefusal GiveUp(Call call, Upstream upstream, Patience patience)
    {
        call.End = patience.ClientLeft ? CallEnd.ClientLeft : CallEnd.OutOfTime;
        if (patience.ClientLeft)
        {
            upstream.NoteNothing();
        }
        else
        {
            upstream.NoteFailure(time, limits.OpenTime);
        }

        return new GatewayRefusal(RefusalKind.Time, "The upstream did not answer in time.");
    }

    /// <summary>Whether the call surely never reached the upstream, so that nobody can bill it.</summary>
    private static bool NeverArrived(Exception fault) => fault is InsideAddressException
        || fault is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        }
        || fault is OperationCanceledException { InnerException: TimeoutException }; // of the connection

    [LoggerMessage(22, LogLevel.Warning, "Call {Id}: upstream {Upstream} failed: {Reason}")]
    private static partial void Failed(ILogger log, string id, string upstream, string reason);
}
