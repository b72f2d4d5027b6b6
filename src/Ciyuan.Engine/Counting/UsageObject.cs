using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>
/// A JSON object of a provider's usage, read strictly: every fault of a number is a finding, and what nobody asked for
/// is known at the end. Paths go down by dots: <c>prompt_tokens_details.cached_tokens</c>.
/// </summary>
internal sealed class UsageObject
{
    private readonly JsonElement _element;
    private readonly string _path;
    private readonly ReadingDraft _draft;
    private readonly Field[] _fields;
    private readonly int _count;
    private Dictionary<string, UsageObject>? _items;

    internal UsageObject(JsonElement element, string path, ReadingDraft draft)
    {
        (_element, _path, _draft) = (element, path, draft);
        _fields = new Field[element.GetPropertyCount()];
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string name = FieldNames.Find(property);
            if (FindField(name) >= 0)
            {
                draft.Refuse(FindingCode.Duplicate, PathOf(name), "is given twice: which one holds is unknown");
                continue;
            }

            _fields[_count++] = new Field { Name = name, Value = property.Value };
        }
    }

    /// <summary>A field, read once: there are few, so a search through all is quicker than a table.</summary>
    private struct Field
    {
        internal string Name;
        internal JsonElement Value;

        /// <summary>Whether somebody knows what it means.</summary>
        internal bool IsAsked;

        /// <summary>The object that it holds, once it was asked for.</summary>
        internal UsageObject? Child;
    }

    /// <summary>The path of a field, for findings.</summary>
    internal string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>The object of a field; null when it is absent or null.</summary>
    internal UsageObject? Child(string name) => Child(name.AsSpan());

    private UsageObject? Child(ReadOnlySpan<char> name)
    {
        int at = Ask(name);
        if (at < 0)
        {
            return null;
        }

        ref Field field = ref _fields[at];
        if (field.Value.ValueKind != JsonValueKind.Object)
        {
            _draft.Lower(FindingCode.NotANumber, PathOf(field.Name),
                $"is {Kind(field.Value)}, not an object, and was not read");
            return null;
        }

        return field.Child ??= new UsageObject(field.Value, PathOf(field.Name), _draft);
    }

    /// <summary>The objects in an array; none when it is absent or null.</summary>
    internal IEnumerable<UsageObject> Items(string name)
    {
        if (!TryGet(name, out JsonElement value))
        {
            yield break;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            _draft.Lower(FindingCode.NotANumber, PathOf(name), $"is {Kind(value)}, not an array, and was not read");
            yield break;
        }

        int i = 0;
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Object)
            {
                string key = $"{name}[{i}]";
                _items ??= [];
                yield return _items.TryGetValue(key, out UsageObject? known)
                    ? known
                    : _items[key] = new UsageObject(item, PathOf(key), _draft);
            }

            i++;
        }
    }

    /// <summary>Whether a field is an object without fields, as some providers write what they have no number
    /// of.</summary>
    internal bool IsEmpty(string name) => TryGet(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any();

    /// <summary>A whole number of 0 to <see cref="UsageRecord.MaxSteps"/>; null when it is absent, null or at fault; a
    /// fault refuses the reading.</summary>
    internal long? Count(string path) => Number(path, 1);

    /// <summary>A number in millionths; the nearest one where there are more decimals, which is a finding.</summary>
    internal long? Millionths(string path) => Number(path, 1_000_000);

    /// <summary>How many elements an array has; null when it is absent or none.</summary>
    internal long? Length(string name) =>
        TryGet(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : null;

    /// <summary>Whether a field is there and not null.</summary>
    internal bool Has(string path) => Find(path, out _) >= 0;

    /// <summary>The fields that are whole numbers above zero, by name; a field that is none is a finding.</summary>
    internal IEnumerable<(string Name, long Count)> Numbers()
    {
        foreach (JsonProperty property in _element.EnumerateObject())
        {
            if (Count(property.Name) is > 0 and { } count)
            {
                yield return (property.Name, count);
            }
        }
    }

    /// <summary>The fields that are objects, by name.</summary>
    internal IEnumerable<(string Name, UsageObject Child)> Children() =>
        from property in _element.EnumerateObject()
        where property.Value.ValueKind == JsonValueKind.Object
        select (property.Name, Child(property.Name)!);

    /// <summary>A text; empty when it is absent, or something else.</summary>
    internal string Text(string path) =>
        TryFind(path, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>An exact decimal, also as text; null when it is absent or none.</summary>
    internal decimal? Decimal(string path) =>
        TryFind(path, out JsonElement value) && JsonNumbers.TryReadDecimal(value, out decimal number) ? number : null;

    /// <summary>Says that fields are known and mean nothing for what is counted.</summary>
    internal void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (FindField(name) is >= 0 and int at)
            {
                _fields[at].IsAsked = true;
            }
        }
    }

    /// <summary>Fields that look like counts, are above zero, and were not asked for.</summary>
    internal IEnumerable<(string Path, long Count)> Unread()
    {
        for (int i = 0; i < _count; i++)
        {
            Field field = _fields[i];
            bool asked = field.IsAsked;
            if (field.Value.ValueKind == JsonValueKind.Object)
            {
                UsageObject? child = asked ? field.Child : Child(field.Name);
                foreach ((string Path, long Count) unread in child?.Unread() ?? [])
                {
                    yield return unread;
                }
            }
            else if (field.Value.ValueKind == JsonValueKind.Array && asked)
            {
                foreach ((string Path, long Count) unread in Items(field.Name).SelectMany(item => item.Unread()))
                {
                    yield return unread;
                }
            }
            else if (!asked && LooksLikeCount(field.Name) && JsonNumbers.TryReadDecimal(field.Value,
                out decimal number)
                && number > 0)
            {
                yield return (PathOf(field.Name), (long)Math.Min(number, UsageRecord.MaxSteps));
            }
        }
    }

    private static bool LooksLikeCount(string name) =>
        Array.Exists(CountWords, word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static readonly string[] CountWords =
        ["token", "count", "character", "second", "duration", "image", "page", "request", "quer", "search", "units",
        "tool"];

    private long? Number(string path, long steps)
    {
        int at = Find(path, out UsageObject owner);
        if (at < 0)
        {
            return null;
        }

        (string name, JsonElement value) = (owner._fields[at].Name, owner._fields[at].Value);
        NumberFault fault = JsonNumbers.TryRead(value, steps, out long number);
        switch (fault)
        {
            case NumberFault.None:
                break;
            case NumberFault.Fractional when steps > 1:
                _draft.Lower(FindingCode.Rounded, owner.PathOf(name),
                    "has more than six decimals; the nearest millionth was taken");
                break;
            default:
                _draft.Refuse(JsonNumbers.Code(fault), owner.PathOf(name), JsonNumbers.Describe(fault, value));
                return null;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            _draft.Remark(FindingCode.NumberAsText, owner.PathOf(name),
                $"is the text \"{value.GetString()}\"; taken as {number}");
        }

        return number;
    }

    // Goes down to the object that holds the last part of the path; -1 when the field is absent or null.
    private int Find(ReadOnlySpan<char> path, out UsageObject owner)
    {
        owner = this;
        for (int dot = path.IndexOf('.'); dot >= 0; dot = path.IndexOf('.'))
        {
            if (owner.Child(path[..dot]) is not { } child)
            {
                return -1;
            }

            owner = child;
            path = path[(dot + 1)..];
        }

        return owner.Ask(path);
    }

    private bool TryFind(string path, out JsonElement value)
    {
        int at = Find(path, out UsageObject owner);
        value = at < 0 ? default : owner._fields[at].Value;
        return at >= 0;
    }

    /// <summary>A field that is known; -1 when it is absent or null.</summary>
    private int Ask(ReadOnlySpan<char> name)
    {
        int at = FindField(name);
        if (at < 0)
        {
            return -1;
        }

        _fields[at].IsAsked = true;
        return _fields[at].Value.ValueKind == JsonValueKind.Null ? -1 : at;
    }

    private bool TryGet(string name, out JsonElement value)
    {
        int at = Ask(name);
        value = at < 0 ? default : _fields[at].Value;
        return at >= 0;
    }

    private int FindField(ReadOnlySpan<char> name)
    {
        for (int i = 0; i < _count; i++)
        {
            if (name.SequenceEqual(_fields[i].Name))
            {
                return i;
            }
        }

        return -1;
    }

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "text",
        JsonValueKind.Number => "a number",
        _ => value.GetRawText(),
    };
}
