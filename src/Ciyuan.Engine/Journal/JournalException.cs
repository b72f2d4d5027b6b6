namespace Ciyuan.Journal;

/// <summary>The journal, or something derived from it, is not what was written; the message names the place.</summary>
public sealed class JournalException : Exception
{
    /// <summary>An exception with a message.</summary>
    public JournalException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message and its cause.</summary>
    public JournalException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>An exception without a message.</summary>
    public JournalException()
    {
    }
}
