using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Api;
using Ciyuan.Server.Gateway.Translation;
using Ciyuan.Server.Watch;
using Ciyuan.Storage;
using Ciyuan.Usage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// The gateway: clients of OpenAI, Anthropic and Gemini call it as they call those, and each call passes the steps.
/// </summary>
/// <remarks>
/// <code>
/// call ─▶ who and what ─▶ 1 Admit: limits, budgets, a durable hold ─▶ 2 Forward: an upstream answers ─▶ client
///                                                                        └▶ 3 Count ─▶ 4 Record, 5 Rate, 6 Post
/// </code>
/// Whatever happens after Step 1, the call ends in one record, which ends its hold.
/// </remarks>
internal sealed class ModelGateway : IDisposable
{
    /// <summary>Header by which a call says its scenario.</summary>
    private const string ScenarioHeader = "x-ciyuan-scenario";

    /// <summary>Folder of vocabularies in the data folder.</summary>
    private const string VocabularyFolder = "vocabularies";

    private readonly Shard _shard;
    private readonly GatewayLimits _limits;
    private readonly InFlight _inFlight;
    private readonly TimeProvider _time;
    private readonly Func<string, string?> _environment;
    private readonly UpstreamClient _client;
    private readonly Routing _routing;
    private readonly Pricing _pricing = new();
    private readonly CallContexts _contexts = new();
    private readonly Admit _admit;
    private readonly Forward _forward;
    private readonly GatewayRecorder _recorder;
    private readonly Recount _recount;
    private readonly GatewayWatch _watch;
    private readonly Lock _renewing = new();
    private readonly Dictionary<string, Upstream> _upstreams = new(StringComparer.Ordinal);
    private GatewayPolicy _policy;

    internal ModelGateway(
        Shard shard, ServerOptions options, InFlight inFlight, GatewayWatch watch, ILogger log)
    {
        _watch = watch;
        (_shard, _limits, _inFlight, _environment) = (shard, options.Calls, inFlight, options.Environment);
        _time = options.Shard.Time;
        _client = new UpstreamClient(_limits);
        _routing = new Routing(_pricing, _time);
        _recount = new Recount(Path.Combine(options.Shard.Folder, VocabularyFolder));
        _admit = new Admit(shard, new KeyLimits(_time), new Budgets(shard), _pricing, _recount, _limits);
        _forward = new Forward(_client, _time, _limits, log);
        _recorder = new GatewayRecorder(shard, _pricing, _contexts, log);
        _policy = GatewayPolicy.Make(shard.Policy, FindUpstream);
    }

    private GatewayPolicy Policy => ReferenceEquals(_policy.Source, _shard.Policy) ? _policy : Renew();

    /// <summary>How many upstreams are passed over now, after failures.</summary>
    internal int PassedOver
    {
        get
        {
            lock (_renewing)
            {
                return _upstreams.Values.Count(u => u.IsPassedOver(_time));
            }
        }
    }

    /// <summary>How an upstream fares; null while no call has asked for it since its setup.</summary>
    internal Upstream? FindHealth(string id)
    {
        _ = Policy;
        lock (_renewing)
        {
            return _upstreams.GetValueOrDefault(id);
        }
    }

    /// <summary>Whether a request is the gateway's to answer; it is then told by a key of its own who calls.</summary>
    internal static bool Answers(HttpRequest request) => CallRoute.TryFind(request.Method, request.Path, out _);

