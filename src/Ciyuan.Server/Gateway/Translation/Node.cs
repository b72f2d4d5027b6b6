using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>A call, or an answer, that can't be said in the other protocol: why, by the name of the field.</summary>
internal sealed class UncarriedException(string message) : Exception(message);

/// <summary>A value of a body, and where it stands. Every fault names that place. A field that is null counts as not
/// there, as it does with all three protocols.</summary>
/// <param name="At">The value.</param>
/// <param name="Path">Where it stands, as in <c>messages[1].content[0].type</c>; empty at the top.</param>
/// <param name="Name">Name of the field; empty for an element of a list.</param>
internal readonly record struct Node(JsonElement At, string Path, string Name)
{
    /// <summary>The top of a body.</summary>
    internal static Node Top(JsonElement root) => new(root, "", "");

    internal bool IsText => At.ValueKind == JsonValueKind.String;

    internal bool IsList => At.ValueKind == JsonValueKind.Array;

    internal bool IsObject => At.ValueKind == JsonValueKind.Object;

    /// <summary>A text.</summary>
    /// <exception cref="UncarriedException">It is none, or holds half a character.</exception>
    internal string Text
    {
        get
        {
            try
            {
                return IsText ? At.GetString()! : throw Fault("must be a text");
            }
            catch (InvalidOperationException)
            {
                throw Fault("holds half of a character");
            }
        }
    }

    /// <summary>The bytes of a text, with no detour through 16 bits a character: for pictures of megabytes.</summary>
    internal ReadOnlyMemory<byte> Bytes
    {
        get
        {
            if (!IsText)
            {
                throw Fault("must be a text");
            }

            ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(At)[1..^1];
            return raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(Text) : raw.ToArray();
        }
    }

    internal bool Truth => At.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Fault("must be true or false"),
    };

    internal double Number => At.ValueKind == JsonValueKind.Number && At.TryGetDouble(out double number)
        && double.IsFinite(number) ? number : throw Fault("must be a number");

    internal long Whole => At.ValueKind == JsonValueKind.Number && At.TryGetInt64(out long number)
        ? number
        : throw Fault("must be a whole number");

    /// <summary>JSON as it stands.</summary>
    internal string Json => At.GetRawText();

    /// <summary>The fields of an object that are not null.</summary>
    internal IEnumerable<Node> Fields
    {
        get
        {
            if (!IsObject)
            {
                throw Fault("must be an object");
            }

            foreach (JsonProperty one in At.EnumerateObject())
            {
                if (one.Value.ValueKind != JsonValueKind.Null)
                {
                    yield return Below(one.Name, one.Value);
                }
            }
        }
    }

    /// <summary>The elements of a list.</summary>
    internal IEnumerable<Node> Items
    {
        get
        {
            if (!IsList)
            {
                throw Fault("must be a list");
            }

            int index = 0;
            foreach (JsonElement item in At.EnumerateArray())
            {
                yield return new Node(item, $"{Path}[{index++}]", "");
            }
        }
    }

    /// <summary>A field; null when it is not there, or is null.</summary>
    internal Node? Find(string name) => IsObject && At.TryGetProperty(name, out JsonElement value)
        && value.ValueKind != JsonValueKind.Null ? Below(name, value) : null;

    /// <summary>A text field; empty when it is not there.</summary>
    internal string TextOf(string name) => Find(name)?.Text ?? "";

    /// <summary>A field that must be there.</summary>
    internal Node Need(string name) =>
        Find(name) ?? throw new UncarriedException($"'{(Path.Length > 0 ? Path + "." : "")}{name}' is missing.");

    internal Said<string> SaidText => new(Text, Path);

    internal Said<bool> SaidTruth => new(Truth, Path);

    internal Said<double> SaidNumber => new(Number, Path);

    internal Said<long> SaidWhole => new(Whole, Path);

    internal string[] Texts => [.. Items.Select(i => i.Text)];

    /// <summary>A fault that names this place.</summary>
    internal UncarriedException Fault(string what) =>
        new(Path.Length > 0 ? $"'{Path}' {what}." : $"The body {what}.");

    /// <summary>The fault of a value that the other protocol has no place for.</summary>
    internal UncarriedException NoPlace() => Fault(NoPlaceText);

    /// <summary>How a fault says that the other protocol has no place for something.</summary>
    internal const string NoPlaceText =
        "can't be carried over to the protocol of the model's upstream; leave it out, or ask for another model";

    /// <summary>Refuses all fields but these.</summary>
    internal void Only(params ReadOnlySpan<string> names)
    {
        foreach (Node one in Fields)
        {
            if (!names.Contains(one.Name))
            {
                throw one.NoPlace();
            }
        }
    }

    private Node Below(string name, JsonElement value) => new(value, Path.Length > 0 ? $"{Path}.{name}" : name, name);
}
