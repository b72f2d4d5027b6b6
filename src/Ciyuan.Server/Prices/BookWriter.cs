using System.Globalization;
using System.Text;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>Writes a book as YAML that a setup takes. The same book gives the same bytes.</summary>
public static class BookWriter
{
    private const int MaxColumns = 120;

    /// <summary>A setup file with the book, and above it as comments what its making could not keep.</summary>
    public static string Write(ImportedBook imported, string by)
    {
        ArgumentNullException.ThrowIfNull(imported);
        var yaml = new YamlText();
        string version = imported.Book.Version.ToString(CultureInfo.InvariantCulture);
        yaml.Comment($"Book {imported.Book.Id}, version {version}, "
            + "made by `ciyuan prices import`.");
        foreach (IGrouping<ImportNoteKind, ImportNote> notes in imported.Notes.GroupBy(n => n.Kind).OrderBy(g => g.Key))
        {
            yaml.Comment("");
            yaml.Comment(notes.Key switch
            {
                ImportNoteKind.LeftOut => "Left out:",
                ImportNoteKind.Differs => "In it, but not quite the same:",
                _ => "Remarks of the catalogue:",
            });
            foreach (ImportNote note in notes)
            {
                yaml.Comment($"- {note.Where}: {note.Reason}");
            }
        }

        yaml.Text("by", by);
        yaml.Blank();
        yaml.Open("books");
        WriteBook(yaml, imported.Book);
        return yaml.ToString();
    }

    private static void WriteBook(YamlText yaml, BookSetup book)
    {
        yaml.Item();
        yaml.Text("id", book.Id);
        yaml.Whole("version", book.Version);
        yaml.Text("currency", book.Currency);
        yaml.TextIfAny("from", book.From);
        yaml.TextIfAny("to", book.To);
        yaml.TextIfAny("source", book.Source);
        yaml.TextIfAny("zone", book.Zone);
        yaml.TextIfAny("calendar", book.Calendar);
        yaml.Open("prices");
        foreach (PriceSetup line in book.Prices)
        {
            WriteLine(yaml, line);
        }

        yaml.Close();
        yaml.Close();
    }

    private static void WriteLine(YamlText yaml, PriceSetup line)
    {
        yaml.Item();
        yaml.Text("model", line.Model);
        yaml.TextIfAny("provider", line.Provider);
        yaml.List("aliases", line.Aliases);
        yaml.List("patterns", line.Patterns);
        if (line.Dated)
        {
            yaml.Plain("dated", "true");
        }

        yaml.TextIfAny("source", line.Source);
        yaml.TextIfAny("as_of", line.AsOf);
        yaml.Prices("per_million_tokens", line.PerMillionTokens);
        yaml.Prices("per_unit", line.PerUnit);
        if (line.Rules is { Count: > 0 } rules)
        {
            yaml.Open("rules");
            foreach (RuleSetup rule in rules)
            {
                WriteRule(yaml, rule);
            }

            yaml.Close();
        }

        yaml.Close();
    }

    private static void WriteRule(YamlText yaml, RuleSetup rule)
    {
        yaml.Item();
        yaml.Text("name", rule.Name);
        WhenSetup when = rule.When;
        if (when != new WhenSetup())
        {
            yaml.Open("when");
            yaml.TextIfAny("from", when.From);
            yaml.TextIfAny("to", when.To);
            yaml.List("days", when.Days);
            yaml.List("day_kinds", when.DayKinds);
            yaml.List("times", when.Times);
            yaml.WholeIfAny("input_over", when.InputOver);
            yaml.WholeIfAny("input_up_to", when.InputUpTo);
            yaml.WholeIfAny("output_over", when.OutputOver);
            yaml.WholeIfAny("output_up_to", when.OutputUpTo);
            if (when.Tags is { } tags)
            {
                yaml.Open("tags");
                foreach ((string name, IReadOnlyList<string> values) in tags)
                {
                    yaml.List(name, values);
                }

                yaml.Close();
            }

            yaml.TextIfAny("any_tokens_of", when.AnyTokensOf);
            yaml.Close();
        }

        yaml.Prices("per_million_tokens", rule.PerMillionTokens);
        yaml.Prices("per_unit", rule.PerUnit);
        yaml.Close();
    }

