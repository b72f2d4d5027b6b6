using Ciyuan.Journal;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Watch;
using Ciyuan.Storage;
using Microsoft.Extensions.Logging;

namespace Ciyuan.Server;

/// <summary>What a server serves, where, and to whom.</summary>
/// <param name="Shard">The data folder and its writer.</param>
public sealed record ServerOptions(ShardOptions Shard)
{
    /// <summary>Where a server listens unless told otherwise: this machine only.</summary>
    public const string DefaultListen = "http://127.0.0.1:7280";

    /// <summary><c>http://ADDRESS:PORT</c>; port 0 takes any free one. An address that other machines can reach needs a
    /// <see cref="Token"/>.</summary>
    public string Listen { get; init; } = DefaultListen;

    /// <summary>The secret that each request must carry as <c>Authorization: Bearer …</c>; null: none is asked for. See
    /// <see cref="AccessToken.Find"/>.</summary>
    public string? Token { get; init; }

    /// <summary>Limits on what a request may cost.</summary>
    public ServerLimits Limits { get; init; } = new();

    /// <summary>Limits on what a call through the gateway may cost.</summary>
    public GatewayLimits Calls { get; init; } = new();

    /// <summary>Reads an environment variable: where the keys of upstreams are, and who else signs users in.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>A collector to which traces and metrics go by OTLP over HTTP; null: the one that the environment names
    /// in <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, else none.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Scenarios whose calls and answers are kept in the data folder; null: none are.</summary>
    public ContentOptions? Content { get; init; }

    /// <summary>Who else says who a user of the console is; null: whom the environment names
    /// (<see cref="OpenIdOptions.Find"/>), else passwords alone.</summary>
    public OpenIdOptions? OpenId { get; init; }

    /// <summary>Where log lines go; null: as JSON to standard error, from information up.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }
}

/// <summary>Limits on what requests may cost. What is beyond is refused with a problem that says what to do.</summary>
public sealed record ServerLimits
{
    /// <summary>Most bytes of a request's body as sent: 16 MiB, about 40 000 events of 400 bytes.</summary>
    public const int BodyBytes = 16 * 1024 * 1024;

    /// <summary>Most bytes of a gzip body when unpacked: 64 MiB, four times what may be sent plain, so that a full
    /// frame
    /// of 65 535 events of up to 1 000 bytes passes.</summary>
    public const int InflatedBytes = 64 * 1024 * 1024;

    /// <summary>Most bytes that a byte of a gzip body may become. Real events shrink 10 to 40 times, a bomb 1 000
    /// times.</summary>
    public const int InflatedRatio = 100;

    /// <summary>Bytes that a gzip body may always become, whatever its ratio: 64 KiB.</summary>
    public const int InflatedAlways = 64 * 1024;

    /// <summary>Most events in a request: as many as a frame holds, so that a request is in one frame.</summary>
    public const int Events = FrameProposal.MaxCommands;

    /// <summary>Deepest nesting of JSON. A batch (1) of events (2) with data (3), usage (4), details (5) and a list of
    /// objects in it (7) leaves as much again.</summary>
    public const int JsonDepth = 16;

    /// <summary>Most bytes of a setup, a ledger group or a correction: 4 MiB, a price book of 10 000 models.</summary>
    public const int CommandBytes = 4 * 1024 * 1024;

    /// <summary>Most bytes of a bill to be reconciled: 512 MiB, some five million lines of 100 bytes. It goes to a
    /// file, not to memory.</summary>
    public const long BillBytes = 512L * 1024 * 1024;

    /// <summary>Most bytes of a request's line and headers together: 16 KiB.</summary>
    public const int HeaderBytes = 16 * 1024;

    /// <summary>Most open connections: each costs about 20 KB while idle, 80 MB together.</summary>
    public const int Connections = 4_096;

    /// <summary>Most rows of a report that go out in one reply: 100 000 of about 300 bytes are 30 MB.</summary>
    public const int ReportRows = 100_000;

    /// <summary>Seconds in which a request's headers must arrive.</summary>
    public const int HeaderSeconds = 10;

    /// <summary>Seconds for which an idle connection is kept.</summary>
    public const int KeepAliveSeconds = 130;

    /// <summary>Seconds that a stop waits for requests under way.</summary>
    public const int DrainSeconds = 30;

    /// <summary>Most requests that wait for the writer at one time. At 1 ms to a commit the last one waits 0.3
    /// s.</summary>
    public int WaitingRequests { get; init; } = 256;

    /// <summary>Most bytes of bodies held at one time: 256 MiB, 16 of the largest plain bodies.</summary>
    public long BytesInFlight { get; init; } = 256L * 1024 * 1024;

    /// <summary>Most reports worked out at one time: each may keep a core busy for a second.</summary>
    public int Reports { get; init; } = 2;
}

/// <summary>The server can't be started as asked; the message says why and what to do.</summary>
public sealed class ServerRefusedException(string message) : Exception(message);