    /// <summary>The middleware: answers what is the gateway's, hands on the rest.</summary>
    internal async Task RunAsync(HttpContext http, RequestDelegate next)
    {
        if (!CallRoute.TryFind(http.Request.Method, http.Request.Path, out CallRoute route))
        {
            await next(http);
            return;
        }

        GatewayRefusal? refusal;
        try
        {
            refusal = await ServeAsync(http, route);
        }
        catch (Exception fault) when (fault is StorageFullException or JournalFaultedException)
        {
            refusal = new GatewayRefusal(
                RefusalKind.Busy, "The journal can't take the call now; nothing of it went out. Send it again later.");
        }

        if (refusal is not null && !http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested)
        {
            await refusal.WriteAsync(http, ProtocolOf(http.Request, route));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _pricing.Dispose();
    }

    private async Task<GatewayRefusal?> ServeAsync(HttpContext http, CallRoute route)
    {
        // Who.
        GatewayPolicy policy = Policy;
        var now = Timestamp.FromDateTimeOffset(_time.GetUtcNow());
        if (FindCaller(http.Request, policy, now) is not { } caller)
        {
            return new GatewayRefusal(RefusalKind.Key,
                "No key, or one that is not good here. Send it as Authorization: Bearer KEY; `ciyuan key new` makes "
                + "one.");
        }

        if (route.Kind == CallKind.ListModels)
        {
            return await ListAsync(http, route, policy.Models.Where(caller.MayUse));
        }

        // What.
        using RequestBody body = await RequestBody.ReadAsync(http, _inFlight, GatewayLimits.RequestBytes);
        if (body.Problem is { } problem)
        {
            return ToRefusal(problem);
        }

        Call call = MakeCall(http, route, caller, policy, now, body.Bytes);
        using Activity? trace = _watch.Begin(call);
        GatewayRefusal? refusal = await ServeAsync(call, policy);
        _watch.End(trace, call, refusal);
        return call.LooksCut ? throw new AnswerCutException() : refusal;
    }

    private async ValueTask<GatewayRefusal?> ServeAsync(Call call, GatewayPolicy policy)
    {
        if (FindFault(call.Route, call.Facts, call.Caller) is { } fault)
        {
            return fault;
        }

        (Candidate[] candidates, GatewayRefusal? refusal) = FindCandidates(call, policy);
        if (refusal is not null)
        {
            return refusal;
        }

        // Step 1: Admit.
        (Admission? admission, refusal) = await _admit.RunAsync(call, candidates);
        return admission is null ? refusal : await ServeAdmittedAsync(call, candidates, admission);
    }

    private (Candidate[] Candidates, GatewayRefusal? Refusal) FindCandidates(Call call, GatewayPolicy policy) =>
        _routing.Order(call, policy) is { Length: > 0 } candidates
            ? call.Speakable(candidates)
            : ([], new GatewayRefusal(
                RefusalKind.Model, $"There is no model '{call.Facts.Model}' here for this way of calling."));

    private static Task<GatewayRefusal?> ListAsync(HttpContext http, CallRoute route, IEnumerable<string> models) =>
        ModelsList.WriteAsync(http, route, ProtocolOf(http.Request, route), models);

    private Call MakeCall(
        HttpContext http, CallRoute route, Caller caller, GatewayPolicy policy, Timestamp now,
        ReadOnlyMemory<byte> body)
    {
        string scenario = http.Request.Headers[ScenarioHeader].ToString();
        return new Call(http, route, caller, policy.Source, now, _contexts)
        {
            Facts = CallFacts.Read(route, body.Span, http.Request.ContentType),
            Body = body,
            Scenario = scenario.Length is > 0 and <= 64 ? scenario : caller.Access.Scenario,
        };
    }

    private async Task<GatewayRefusal?> ServeAdmittedAsync(Call call, Candidate[] candidates, Admission admission)
    {
        using var patience = new Patience(
            stopWithClient: call.Facts.Streams, _time, _limits.CallTime, call.Http.RequestAborted);
        using var service = new Service(admission, _time.GetTimestamp());
        call.Served = candidates[0];
        try
        {
            // Step 2: Forward.
            (service.Answer, GatewayRefusal? refusal) = await _forward.RunAsync(
                call, candidates, admission.Limit, () => _admit.HoldRetryAsync(call, admission), patience);
            if (service.Answer is null)
            {
                WriteHeaders(call, admission);
            }
            else
            {
                await AnswerAsync(call, service, patience);
            }

            return refusal;
        }
        finally
        {
            await LeaveSocketAsync(call, service.Counter);
            service.Settled ??= Settle(call, service);
            await (service.IsRecorded ? Task.CompletedTask : RecordAsync(call, service));
        }
    }

    private async Task AnswerAsync(Call call, Service service, Patience patience)
    {
        HttpResponseMessage answer = service.Answer!;
        call.FirstByteMs = _time.GetElapsedTime(service.Start).TotalMilliseconds;
        await using Stream stream = await answer.Content.ReadAsStreamAsync(CancellationToken.None);
        CallCounter counter = service.Counter = OpenCounter(call, service.Admission, answer);
        if (!WaitsFor(call, counter) || !await ReadPricedAsync(call, stream, counter, patience))
        {
            await RelayAsync(call, stream, counter, patience, answer.Content.Headers.ContentLength);
            return;
        }

        await LeaveSocketAsync(call, counter);
        bool isLeft = call.End == CallEnd.Whole && call.Http.RequestAborted.IsCancellationRequested;
        call.End = isLeft ? CallEnd.ClientLeft : call.End;
        service.Settled = Settle(call, service);
        // Without a hold, nothing but the record tells of the call: the answer waits for it.
        service.IsRecorded = !service.Admission.HasHold;
        await (service.IsRecorded ? RecordAsync(call, service) : Task.CompletedTask);
        await ReturnWholeAsync(call, counter, (int)answer.StatusCode);
    }

    // Answers are read on the thread of their socket: reading through a long one would hold up those of others.
    private static async ValueTask LeaveSocketAsync(Call call, CallCounter? counter)
    {
        if (call.Body.Length + (counter?.Whole.Length ?? 0) > GatewayLimits.BriefBytes)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    }

    /// <summary>How far an admitted call has come.</summary>
    private sealed class Service(Admission admission, long start) : IDisposable
    {
        internal Admission Admission => admission;

        internal long Start => start;

        internal HttpResponseMessage? Answer { get; set; }

        internal CallCounter? Counter { get; set; }

        internal Settled? Settled { get; set; }

        internal bool IsRecorded { get; set; }

        public void Dispose()
        {
            Counter?.Dispose();
            Answer?.Dispose();
        }
    }

    // A whole answer that is translated can't go out before it is over, even if a stream was asked for.
    private static bool WaitsFor(Call call, CallCounter counter) =>
        !counter.Streams && (!call.Facts.Streams || call.Spoken.IsForeign);

    /// <summary>What a call used, and how long it took.</summary>
    private sealed record Settled(CallCount Count, int LatencyMs);

    // The count and the price, which the client is told; what was reserved in memory ends.
    private Settled Settle(Call call, Service service)
    {
        CallCount count = service.Counter?.Finish((int)service.Answer!.StatusCode) ?? CallCounter.WithoutAnswer(call);
        int latencyMs = (int)_time.GetElapsedTime(service.Start).TotalMilliseconds;
        UsageRecord record = _recorder.Make(call, count, service.Admission, latencyMs);
        Money? cost = _pricing.FindCost(call.Policy, record);
        service.Admission.Settle(record.Tokens(Direction.Input) + record.Tokens(Direction.Output), cost);
        WriteCost(call, cost);
        call.Cost = cost;
        return new Settled(count, latencyMs);
    }

    // Steps 4 to 6: Record, Rate, Post; the hold ends with them.
    private Task RecordAsync(Call call, Service service)
    {
        Settled settled = service.Settled!;
        CallCount count = service.Counter?.Compare(settled.Count) ?? settled.Count;
        if (_watch.KeepsContent(call))
        {
            _watch.Keep(call, service.Counter is null ? default : service.Counter.Whole.Span);
        }

        call.Record = _recorder.Make(call, count, service.Admission, settled.LatencyMs);
        return _recorder.RecordAsync(call.Record);
    }

    /// <summary>Reads an answer that is small enough to wait for; false when it is not, and the rest is still to
    /// come.</summary>
    private async ValueTask<bool> ReadPricedAsync(Call call, Stream stream, CallCounter counter, Patience patience)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(GatewayLimits.ReadBytes);
        try
        {
            while (call.Spoken.IsForeign || counter.Whole.Length <= GatewayLimits.PricedAnswerBytes)
            {
                int read = await Relay.ReadAsync(call, stream, buffer, patience, _limits);
                if (read <= 0)
                {
                    return true;
                }

                // Step 3: Count.
                counter.Add(buffer.AsSpan(0, read));
            }

            return false;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task RelayAsync(Call call, Stream stream, CallCounter counter, Patience patience, long? length)
    {
        // Large answers have been read in part before.
        await Relay.BeginAsync(call, counter, length);
        await Relay.RunAsync(call, stream, counter, patience, _limits);
        bool saysSo = call.Spoken.IsForeign && call.Facts.Streams; // its last event is an error
        call.LooksCut = !call.AnswerIsWhole && call.End != CallEnd.ClientLeft && !saysSo;
    }

    private static async Task ReturnWholeAsync(Call call, CallCounter counter, int status)
    {
        HttpResponse response = call.Http.Response;
        if (!call.AnswerIsWhole)
        {
            bool late = call.End == CallEnd.OutOfTime;
            response.Clear();
            await new GatewayRefusal(
                late ? RefusalKind.Time : RefusalKind.Upstream, "The upstream broke off within its answer.")
                .WriteAsync(call.Http, call.Route.Protocol);
            return;
        }

        if (!call.Http.RequestAborted.IsCancellationRequested)
        {
            using TranslatedAnswer? translated = call.Spoken.IsForeign ? new TranslatedAnswer(call, counter) : null;
            ReadOnlyMemory<byte> body = translated?.Whole(status) ?? counter.Whole;
            response.ContentLength = body.Length;
            await Relay.WriteAsync(call, response.BodyWriter, body);
        }
    }

    private CallCounter OpenCounter(Call call, Admission admission, HttpResponseMessage answer)
    {
        if (call.Spoken.IsForeign)
        {
            TranslatedAnswer.ReturnHeaders(call, answer, call.Http.Response);
        }
        else
        {
            UpstreamClient.ReturnHeaders(answer, call.Http.Response);
        }

        WriteHeaders(call, admission);
        HttpContentHeaders headers = answer.Content.Headers;
        bool events = IsEvents(headers.ContentType?.MediaType, call)
            && (answer.IsSuccessStatusCode || !call.Spoken.IsForeign); // an error is translated as a whole
        string packing = string.Join(',', headers.ContentEncoding);
        return new CallCounter(call, events, packing, _recount.Find(call.Spoken.Route.Kind, call.Served!))
        {
            KeepsEvents = _watch.KeepsContent(call),
        };
    }

    // Some upstreams give a stream no type, or none that says anything.
    private static bool IsEvents(string? type, Call call) =>
        "text/event-stream".Equals(type, StringComparison.OrdinalIgnoreCase)
        || (call.Facts.Streams && call.Route.Writes
            && type?.ToLowerInvariant() is null or "text/plain" or "application/octet-stream");

    private static void WriteHeaders(Call call, Admission admission)
    {
        call.Http.Response.Headers["x-ciyuan-record"] = call.Id;
        admission.WriteLimits(call);
    }

    private static void WriteCost(Call call, Money? cost)
    {
        if (cost is { } money && !call.Http.Response.HasStarted)
        {
            call.Http.Response.Headers["x-ciyuan-cost"] = $"{money.Amount} {money.Currency}";
        }
    }

    private static GatewayRefusal? FindFault(in CallRoute route, CallFacts facts, Caller caller)
    {
        if (facts.Fault is { } fault)
        {
            return new GatewayRefusal(RefusalKind.Malformed, fault);
        }

        return !caller.MayDo(route.Operation)
            ? new GatewayRefusal(RefusalKind.Permission, $"The key may not ask for '{route.Operation}'.")
            : !caller.MayUse(facts.Model)
                ? new GatewayRefusal(RefusalKind.Permission, $"The key may not use model '{facts.Model}'.")
                : null;
    }

    private static Caller? FindCaller(HttpRequest request, GatewayPolicy policy, Timestamp now) =>
        Secrets.Find(request) is { } secret && policy.FindCaller(Secrets.Hash(secret)) is { } caller
        && (caller.Expires is not { } end || now < end)
            ? caller
            : null;

    // Anthropic lists its models at the path that OpenAI has.
    private static UpstreamProtocol ProtocolOf(HttpRequest request, in CallRoute route) =>
        route.Kind == CallKind.ListModels && request.Headers.ContainsKey("anthropic-version")
            ? UpstreamProtocol.Anthropic
            : route.Protocol;

    private static GatewayRefusal ToRefusal(Problem problem) => problem.Status switch
    {
        StatusCodes.Status413PayloadTooLarge => new GatewayRefusal(
            RefusalKind.TooLarge,
            $"The body is larger than {GatewayLimits.RequestBytes.ToString(CultureInfo.InvariantCulture)} bytes."),
        StatusCodes.Status429TooManyRequests => new GatewayRefusal(
            RefusalKind.Busy, "The gateway holds as many bytes of calls as it may.")
        { RetryAfterSeconds = 1 },
        _ => new GatewayRefusal(RefusalKind.Malformed, problem.Detail),
    };

    private GatewayPolicy Renew()
    {
        lock (_renewing)
        {
            ShardPolicy source = _shard.Policy;
            if (!ReferenceEquals(_policy.Source, source))
            {
                Volatile.Write(ref _policy, GatewayPolicy.Make(source, FindUpstream));
            }

            return _policy;
        }
    }

    // An upstream keeps its health as long as its setup is the same.
    private Upstream FindUpstream(UpstreamSetup setup)
    {
        if (!_upstreams.TryGetValue(setup.Id, out Upstream? upstream) || !ReferenceEquals(upstream.Setup, setup))
        {
            _upstreams[setup.Id] = upstream = new Upstream(setup, ReadSecret(setup));
        }

        return upstream;
    }

    private string? ReadSecret(UpstreamSetup setup)
    {
        try
        {
            string? secret = setup.KeyFile.Length > 0 ? File.ReadAllText(setup.KeyFile)
                : setup.KeyVariable.Length > 0 ? _environment(setup.KeyVariable)
                : null;
            return secret?.Trim() is { Length: > 0 } some ? some : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null; // it is said when a call would need it
        }
    }
}
