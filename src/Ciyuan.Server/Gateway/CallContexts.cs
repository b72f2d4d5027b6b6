using System.Collections.Concurrent;
using Ciyuan.Usage;

namespace Ciyuan.Server.Gateway;

/// <summary>Contexts of calls, one object for each content. For any number of threads.</summary>
internal sealed class CallContexts
{
    /// <summary>Scenarios and models come from callers, so the number is bounded.</summary>
    private const int Most = 65_536;

    private readonly ConcurrentDictionary<UsageContext, UsageContext> _contexts = new();

    /// <summary>The object for a content.</summary>
    internal UsageContext Intern(UsageContext context)
    {
        if (_contexts.TryGetValue(context, out UsageContext? known))
        {
            return known;
        }

        if (_contexts.Count >= Most)
        {
            _contexts.Clear();
        }

        return _contexts.GetOrAdd(context, context);
    }
}
