using System.Security.Cryptography.X509Certificates;

namespace Ciyuan.Server.Gateway;

/// <summary>Limits on what a call through the gateway may cost in time and memory.</summary>
public sealed record GatewayLimits
{
    /// <summary>Most bytes of a call's body: 32 MiB, some twenty photographs in base 64, or 25 MB of audio.</summary>
    public const int RequestBytes = 32 * 1024 * 1024;

    /// <summary>Most bytes of a whole answer that are held back until its price is known: 1 MiB. Larger ones go out as
    /// they come, without a price in the headers.</summary>
    public const int PricedAnswerBytes = 1024 * 1024;

    /// <summary>Most bytes of a whole answer kept to read its usage: 32 MiB, a few large pictures. Of a larger one the
    /// usage is not read.</summary>
    public const int CountedAnswerBytes = 32 * 1024 * 1024;

    /// <summary>Most bytes of one event of a stream that are looked at: 1 MiB. A larger one passes unread.</summary>
    public const int EventBytes = 1024 * 1024;

    /// <summary>Bytes read from an upstream at one time: 16 KiB, some hundred events.</summary>
    public const int ReadBytes = 16 * 1024;

    /// <summary>The same of a stream, of which there may be thousands: 4 KiB, some ten events.</summary>
    public const int ReadBytesOfStream = 4 * 1024;

    /// <summary>Most bytes of a call and its answer that are read through where the answer arrives: 64 KiB, some
    /// tenths of a millisecond. With more, a thread of the pool does it.</summary>
    public const int BriefBytes = 64 * 1024;

    /// <summary>Tokens held for a picture, whatever its size: 16 384, above what the large providers count for
    /// one.</summary>
    public const int TokensOfPicture = 16_384;

    /// <summary>Tokens held for what a call only refers to (a file, a video, an earlier answer): 1 048 576, the
    /// largest window of context that is common.</summary>
    public const int TokensOfReference = 1_048_576;

    /// <summary>Tokens of an answer that are held, and put into the call as its limit, when neither the call nor the
    /// setup says how many there can be.</summary>
    public const int AssumedOutput = 16_384;

    /// <summary>The same, where the money does not suffice for <see cref="AssumedOutput"/>.</summary>
    public const int LeastOutput = 1_024;

    /// <summary>Tokens of one answer, at most, that a hold reckons with, whatever a call asks for: 10⁹. With
    /// <see cref="MostAnswers"/> it stays within what a record can count.</summary>
    public const long MostOutput = 1_000_000_000;

    /// <summary>Answers or pictures, at most, that a hold reckons with.</summary>
    public const long MostAnswers = 100_000;

    /// <summary>Most upstreams that a call is tried at.</summary>
    public const int Attempts = 3;

    /// <summary>Failures in a row after which an upstream is passed over for a while.</summary>
    public const int FailuresToOpen = 5;

    /// <summary>For how long an upstream is passed over after <see cref="FailuresToOpen"/>.</summary>
    public TimeSpan OpenTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long a connection may take to be made.</summary>
    public TimeSpan ConnectTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For how long the first bytes of an answer may take; long thinking comes before a whole
    /// answer.</summary>
    public TimeSpan FirstByteTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For how long a started answer may pause.</summary>
    public TimeSpan PauseTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>For how long a call may take; a stream without end is cut here.</summary>
    public TimeSpan CallTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Certificates of authorities to trust in the place of the system's; for tests of HTTP/2, which needs
    /// TLS.</summary>
    internal X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>How long after <see cref="CallTime"/> a hold ends by itself: time for the record to become
    /// durable.</summary>
    public TimeSpan HoldMargin { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>When a hold that is placed now ends by itself.</summary>
    internal TimeSpan HoldTime => CallTime + HoldMargin;
}
