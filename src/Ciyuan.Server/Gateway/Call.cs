using System.Buffers.Binary;
using System.Security.Cryptography;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Gateway.Translation;
using Ciyuan.Storage;
using Ciyuan.Usage;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>How a call's answer ended, told apart for its record's tag <c>end</c>.</summary>
internal enum CallEnd
{
    /// <summary>The upstream ended the answer.</summary>
    Whole,

    /// <summary>The client left.</summary>
    ClientLeft,

    /// <summary>The upstream broke off after the first byte.</summary>
    UpstreamBroke,

    /// <summary>It paused too long, or took too long.</summary>
    OutOfTime,

    /// <summary>The upstream refused, or no upstream answered.</summary>
    NoAnswer,
}

/// <summary>One call on its way through the steps: what is known of it so far.</summary>
internal sealed class Call(
    HttpContext http, CallRoute route, Caller caller, ShardPolicy policy, Timestamp start, CallContexts contexts)
{
    private Candidate? _contextOf;
    private UsageContext? _context;
    private Dictionary<Candidate, (SpokenCall?, GatewayRefusal?)>? _foreign;
    private SpokenCall? _own;

    /// <summary>The exchange with the client.</summary>
    internal HttpContext Http => http;

    /// <summary>What is asked for.</summary>
    internal CallRoute Route => route;

    /// <summary>Who asks.</summary>
    internal Caller Caller => caller;

    /// <summary>What was in force when it came; it is priced by this to its end.</summary>
    internal ShardPolicy Policy => policy;

    /// <summary>When it came; its record's event time.</summary>
    internal Timestamp Start => start;

    /// <summary>Its id: that of its record and of its hold.</summary>
    internal string Id { get; } = NewId(start);

    /// <summary>What its body says.</summary>
    internal required CallFacts Facts { get; init; }

    /// <summary>The body.</summary>
    internal required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The scenario, by header or else by key.</summary>
    internal required string Scenario { get; init; }

    /// <summary>The upstream that answers, or was tried last.</summary>
    internal Candidate? Served { get; set; }

    /// <summary>What it costs the consumer; null while that is not known, or when nothing says so.</summary>
    internal Money? Cost { get; set; }

    /// <summary>Its record, once it is made; null for a call that is refused.</summary>
    internal UsageRecord? Record { get; set; }

    /// <summary>Milliseconds to the upstream's first bytes; -1: none came.</summary>
    internal double FirstByteMs { get; set; } = -1;

    /// <summary>How often an upstream was tried.</summary>
    internal int Attempts { get; set; }

    /// <summary>How the answer ended.</summary>
    internal CallEnd End { get; set; } = CallEnd.NoAnswer;

    /// <summary>Whether the upstream's answer came to its end, whether or not the client still took it.</summary>
    internal bool AnswerIsWhole { get; set; }

    /// <summary>Whether the exchange with the client must end without the end of an answer.</summary>
    internal bool LooksCut { get; set; }

    /// <summary>Whether usage was asked for in the client's place.</summary>
    internal bool TakesUsageOut => !Spoken.IsForeign && UpstreamBody.AddsUsage(route, Facts);

    /// <summary>Whether the answer's bytes change on their way to the client.</summary>
    internal bool ChangesBytes => Spoken.IsForeign || TakesUsageOut;

    /// <summary>Whether Gemini's caller asks for events rather than for a list.</summary>
    internal bool AsksForEvents => http.Request.Query["alt"] == "sse";

    /// <summary>The call as it is said to the upstream that answers.</summary>
    internal SpokenCall Spoken => Served is null ? Own : SpeakTo(Served).Spoken ?? Own;

    private SpokenCall Own => _own ??= new SpokenCall(route, Facts, Body);

    /// <summary>The call as it is said to an upstream; or why it can't be said to that one.</summary>
    internal (SpokenCall? Spoken, GatewayRefusal? Refusal) SpeakTo(Candidate candidate)
    {
        if (Routing.IsNative(candidate, route.Protocol))
        {
            return (Own, null);
        }

        _foreign ??= [];
        if (!_foreign.TryGetValue(candidate, out (SpokenCall?, GatewayRefusal?) spoken))
        {
            _foreign.Add(candidate, spoken = SpokenCall.Translate(this, candidate));
        }

        return spoken;
    }

    /// <summary>Of upstreams in their order, those that the call can be said to. Where the first one speaks the
    /// caller's protocol, the others are looked at when it comes to them.</summary>
    internal (Candidate[] Candidates, GatewayRefusal? Refusal) Speakable(Candidate[] candidates)
    {
        if (Routing.IsNative(candidates[0], route.Protocol))
        {
            return (candidates, null);
        }

        Candidate[] able = [.. candidates.Where(c => SpeakTo(c).Spoken is not null)];
        return (able, able.Length == 0 ? SpeakTo(candidates[0]).Refusal : null);
    }

    /// <summary>The context of its record at an upstream: one object for all calls alike, so that what is known of it
    /// is found by reference.</summary>
    internal UsageContext ContextAt(Candidate candidate)
    {
        if (!ReferenceEquals(candidate, _contextOf) || _context is null)
        {
            _contextOf = candidate;
            _context = contexts.Intern(new UsageContext(
                GatewayRecorder.Source, caller.Key.Party, caller.Key.Project, caller.Key.Id, Scenario, Facts.Model, "",
                candidate.Upstream.Provider, candidate.Upstream.Setup.Site, route.Operation));
        }

        return _context;
    }

    // Begins with the time, so that ids lie in the order of their making; 80 random bits tell those of a moment apart.
    private static string NewId(Timestamp start)
    {
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(id, start.UnixNanoseconds / 1_000_000 << 16);
        if (s_random is null || s_randomUsed + 10 > s_random.Length)
        {
            (s_random, s_randomUsed) = (RandomNumberGenerator.GetBytes(4_000), 0);
        }

        s_random.AsSpan(s_randomUsed, 10).CopyTo(id[6..]);
        s_randomUsed += 10;
        return Convert.ToHexStringLower(id);
    }

    // Random bytes are fetched for many ids at one time, for each thread; none is used twice.
    [ThreadStatic]
    private static byte[]? s_random;

    [ThreadStatic]
    private static int s_randomUsed;
}
