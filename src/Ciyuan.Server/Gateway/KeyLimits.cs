using System.Collections.Concurrent;
using System.Globalization;
using Ciyuan.Parties;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>The limits of keys on calls, tokens and calls at one time. In memory: after a restart each key begins with
/// a full minute.</summary>
internal sealed class KeyLimits(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, KeyLoad> _loads = new(StringComparer.Ordinal);

    /// <summary>The load of a key.</summary>
    internal KeyLoad Of(AccessSetup access) => _loads.GetOrAdd(access.Key, _ => new KeyLoad(time));
}

/// <summary>What a key uses now. Two buckets that fill evenly over a minute, and a count.</summary>
internal sealed class KeyLoad(TimeProvider time)
{
    private readonly Lock _lock = new();
    private Bucket _requests;
    private Bucket _tokens;
    private int _open;

    /// <summary>Takes a place for a call of some tokens; says what is exceeded when there is none.</summary>
    internal GatewayRefusal? Take(AccessSetup access, long tokens)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            _requests.Fill(access.RequestsPerMinute, now, time.TimestampFrequency);
            _tokens.Fill(access.TokensPerMinute, now, time.TimestampFrequency);
            if (access.Concurrency > 0 && _open >= access.Concurrency)
            {
                return Exceeded($"The key has {access.Concurrency} calls under way, as many as it may.", 1);
            }

            if (_requests.IsLimited && _requests.Left < 1)
            {
                return Exceeded(
                    $"The key may make {access.RequestsPerMinute} calls in a minute.", _requests.SecondsUntil(1));
            }

            if (_tokens.IsLimited && _tokens.Left < Math.Min(tokens, access.TokensPerMinute))
            {
                return Exceeded(
                    $"The key may use {access.TokensPerMinute} tokens in a minute; this call asks for about {tokens}.",
                    _tokens.SecondsUntil(Math.Min(tokens, access.TokensPerMinute)));
            }

            _requests.Left -= 1;
            _tokens.Left -= tokens;
            _open++;
            return null;
        }
    }

    /// <summary>Gives the place back, and takes what was used more, or less, than asked for.</summary>
    internal void Return(long askedTokens, long usedTokens)
    {
        lock (_lock)
        {
            _open--;
            _tokens.Left -= usedTokens - askedTokens;
        }
    }

    /// <summary>Says the limits as the protocol's clients know them.</summary>
    internal void WriteHeaders(AccessSetup access, UpstreamProtocol protocol, IHeaderDictionary headers)
    {
        if (access.RequestsPerMinute == 0 && access.TokensPerMinute == 0)
        {
            return;
        }

        lock (_lock)
        {
            Write(headers, protocol, Requests, access.RequestsPerMinute, _requests);
            Write(headers, protocol, Tokens, access.TokensPerMinute, _tokens);
        }
    }

    private void Write(
        IHeaderDictionary headers, UpstreamProtocol protocol, in HeaderNames names, int limit, in Bucket bucket)
    {
        if (limit == 0)
        {
            return;
        }

        bool anthropic = protocol == UpstreamProtocol.Anthropic;
        (string limitName, string leftName, string resetName) = anthropic ? names.OfAnthropic : names.OfOpenAi;
        int seconds = bucket.SecondsUntil(limit);
        headers[limitName] = limit.ToString(CultureInfo.InvariantCulture);
        headers[leftName] = Math.Max(0, (long)bucket.Left).ToString(CultureInfo.InvariantCulture);
        headers[resetName] = anthropic
            ? time.GetUtcNow().AddSeconds(seconds).ToString(
                "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{seconds}s");
    }

    private static readonly HeaderNames Requests = new("requests");

    private static readonly HeaderNames Tokens = new("tokens");

    /// <summary>Names of the headers that tell a limit, what is left of it, and when all of it is back.</summary>
    private readonly struct HeaderNames(string what)
    {
        internal (string Limit, string Left, string Reset) OfAnthropic { get; } = (
            $"anthropic-ratelimit-{what}-limit", $"anthropic-ratelimit-{what}-remaining",
            $"anthropic-ratelimit-{what}-reset");

        internal (string Limit, string Left, string Reset) OfOpenAi { get; } = (
            $"x-ratelimit-limit-{what}", $"x-ratelimit-remaining-{what}", $"x-ratelimit-reset-{what}");
    }

    private static GatewayRefusal Exceeded(string message, int seconds) =>
        new(RefusalKind.Rate, message + " Send the call again later.") { RetryAfterSeconds = Math.Max(1, seconds) };

    /// <summary>What may still be used; it fills evenly, up to the limit.</summary>
    private struct Bucket
    {
        private long _filled;
        private int _limit;

        internal double Left { get; set; }

        internal readonly bool IsLimited => _limit > 0;

        internal void Fill(int limit, long now, long frequency)
        {
            if (limit != _limit)
            {
                (_limit, Left, _filled) = (limit, limit, now);
            }

            if (_limit > 0)
            {
                double seconds = (double)(now - _filled) / frequency;
                Left = Math.Min(_limit, Left + (seconds * _limit / 60));
                _filled = now;
            }
        }

        internal readonly int SecondsUntil(double wanted) =>
            (int)Math.Ceiling(Math.Max(0, wanted - Left) * 60 / Math.Max(1, _limit));
    }
}