    /// <summary>YAML in block style, two spaces a level, texts quoted where they could be read as something
    /// else.</summary>
    private sealed class YamlText
    {
        private static readonly string[] Words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

        private readonly StringBuilder _text = new();
        private int _level;
        private bool _atItem;

        internal void Comment(string sentence)
        {
            // Words are kept whole; a comment may not break off into the document.
            string rest = sentence.ReplaceLineEndings(" ");
            while (rest.Length > MaxColumns - 2)
            {
                int cut = rest.LastIndexOf(' ', MaxColumns - 3);
                cut = cut <= 2 ? MaxColumns - 3 : cut;
                _text.Append("# ").Append(rest.AsSpan(0, cut).TrimEnd()).Append('\n');
                rest = "  " + rest[cut..].TrimStart();
            }

            _text.Append(rest.Length == 0 ? "#" : "# ").Append(rest).Append('\n');
        }

        internal void Blank() => _text.Append('\n');

        internal void Open(string key)
        {
            Line($"{Quote(key)}:");
            _level += 2;
        }

        /// <summary>Begins a map in a list; what follows stands in it until it is closed.</summary>
        internal void Item()
        {
            _level += 2;
            _atItem = true;
        }

        internal void Close() => _level -= 2;

        internal void Text(string key, string value) => Line($"{Quote(key)}: {Quote(value)}");

        internal void Plain(string key, string value) => Line($"{key}: {value}");

        internal void TextIfAny(string key, string? value)
        {
            if (value is { Length: > 0 })
            {
                Text(key, value);
            }
        }

        internal void Whole(string key, long value) => Plain(key, value.ToString(CultureInfo.InvariantCulture));

        internal void WholeIfAny(string key, long? value)
        {
            if (value is { } whole)
            {
                Whole(key, whole);
            }
        }

        internal void List(string key, IReadOnlyList<string>? values)
        {
            if (values is null)
            {
                return;
            }

            string flow = $"{Quote(key)}: [{string.Join(", ", values.Select(Quote))}]";
            if (_level + flow.Length <= MaxColumns)
            {
                Line(flow);
                return;
            }

            Line($"{Quote(key)}:");
            foreach (string value in values)
            {
                Line($"  - {Quote(value)}");
            }
        }

        internal void Prices(string key, IReadOnlyDictionary<string, string>? prices)
        {
            if (prices is not { Count: > 0 })
            {
                return;
            }

            string[] entries = [.. prices.Select(p => $"{p.Key}: {Price(p.Value)}")];
            string flow = $"{key}: {{ {string.Join(", ", entries)} }}";
            if (_level + flow.Length <= MaxColumns)
            {
                Line(flow);
                return;
            }

            Line($"{key}:");
            foreach (string entry in entries)
            {
                Line($"  {entry}");
            }
        }

        // price/N is the price of N units.
        private static string Price(string price) => price.Split('/') is [var of, var units]
            ? $"{{ price: \"{of}\", units: {units} }}"
            : $"\"{price}\"";

        public override string ToString() => _text.ToString();

        private void Line(string text)
        {
            _text.Append(' ', _atItem ? _level - 2 : _level).Append(_atItem ? "- " : "").Append(text).Append('\n');
            _atItem = false;
        }

        private static string Quote(string text)
        {
            bool plain = text.Length > 0 && char.IsAsciiLetter(text[0])
                && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/')
                && !Words.Contains(text.ToLowerInvariant());
            if (plain)
            {
                return text;
            }

            var quoted = new StringBuilder("\"");
            foreach (char c in text)
            {
                _ = c switch
                {
                    '"' or '\\' => quoted.Append('\\').Append(c),
                    _ when char.IsControl(c) => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
                    _ => quoted.Append(c),
                };
            }

            return quoted.Append('"').ToString();
        }
    }
}
