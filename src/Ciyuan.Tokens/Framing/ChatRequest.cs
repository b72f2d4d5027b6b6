using Ciyuan.Tokens.Media;

namespace Ciyuan.Tokens.Framing;

/// <summary>Counts a text in UTF-8 as ordinary text: marks that look special are text like any other.</summary>
/// <param name="utf8">The text.</param>
/// <returns>The tokens.</returns>
public delegate long TextCounter(ReadOnlySpan<byte> utf8);

/// <summary>A part of a message: a text, or a thing that is counted by <see cref="MediaRules"/>.</summary>
public sealed record ChatPart
{
    /// <summary>The text; null for a thing.</summary>
    public string? Text { get; init; }

    /// <summary>What is known of the thing; null for a text.</summary>
    public MediaFacts? Media { get; init; }

    /// <summary>The resolution asked for; empty for the provider's default.</summary>
    public string Detail { get; init; } = "";

    /// <summary>Why nothing more is known of the thing, such as "given by address only"; empty otherwise.</summary>
    public string Unknown { get; init; } = "";

    /// <summary>A text.</summary>
    public static ChatPart OfText(string text) => new() { Text = text };

    /// <summary>A thing.</summary>
    public static ChatPart OfMedia(MediaFacts facts, string detail = "") => new() { Media = facts, Detail = detail };
}

/// <summary>A call of a tool that the model made before.</summary>
/// <param name="Id">The id of the call; may be empty.</param>
/// <param name="Name">The name of the tool.</param>
/// <param name="Arguments">The arguments, JSON text.</param>
public sealed record ChatToolCall(string Id, string Name, string Arguments);

/// <summary>A tool that the model may call.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does; may be empty.</param>
/// <param name="Parameters">The JSON schema of its parameters; <c>{}</c> for none.</param>
/// <param name="Definition">The whole definition as the chat template gets it, JSON text; empty to make one.</param>
public sealed record ChatTool(string Name, string Description, string Parameters, string Definition = "");

/// <summary>A message.</summary>
public sealed record ChatMessage
{
    /// <summary>The role: system, developer, user, assistant, tool or function.</summary>
    public required string Role { get; init; }

    /// <summary>What it says.</summary>
    public IReadOnlyList<ChatPart> Parts { get; init; } = [];

    /// <summary>The name of who speaks, or of the tool that answered; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>The calls that the assistant made.</summary>
    public IReadOnlyList<ChatToolCall> ToolCalls { get; init; } = [];

    /// <summary>The call that a tool's answer belongs to; may be empty.</summary>
    public string ToolCallId { get; init; } = "";

    /// <summary>What the assistant thought; may be empty.</summary>
    public string Reasoning { get; init; } = "";

    /// <summary>A message of one text.</summary>
    public static ChatMessage Of(string role, string text) => new() { Role = role, Parts = [ChatPart.OfText(text)] };
}

/// <summary>What is sent to a model.</summary>
public sealed record ChatRequest
{
    /// <summary>The model as the provider names it.</summary>
    public required string Model { get; init; }

    /// <summary>The messages; those of the system first.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tools.</summary>
    public IReadOnlyList<ChatTool> Tools { get; init; } = [];

    /// <summary>Which tool: <c>auto</c> or empty, <c>none</c>, <c>required</c>, or a name.</summary>
    public string ToolChoice { get; init; } = "";
}

/// <summary>The input tokens of a request, told before it is sent.</summary>
public sealed record ChatCount
{
    /// <summary>Tokens of text: what is said, the tools, and what the provider puts around it.</summary>
    public required long Text { get; init; }

    /// <summary>
    /// The part of <see cref="Text"/> that is not what the messages say: marks, roles, tools, standing instructions.
    /// </summary>
    public required long Framing { get; init; }

    /// <summary>Tokens of pictures.</summary>
    public required long Image { get; init; }

    /// <summary>Tokens of sounds.</summary>
    public required long Audio { get; init; }

    /// <summary>Tokens of films.</summary>
    public required long Video { get; init; }

    /// <summary>Tokens of documents.</summary>
    public required long Document { get; init; }

    /// <summary>How far off the total may be, to either side.</summary>
    public required long ErrorTokens { get; init; }

    /// <summary>The lowest grade of anything that was added up.</summary>
    public required MediaGrade Grade { get; init; }

    /// <summary>False when something could not be counted at all; <see cref="Notes"/> says what.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>
    /// The rule of framing, the vocabulary, and each thing that was counted or was not: for a person.
    /// </summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>All tokens.</summary>
    public long Total => Text + Image + Audio + Video + Document;
}
