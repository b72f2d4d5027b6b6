using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Gateway;
using Ciyuan.Usage;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Watch;

/// <summary>What whoever watches sees of a call: who, what, how much, how it ended. Never a secret, never
/// content.</summary>
/// <param name="Call">The call.</param>
/// <param name="Record">Its record; null when it was refused.</param>
/// <param name="Refusal">Why the gateway refused it; null when it did not.</param>
internal readonly record struct CallView(Call Call, UsageRecord? Record, GatewayRefusal? Refusal)
{
    /// <summary>How it ended, in one word: that of its record, or <c>refused</c>.</summary>
    internal string Outcome => Record is null ? "refused" : Record.Outcome.ToString().ToLowerInvariant();

    /// <summary>How sure the counts are: the least sure of them; empty when there are none.</summary>
    internal string Grade => Record is { Counts.Length: > 0 } record
        ? record.Counts.Max(c => c.Grade).ToString().ToLowerInvariant()
        : "";

    /// <summary>Writes the call as a JSON object of one line.</summary>
    internal void Write(IBufferWriter<byte> output)
    {
        KeySetup key = Call.Caller.Key;
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("time", Call.Start.ToString());
        json.WriteString("record", Record is null ? "" : Call.Id);
        json.WriteString("key_prefix", Call.Caller.Access.Prefix);
        json.WriteString("key", key.Id);
        json.WriteString("party", key.Party);
        json.WriteString("project", key.Project);
        json.WriteString("scenario", Call.Scenario);
        json.WriteString("operation", Call.Route.Operation);
        json.WriteString("model", Record?.Context.Model ?? Call.Facts.Model);
        json.WriteString("provider", Record?.Context.Provider ?? "");
        json.WriteString("upstream", Call.Served?.Upstream.Setup.Id ?? "");
        json.WriteBoolean("stream", Call.Facts.Streams);
        json.WriteString("outcome", Outcome);
        json.WriteNumber("status", Refusal?.Status ?? Call.Http.Response.StatusCode);
        json.WriteString("grade", Grade);
        json.WriteNumber("input_tokens", Record?.Tokens(Direction.Input) ?? 0);
        json.WriteNumber("output_tokens", Record?.Tokens(Direction.Output) ?? 0);
        json.WriteString("cost", Call.Cost?.Amount.ToString() ?? "");
        json.WriteString("currency", Call.Cost?.Currency.ToString() ?? "");
        json.WriteNumber("latency_ms", Record?.LatencyMs ?? 0);
        json.WriteEndObject();
    }
}

/// <summary>Which calls are watched; each part is a name or a pattern with <c>*</c>, and empty for all.</summary>
internal sealed class CallFilter
{
    private readonly (ModelPattern Pattern, Func<CallView, string> Of)[] _parts;

    private CallFilter((ModelPattern Pattern, Func<CallView, string> Of)[] parts) => _parts = parts;

    /// <summary>The parts by which a filter may go.</summary>
    internal static readonly IReadOnlyDictionary<string, Func<CallView, string>> Names =
        new Dictionary<string, Func<CallView, string>>(StringComparer.Ordinal)
        {
            ["party"] = v => v.Call.Caller.Key.Party,
            ["project"] = v => v.Call.Caller.Key.Project,
            ["key"] = v => v.Call.Caller.Key.Id,
            ["scenario"] = v => v.Call.Scenario,
            ["model"] = v => v.Record?.Context.Model ?? v.Call.Facts.Model,
            ["upstream"] = v => v.Call.Served?.Upstream.Setup.Id ?? "",
            ["outcome"] = v => v.Outcome,
        };

    /// <summary>Reads a query; null and what is wrong when it has something else in it.</summary>
    internal static (CallFilter? Filter, string Fault) Read(IQueryCollection query)
    {
        var parts = new List<(ModelPattern, Func<CallView, string>)>();
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues value) in query)
        {
            if (!Names.TryGetValue(name, out Func<CallView, string>? of) || value.ToString().Length > 256)
            {
                return (null, string.Create(CultureInfo.InvariantCulture,
                    $"'{name}' is no filter; there are {string.Join(", ", Names.Keys)}."));
            }

            parts.Add((new ModelPattern(value.ToString()), of));
        }

        return (new CallFilter([.. parts]), "");
    }

    /// <summary>Whether a call is watched.</summary>
    internal bool Matches(CallView call) => Array.TrueForAll(_parts, p => p.Pattern.Matches(p.Of(call)));
}
