using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// Ids of tool calls. Where a protocol has no place for the proof of the thoughts that led to a call, the id carries
/// it: every client gives ids back as they are, so that nothing needs to be kept here. Only letters that Anthropic
/// allows in ids are used: <c>ID__cy</c>, and for each proof its maker, the length of its base 64, <c>_</c>, and that.
/// </summary>
internal static class CallIds
{
    private const string Mark = "__cy";
    private const string Made = "made_";

    /// <summary>An id for a call whose upstream gave it none.</summary>
    internal static string Make(string call, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{Made}{call}_{number}");

    /// <summary>Whether an id was made here, so that an upstream never saw it.</summary>
    internal static bool IsMade(string id) => id.StartsWith(Made, StringComparison.Ordinal);

    /// <summary>Puts proofs into an id.</summary>
    internal static string Pack(string id, IReadOnlyCollection<Signature> signatures)
    {
        if (signatures.Count == 0)
        {
            return id;
        }

        var text = new StringBuilder(id).Append(Mark);
        foreach (Signature signature in signatures)
        {
            string data = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(signature.Data));
            text.Append(CultureInfo.InvariantCulture, $"{signature.Maker}{data.Length}_{data}");
        }

        return text.ToString();
    }

    /// <summary>The id, and the proofs that were in it. What was not written by <see cref="Pack"/> is an id as it
    /// stands.</summary>
    internal static (string Id, Signature[] Signatures) Unpack(string packed)
    {
        var signatures = new List<Signature>();
        int mark = packed.IndexOf(Mark, StringComparison.Ordinal);
        if (mark < 0)
        {
            return (packed, []);
        }

        ReadOnlySpan<char> rest = packed.AsSpan(mark + Mark.Length);
        while (!rest.IsEmpty)
        {
            int line = rest.IndexOf('_');
            if (line < 2
                || !int.TryParse(rest[1..line], NumberStyles.None, CultureInfo.InvariantCulture, out int length)
                || length > rest.Length - line - 1 || Decode(rest.Slice(line + 1, length)) is not { } data)
            {
                return (packed, []);
            }

            signatures.Add(new Signature(rest[0], data));
            rest = rest[(line + 1 + length)..];
        }

        return (packed[..mark], [.. signatures]);
    }

    /// <summary>A proof as Gemini's field has it: in base 64, with its maker.</summary>
    internal static string Wrap(IReadOnlyCollection<Signature> signatures) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Pack("", signatures)));

    /// <summary>The proofs in Gemini's field: those of ours, or else one of Gemini's own.</summary>
    internal static Signature[] Unwrap(string text)
    {
        // Some clients write base 64 with the letters for addresses.
        string plain = Decode(text.Replace('+', '-').Replace('/', '_').TrimEnd('=')) ?? "";
        return plain.StartsWith(Mark, StringComparison.Ordinal) && Unpack(plain) is { Id: "" } found
            ? found.Signatures
            : [new Signature(Signature.Gemini, text)];
    }

    /// <summary>An id in the letters that Anthropic allows.</summary>
    internal static string ForAnthropic(string id)
    {
        return id.Length > 0 && id.All(IsPlain) ? id : "id_" + string.Concat(id.Select(c => IsPlain(c) ? c : '_'));

        static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-';
    }

    private static string? Decode(ReadOnlySpan<char> text)
    {
        try
        {
            return Base64Url.IsValid(text)
                ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Base64Url.DecodeFromChars(text))
                : null;
        }
        catch (Exception fault) when (fault is FormatException or DecoderFallbackException)
        {
            return null;
        }
    }
}
