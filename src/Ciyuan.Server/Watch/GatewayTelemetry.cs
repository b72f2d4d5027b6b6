using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Server.Gateway;
using Ciyuan.Usage;

namespace Ciyuan.Server.Watch;

/// <summary>
/// Calls as traces and metrics, under the names of OpenTelemetry's conventions for generative AI. While nobody listens,
/// nothing is made. No content and no secret is in them.
/// </summary>
internal sealed class GatewayTelemetry : IDisposable
{
    /// <summary>Name of the source of traces, and of the meter.</summary>
    internal const string Name = "Ciyuan.Gateway";

    private readonly ActivitySource _source = new(Name);
    private readonly System.Diagnostics.Metrics.Meter _meter = new(Name);
    private readonly Histogram<long> _tokens;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstToken;

    internal GatewayTelemetry()
    {
        _tokens = _meter.CreateHistogram<long>(
            "gen_ai.client.token.usage", "{token}", "Tokens used, by direction");
        _duration = _meter.CreateHistogram<double>(
            "gen_ai.client.operation.duration", "s", "Time from the call to the end of its answer");
        _firstToken = _meter.CreateHistogram<double>(
            "gen_ai.server.time_to_first_token", "s", "Time from the call to the upstream's first bytes");
    }

    /// <summary>Whether anybody listens.</summary>
    internal bool IsListened => _source.HasListeners() || _tokens.Enabled;

    /// <summary>Begins the trace of a call, within that of its caller where it names one; null when nobody listens. The
    /// one who gets it ends it.</summary>
    internal Activity? Begin(Call call)
    {
        if (!_source.HasListeners())
        {
            return null;
        }

        if (!ActivityContext.TryParse(
            call.Http.Request.Headers.TraceParent, call.Http.Request.Headers.TraceState, isRemote: true,
            out ActivityContext parent))
        {
            Activity.Current = null; // the host's own, which nobody records, nor then what is within it
        }

        return _source.CreateActivity(
            $"{Operation(call.Route)} {call.Facts.Model}", ActivityKind.Client, parent)?.Start();
    }

    /// <summary>Says what became of a call.</summary>
    internal void End(Activity? activity, CallView view)
    {
        if (view.Record is { } record)
        {
            var tags = new TagList
            {
                { "gen_ai.operation.name", Operation(view.Call.Route) },
                { "gen_ai.provider.name", record.Context.Provider },
                { "gen_ai.request.model", view.Call.Facts.Model },
                { "gen_ai.response.model", record.Context.Model },
            };
            Measure(view.Call, record, tags);
        }

        if (activity is not null)
        {
            Describe(activity, view);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _meter.Dispose();
    }

    private void Measure(Call call, UsageRecord record, TagList tags)
    {
        TagList durations = tags;
        if (record.Outcome != Outcome.Ok)
        {
            durations.Add("error.type", ErrorType(call));
        }

        _duration.Record((record.LatencyMs ?? 0) / 1_000.0, durations);
        if (call.FirstByteMs >= 0)
        {
            _firstToken.Record(call.FirstByteMs / 1_000.0, tags);
        }

        TagList input = tags;
        input.Add("gen_ai.token.type", "input");
        _tokens.Record(record.Tokens(Direction.Input), input);
        tags.Add("gen_ai.token.type", "output");
        _tokens.Record(record.Tokens(Direction.Output), tags);
    }

    private static void Describe(Activity activity, CallView view)
    {
        Call call = view.Call;
        activity.SetTag("gen_ai.operation.name", Operation(call.Route));
        activity.SetTag("gen_ai.request.model", call.Facts.Model);
        activity.SetTag("ciyuan.party", call.Caller.Key.Party);
        activity.SetTag("ciyuan.key", call.Caller.Key.Id);
        activity.SetTag("ciyuan.scenario", call.Scenario);
        if (view.Record is not { } record)
        {
            string why = view.Refusal?.Kind.ToString().ToLowerInvariant() ?? "fault";
            activity.SetTag("error.type", why);
            activity.SetStatus(ActivityStatusCode.Error, why);
            return;
        }

        activity.SetTag("gen_ai.provider.name", record.Context.Provider);
        activity.SetTag("gen_ai.response.model", record.Context.Model);
        activity.SetTag("gen_ai.usage.input_tokens", record.Tokens(Direction.Input));
        activity.SetTag("gen_ai.usage.output_tokens", record.Tokens(Direction.Output));
        activity.SetTag("gen_ai.usage.cache_read.input_tokens", Sum(record, TokenKind.CacheRead));
        activity.SetTag("gen_ai.usage.reasoning.output_tokens", Sum(record, TokenKind.Reasoning));
        activity.SetTag("ciyuan.record", record.Id);
        activity.SetTag("ciyuan.upstream", call.Served?.Upstream.Setup.Id);
        activity.SetTag("ciyuan.grade", view.Grade);
        activity.SetTag("ciyuan.cost", call.Cost is { } cost ? $"{cost.Amount} {cost.Currency}" : null);
        if (record.Outcome != Outcome.Ok)
        {
            activity.SetTag("error.type", ErrorType(call));
            activity.SetStatus(record.Outcome == Outcome.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
        }
    }

    // An upstream's refusal ends well; then its status says what it is, as the conventions ask for.
    private static string ErrorType(Call call)
    {
        int status = call.Http.Response.StatusCode;
        return call.End != CallEnd.Whole ? GatewayRecorder.EndName(call.End)
            : status >= 400 ? status.ToString(CultureInfo.InvariantCulture)
            : "_OTHER";
    }

    private static long Sum(UsageRecord record, TokenKind kind) => record.Counts
        .Where(c => c.Meter.IsTokens && c.Meter.TokenClass.Kind == kind).Sum(c => c.Steps);

    // The conventions know chat, text_completion, generate_content, embeddings; others keep the name they have here.
    private static string Operation(in CallRoute route) => route switch
    {
        { Kind: CallKind.Chat, Protocol: UpstreamProtocol.Gemini } => "generate_content",
        { Kind: CallKind.Completions } => "text_completion",
        { Kind: CallKind.Responses } => "chat",
        _ => route.Operation,
    };
}
