using System.Text;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>A part of an answer that is put together.</summary>
/// <param name="kind">Text, a thought or a call.</param>
/// <param name="id">Id of a call.</param>
/// <param name="name">Its tool.</param>
/// <param name="proofs">Proofs of the thoughts before it.</param>
internal sealed class DraftPart(AnswerEventKind kind, string id, string name, Signature[] proofs)
{
    internal AnswerEventKind Kind => kind;

    internal string Id => id;

    internal string Name => name;

    internal IReadOnlyCollection<Signature> Proofs => proofs;

    /// <summary>The text, or the arguments.</summary>
    internal StringBuilder Text { get; } = new();

    /// <summary>Of a thought, whether its upstream wants it back.</summary>
    internal bool IsWantedBack { get; set; }

    /// <summary>The arguments as a JSON object; null when they are none, as those that were cut off.</summary>
    internal string? Arguments
    {
        get
        {
            string text = Text.Length > 0 ? Text.ToString() : "{}";
            return JsonText.IsObject(text) ? text : null;
        }
    }
}

/// <summary>One of several answers that are put together.</summary>
internal sealed class DraftChoice
{
    internal List<DraftPart> Parts { get; } = [];

    internal StopReason Stop { get; set; }

    /// <summary>The text at which it stopped.</summary>
    internal string Sequence { get; set; } = "";

    /// <summary>All text of a kind.</summary>
    internal string TextOf(AnswerEventKind kind) => string.Concat(Parts.Where(p => p.Kind == kind).Select(p => p.Text));

    /// <summary>The part that goes on, or a new one.</summary>
    internal DraftPart Open(AnswerEventKind kind)
    {
        if (Parts.Count == 0 || Parts[^1].Kind != kind)
        {
            Parts.Add(new DraftPart(kind, "", "", []));
        }

        return Parts[^1];
    }
}

/// <summary>An answer that is put together.</summary>
internal sealed class DraftAnswer
{
    internal SortedDictionary<int, DraftChoice> Choices { get; } = [];

    /// <summary>A choice; a new one if need be.</summary>
    internal DraftChoice Of(int choice)
    {
        if (!Choices.TryGetValue(choice, out DraftChoice? found))
        {
            Choices.Add(choice, found = new DraftChoice());
        }

        return found;
    }
}
