namespace Ciyuan.Server.Gateway.Translation;

/// <summary>What an answer brings.</summary>
internal enum AnswerEventKind
{
    /// <summary>The answer begins; <c>Text</c> is the model's name.</summary>
    Begin,

    /// <summary>A piece of text.</summary>
    Text,

    /// <summary>A piece of what the model thinks.</summary>
    Thought,

    /// <summary>A proof of thoughts; the next call of a tool carries it.</summary>
    Proof,

    /// <summary>The model calls a tool: <c>Text</c> is the id, <c>Name</c> the tool.</summary>
    Call,

    /// <summary>A piece of the arguments of the call before it.</summary>
    Arguments,

    /// <summary>The model stopped: <c>Stop</c> says why, <c>Text</c> at which text.</summary>
    Stop,

    /// <summary>The upstream says that it failed: <c>Text</c> is its message, <c>Failure</c> the kind.</summary>
    Error,
}

/// <summary>Why a model stopped.</summary>
internal enum StopReason
{
    End,
    Sequence,
    Length,
    Tools,
    Filter,
}

/// <summary>One thing of an answer, in no protocol's words.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text.</param>
/// <param name="Choice">Which of several answers.</param>
internal readonly record struct AnswerEvent(AnswerEventKind Kind, string Text = "", int Choice = 0)
{
    /// <summary>Name of a tool.</summary>
    internal string Name { get; init; } = "";

    /// <summary>Why the model stopped.</summary>
    internal StopReason Stop { get; init; }

    /// <summary>Whose proof <see cref="Text"/> is; of a thought, <see cref="Signature.OpenAI"/> where its upstream
    /// wants it back.</summary>
    internal char Maker { get; init; }

    /// <summary>How the upstream failed.</summary>
    internal RefusalKind Failure { get; init; }

    internal static AnswerEvent Failed(RefusalKind kind, string message) =>
        new(AnswerEventKind.Error, message) { Failure = kind };
}
