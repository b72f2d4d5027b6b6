using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Ciyuan.Usage;
using Microsoft.Extensions.Logging;

namespace Ciyuan.Server.Gateway;

/// <summary>Steps 4 to 6: makes the record of a call and hands it to the shard, which rates and posts it and ends the
/// call's hold in the same frame.</summary>
internal sealed partial class GatewayRecorder
{
    /// <summary>Source of the gateway's records and holds.</summary>
    internal const string Source = "gateway";

    private readonly CallContexts _contexts;
    private readonly Shard _shard;
    private readonly Pricing _pricing;
    private readonly ILogger _log;
    private readonly Action<UsageRecord, UsageStatus, Exception?> _ended;

    internal GatewayRecorder(Shard shard, Pricing pricing, CallContexts contexts, ILogger log)
    {
        (_shard, _pricing, _contexts, _log) = (shard, pricing, contexts, log);
        _ended = End;
    }

    /// <summary>Makes the record of a call.</summary>
    internal UsageRecord Make(Call call, CallCount count, Admission admission, int latencyMs)
    {
        UsageContext context = call.ContextAt(call.Served!);
        var tags = new TagList(count.Tags);

        context = NameModel(call, context, count.Model, tags);
        tags.Set("upstream", call.Served!.Upstream.Setup.Id);
        if (call.Spoken.IsForeign)
        {
            tags.Set("protocol_asked", NameOf(call.Route.Protocol));
            tags.Set("protocol_spoken", NameOf(call.Spoken.Route.Protocol));
        }

        if (call.End != CallEnd.Whole)
        {
            tags.Set("end", EndName(call.End));
        }

        if (call.Attempts > 1)
        {
            tags.Set("attempts", call.Attempts.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        UsageRecord record = Make(call, count, admission, latencyMs, context, tags);
        // What a provider says is hostile until it is looked at: what can't be stored is left out, not the record.
        return record.FindFault() is null
            ? record
            : Make(
                call, count, admission, latencyMs, call.ContextAt(call.Served),
                new TagList([new Tag("upstream", call.Served.Upstream.Setup.Id)]));
    }

    // What was asked for has a price, or the call had not gone out; what answered may have none of its own.
    private UsageContext NameModel(
        Call call, UsageContext context, string answered, TagList tags)
    {
        if (answered.Length == 0 || answered == context.ModelAsked)
        {
            return context;
        }

        UsageContext named = _contexts.Intern(context with { ModelAnswered = answered });
        if (_pricing.HasPrice(call.Policy, named, call.Start))
        {
            return named;
        }

        tags.Set("model_answered", answered);
        return context;
    }

    private static UsageRecord Make(
        Call call, CallCount count, Admission admission, int latencyMs, UsageContext context,
        TagList tags) => new()
        {
            Id = call.Id,
            Context = context,
            EventTime = call.Start,
            Outcome = count.Outcome,
            LatencyMs = latencyMs,
            Counts = count.Counts,
            Tags = tags.ToArray(UsageRecord.MaxTags),
            Hold = admission.HoldId,
        };

    /// <summary>
    /// Sends the record to the journal, whether or not the client still waits. Where the call has a hold, nobody waits
    /// for it to become durable: the hold is, and describes the call. When the journal can't take it, the hold stays,
    /// and is settled by rule at the next start (docs/METERING.md).
    /// </summary>
    internal async Task RecordAsync(UsageRecord record)
    {
        try
        {
            if (record.Hold.Length > 0)
            {
                await _shard.SendRecordAsync(record, _ended);
                return;
            }

            UsageReply[] replies = await _shard.RecordAsync([record], CancellationToken.None);
            End(record, replies[0].Status, null);
        }
        catch (Exception fault) when (fault is StorageFullException or JournalFaultedException
            or ObjectDisposedException)
        {
            End(record, default, fault);
        }
    }

    private void End(UsageRecord record, UsageStatus status, Exception? fault)
    {
        if (fault is not null)
        {
            NotRecorded(_log, record.Id, fault.Message);
        }
        else if (status != UsageStatus.Posted)
        {
            NotPosted(_log, record.Id, status.ToString());
        }
    }

    /// <summary>Tags sorted by name, as records keep them, each name once.</summary>
    private readonly struct TagList
    {
        private readonly List<Tag> _tags;

        internal TagList(ReadOnlySpan<Tag> tags)
        {
            _tags = new List<Tag>(tags.Length + 4);
            foreach (Tag tag in tags)
            {
                Set(tag.Name, tag.Value);
            }
        }

        internal void Set(string name, string value)
        {
            int at = _tags.Count;
            while (at > 0 && string.CompareOrdinal(_tags[at - 1].Name, name) >= 0)
            {
                at--;
            }

            if (at < _tags.Count && _tags[at].Name == name)
            {
                _tags[at] = new Tag(name, value);
            }
            else
            {
                _tags.Insert(at, new Tag(name, value));
            }
        }

        internal Tag[] ToArray(int most) =>
            _tags.Count <= most ? [.. _tags] : _tags.GetRange(0, most).ToArray();
    }

    private static string NameOf(UpstreamProtocol protocol) => protocol switch
    {
        UpstreamProtocol.Anthropic => "anthropic",
        UpstreamProtocol.Gemini => "gemini",
        _ => "openai",
    };

    /// <summary>How an answer ended, for the tag <c>end</c>.</summary>
    internal static string EndName(CallEnd end) => end switch
    {
        CallEnd.Whole => "whole",
        CallEnd.ClientLeft => "client_left",
        CallEnd.UpstreamBroke => "upstream_broke",
        CallEnd.OutOfTime => "out_of_time",
        _ => "no_answer",
    };

    [LoggerMessage(20, LogLevel.Error, "Call {Id}: its record was not posted: {Status}")]
    private static partial void NotPosted(ILogger log, string id, string status);

    [LoggerMessage(21, LogLevel.Error, "Call {Id}: its record could not be stored, its hold stays: {Reason}")]
    private static partial void NotRecorded(ILogger log, string id, string reason);
}
