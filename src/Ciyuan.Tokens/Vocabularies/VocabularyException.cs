namespace Ciyuan.Tokens.Vocabularies;

/// <summary>A vocabulary cannot be read; the message says where, why and what to do.</summary>
public sealed class VocabularyException : Exception
{
    /// <summary>With a message for whoever chose the file.</summary>
    public VocabularyException(string message)
        : base(message)
    {
    }

    /// <summary>With a message, and what led to it.</summary>
    public VocabularyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message of its own.</summary>
    public VocabularyException()
    {
    }
}
