namespace Ciyuan.Usage;

/// <summary>
/// Keeps one instance for each distinct context, so that equal contexts are the same object. Not safe for several
/// threads: each parser has its own.
/// </summary>
public sealed class UsageContexts
{
    /// <summary>Most contexts kept. Beyond it all are forgotten and the keeping starts again, so that a source that
    /// invents a new name for each call costs time but no memory: 65 536 contexts of about 200 bytes are 13
    /// MB.</summary>
    public const int MaxKept = 65_536;

    private readonly Dictionary<UsageContext, UsageContext> _kept = [];

    /// <summary>The kept instance that equals this one; this one if it is the first.</summary>
    public UsageContext Intern(UsageContext context)
    {
        if (_kept.TryGetValue(context, out UsageContext? kept))
        {
            return kept;
        }

        if (_kept.Count >= MaxKept)
        {
            _kept.Clear();
        }

        _kept.Add(context, context);
        return context;
    }
}
