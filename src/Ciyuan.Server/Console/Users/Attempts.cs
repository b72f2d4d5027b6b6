namespace Ciyuan.Server.Console.Users;

/// <summary>Counts failures to sign in, by user and by address, and says how long to wait: guessing gets slow, and the
/// right person is kept out for a quarter of an hour at most.</summary>
internal sealed class Attempts(TimeProvider time)
{
    /// <summary>Failures of a user without a wait.</summary>
    internal const int FreeOfUser = 5;

    /// <summary>Failures from an address without a wait: an office has one address for many.</summary>
    internal const int FreeOfAddress = 30;

    /// <summary>Longest wait.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    private const int MostKept = 20_000; // some 2 MB; beyond, the oldest are forgotten

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Failures> _all = new(StringComparer.Ordinal);

    /// <summary>How long a user at an address has to wait; zero: not at all.</summary>
    internal TimeSpan WaitOf(string user, string address)
    {
        lock (_lock)
        {
            TimeSpan ofUser = Left("u:" + user);
            TimeSpan ofAddress = Left("a:" + address);
            return ofUser > ofAddress ? ofUser : ofAddress;
        }
    }

    /// <summary>Counts a failure.</summary>
    internal void Fail(string user, string address)
    {
        lock (_lock)
        {
            Add("u:" + user, FreeOfUser);
            Add("a:" + address, FreeOfAddress);
        }
    }

    /// <summary>Forgets the failures of a user who has come in, and the one that was counted of the address.</summary>
    internal void Succeed(string user, string address)
    {
        lock (_lock)
        {
            _all.Remove("u:" + user);
            if (_all.TryGetValue("a:" + address, out Failures? failures))
            {
                _all["a:" + address] = failures with { Count = failures.Count - 1 };
            }
        }
    }

    private TimeSpan Left(string key)
    {
        if (!_all.TryGetValue(key, out Failures? failures))
        {
            return TimeSpan.Zero;
        }

        TimeSpan left = failures.Wait - time.GetElapsedTime(failures.Last);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Add(string key, int free)
    {
        if (_all.Count >= MostKept && !_all.ContainsKey(key))
        {
            IEnumerable<string> oldest = _all.OrderBy(p => p.Value.Last).Take(MostKept / 4).Select(p => p.Key);
            foreach (string old in oldest.ToArray())
            {
                _all.Remove(old);
            }
        }

        bool isOld = !_all.TryGetValue(key, out Failures? failures)
            || time.GetElapsedTime(failures.Last) > 4 * Longest;
        int count = isOld ? 1 : failures!.Count + 1;
        double seconds = count < free ? 0 : 5 * Math.Pow(2, Math.Min(count - free, 10));
        TimeSpan wait = TimeSpan.FromSeconds(seconds);
        _all[key] = new Failures(count, time.GetTimestamp(), wait > Longest ? Longest : wait);
    }

    private sealed record Failures(int Count, long Last, TimeSpan Wait);
}
