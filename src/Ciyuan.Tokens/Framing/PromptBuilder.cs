using System.Text;

namespace Ciyuan.Tokens.Framing;

/// <summary>
/// Puts a prompt together and counts it. Text between two marks is one run and is counted as one, because the tokenizer
/// sees it as one: what a template writes and what a user wrote merge at their seam.
/// </summary>
internal sealed class PromptBuilder
{
    private static readonly string[] Slots =
        ["{role}", "{content}", "{tool}", "{name}", "{arguments}", "{id}", "{system}", "{text}"];

    private readonly StringBuilder _run = new();
    private readonly IReadOnlyList<string> _marks;
    private readonly TextCounter _counter;
    private long _tokens;

    public PromptBuilder(IReadOnlyList<string> marks, TextCounter counter)
    {
        _marks = marks;
        _counter = counter;
    }

    /// <summary>Writes what somebody said: ordinary text.</summary>
    public void Text(string text) => _run.Append(text);

    /// <summary>Adds tokens that are no text; what is before and after does not merge over them.</summary>
    public void Tokens(long tokens)
    {
        Flush();
        _tokens += tokens;
    }

    /// <summary>Writes a template without slots, in which marks are one token each.</summary>
    public void Literal(string template)
    {
        int from = 0;
        for (int at = 0; at < template.Length;)
        {
            string? mark = MarkAt(template, at);
            if (mark is null)
            {
                at++;
                continue;
            }

            _run.Append(template, from, at - from);
            Tokens(1);
            at += mark.Length;
            from = at;
        }

        _run.Append(template, from, template.Length - from);
    }

    /// <summary>Writes a template; each slot is filled by its writer, or dropped when it has none.</summary>
    public void Fill(string template, params ReadOnlySpan<(string Slot, Action Write)> slots)
    {
        int from = 0;
        for (int open = template.IndexOf('{'); open >= 0; open = template.IndexOf('{', Math.Max(open + 1, from)))
        {
            string? slot = Array.Find(Slots, s => string.CompareOrdinal(template, open, s, 0, s.Length) == 0);
            if (slot is null)
            {
                continue;
            }

            Literal(template[from..open]);
            foreach ((string name, Action write) in slots)
            {
                if (slot.AsSpan(1, slot.Length - 2).SequenceEqual(name))
                {
                    write();
                }
            }

            from = open + slot.Length;
        }

        Literal(template[from..]);
    }

    /// <summary>The tokens of all that was written.</summary>
    public long Count()
    {
        Flush();
        return _tokens;
    }

    private void Flush()
    {
        if (_run.Length > 0)
        {
            _tokens += _counter(Encoding.UTF8.GetBytes(_run.ToString()));
            _run.Clear();
        }
    }

    private string? MarkAt(string template, int at)
    {
        string? best = null;
        foreach (string mark in _marks)
        {
            if (string.CompareOrdinal(template, at, mark, 0, mark.Length) == 0 && mark.Length > (best?.Length ?? 0))
            {
                best = mark;
            }
        }

        return best;
    }
}
