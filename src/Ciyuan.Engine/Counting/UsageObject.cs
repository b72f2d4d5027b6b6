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
    private readonly List<Field> _fields = new(8);
    private Dictionary<string, UsageObject>? _items;

    internal UsageObject(JsonElement element, string path, ReadingDraft draft)
    {
        (_element, _path, _draft) = (element, path, draft);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (FindField(property.Name) is not null)
            {
                draft.Refuse(FindingCode.Duplicate, PathOf(property.Name),
                    "is given twice: which one holds is unknown");
                continue;
            }

            _fields.Add(new Field(property.Name, property.Value));
        }
    }

    /// <summary>A field, read once: there are few, so a search through all is quicker than a table.</summary>
    private sealed class Field(string name, JsonElement value)
    {
        internal string Name => name;

        internal JsonElement Value => value;

        /// <summary>Whether somebody knows what it means.</summary>
        internal bool IsAsked { get; set; }

        /// <summary>The object that it holds, once it was asked for.</summary>
        internal UsageObject? Child { get; set; }
    }

    /// <summary>The path of a field, for findings.</summary>
    internal string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>The object of a field; null when it is absent or null.</summary>
    internal UsageObject? Child(string name) => Child(name.AsSpan());

    private UsageObject? Child(ReadOnlySpan<char> name)
    {
        if (Ask(name) is not { } field)
        {
            return null;
        }

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
    internal long? Count(string path) => Number(path, 1, _ => { });

    /// <summary>A number in millionths; the nearest one where there are more decimals, which is a finding.</summary>
    internal long? Millionths(string path) => Number(path, 1_000_000, where => _draft.Lower(FindingCode.Rounded, where,
        "has more than six decimals; the nearest millionth was taken"));

    /// <summary>How many elements an array has; null when it is absent or none.</summary>
    internal long? Length(string name) =>
        TryGet(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : null;

    /// <summary>Whether a field is there and not null.</summary>
    internal bool Has(string path) => Find(path, out _) is not null;

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
        Find(path, out _) is { Value.ValueKind: JsonValueKind.String } field ? field.Value.GetString()! : "";

    /// <summary>An exact decimal, also as text; null when it is absent or none.</summary>
    internal decimal? Decimal(string path) =>
        Find(path, out _) is { } field && JsonNumbers.TryReadDecimal(field.Value, out decimal number)
            ? number
            : null;

    /// <summary>Says that fields are known and mean nothing for what is counted.</summary>
    internal void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (FindField(name) is { } field)
            {
                field.IsAsked = true;
            }
        }
    }

    /// <summary>Fields that look like counts, are above zero, and were not asked for.</summary>
    internal IEnumerable<(string Path, long Count)> Unread()
    {
        foreach (Field field in _fields)
        {
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

    private long? Number(string path, long steps, Action<string> onRounded)
    {
        if (Find(path, out UsageObject owner) is not { } field)
        {
            return null;
        }

        JsonElement value = field.Value;
        NumberFault fault = JsonNumbers.TryRead(value, steps, out long number);
        switch (fault)
        {
            case NumberFault.None:
                break;
            case NumberFault.Fractional when steps > 1:
                onRounded(owner.PathOf(field.Name));
                break;
            default:
                _draft.Refuse(JsonNumbers.Code(fault), owner.PathOf(field.Name), JsonNumbers.Describe(fault, value));
                return null;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            _draft.Remark(FindingCode.NumberAsText, owner.PathOf(field.Name),
                $"is the text \"{value.GetString()}\"; taken as {number}");
        }

        return number;
    }

    // Goes down to the object that holds the last part of the path; null when the field is absent or null.
    private Field? Find(ReadOnlySpan<char> path, out UsageObject owner)
    {
        owner = this;
        for (int dot = path.IndexOf('.'); dot >= 0; dot = path.IndexOf('.'))
        {
            if (owner.Child(path[..dot]) is not { } child)
            {
                return null;
            }

            owner = child;
            path = path[(dot + 1)..];
        }

        return owner.Ask(path);
    }

    /// <summary>A field that is known; null when it is absent or null.</summary>
    private Field? Ask(ReadOnlySpan<char> name)
    {
        Field? field = FindField(name);
        if (field is null)
        {
            return null;
        }

        field.IsAsked = true;
        return field.Value.ValueKind == JsonValueKind.Null ? null : field;
    }

    private bool TryGet(string name, out JsonElement value)
    {
        Field? field = Ask(name);
        value = field?.Value ?? default;
        return field is not null;
    }

    private Field? FindField(ReadOnlySpan<char> name)
    {
        foreach (Field field in _fields)
        {
            if (name.SequenceEqual(field.Name))
            {
                return field;
            }
        }

        return null;
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
