using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway;

/// <summary>An upstream and how it fares. Shared by all calls; each operation is atomic by itself.</summary>
internal sealed class Upstream
{
    private readonly Lock _lock = new();
    private int _failures;
    private long _openUntil; // by the clock's timestamp; 0: closed
    private bool _trying;
    private double _firstByteMs = -1;
    private long _turns;

    /// <summary>An upstream that nothing is known of yet.</summary>
    internal Upstream(UpstreamSetup setup, string? secret)
    {
        (Setup, Secret) = (setup, secret);
        Base = setup.BaseUrl.TrimEnd('/');
        Provider = setup.Protocol == UpstreamProtocol.Sandbox ? SandboxName : setup.Provider;
    }

    /// <summary>Provider of the sandbox, in every record.</summary>
    internal const string SandboxName = "sandbox";

    /// <summary>What the setup says.</summary>
    internal UpstreamSetup Setup { get; }

    /// <summary>Its API key; null when it has none.</summary>
    internal string? Secret { get; }

    /// <summary>Whether the setup says where its key is, and there is none.</summary>
    internal bool LacksSecret => Secret is null && (Setup.KeyVariable.Length > 0 || Setup.KeyFile.Length > 0);

    /// <summary>Its base address, without a slash at the end.</summary>
    internal string Base { get; }

    /// <summary>The provider that records name.</summary>
    internal string Provider { get; }

    /// <summary>Mean time to the first bytes in milliseconds, the newest weighing a fifth; -1 before the
    /// first.</summary>
    internal double FirstByteMs => Volatile.Read(ref _firstByteMs);

    /// <summary>Whether it is left alone for a while after failures in a row.</summary>
    internal bool IsResting(TimeProvider time)
    {
        lock (_lock)
        {
            return _openUntil != 0 && time.GetTimestamp() < _openUntil;
        }
    }

    /// <summary>Calls that it got by turns.</summary>
    internal long Turns => Interlocked.Read(ref _turns);

    /// <summary>Addresses of what it is asked for.</summary>
    internal UriCache Uris { get; } = new();

    /// <summary>Takes a turn.</summary>
    internal void TakeTurn() => Interlocked.Increment(ref _turns);

    /// <summary>
    /// Whether a call may go there. After failures in a row it may not for a while; then one may try, and the others
    /// wait for how that ends.
    /// </summary>
    internal bool MayTry(TimeProvider time)
    {
        lock (_lock)
        {
            if (_openUntil == 0)
            {
                return true;
            }

            if (_trying || time.GetTimestamp() < _openUntil)
            {
                return false;
            }

            return _trying = true;
        }
    }

    /// <summary>Whether calls pass it over now.</summary>
    internal bool IsPassedOver(TimeProvider time)
    {
        lock (_lock)
        {
            return _openUntil != 0 && (_trying || time.GetTimestamp() < _openUntil);
        }
    }

    /// <summary>It answered.</summary>
    internal void NoteAnswer(double firstByteMs)
    {
        lock (_lock)
        {
            (_failures, _openUntil, _trying) = (0, 0, false);
            _firstByteMs = _firstByteMs < 0 ? firstByteMs : (_firstByteMs * 0.8) + (firstByteMs * 0.2);
        }
    }

    /// <summary>It failed.</summary>
    internal void NoteFailure(TimeProvider time, TimeSpan openTime)
    {
        lock (_lock)
        {
            _failures++;
            if (_trying || _failures >= GatewayLimits.FailuresToOpen)
            {
                _openUntil = time.GetTimestamp() + (long)(openTime.TotalSeconds * time.TimestampFrequency);
                _trying = false;
            }
        }
    }

    /// <summary>A try that ended without telling anything, such as one whose client left.</summary>
    internal void NoteNothing()
    {
        lock (_lock)
        {
            _trying = false;
        }
    }
}

/// <summary>Keeps addresses that have been parsed: there are few, and each call needs one.</summary>
internal sealed class UriCache
{
    private const int Most = 1_024;

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, Uri> _known =
        new(StringComparer.Ordinal);

    /// <summary>The address.</summary>
    internal Uri Find(string address)
    {
        if (_known.TryGetValue(address, out Uri? known))
        {
            return known;
        }

        var uri = new Uri(address, UriKind.Absolute);
        return _known.Count < Most ? _known.GetOrAdd(address, uri) : uri;
    }
}
