using System.Globalization;
using System.Text;
using System.Text.Json;
using static Ciyuan.Tokens.Vocabularies.JsonEntries;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>The BPE model of a tokenizer.json.</summary>
internal static class JsonBpe
{
    /// <summary>
    /// The most merges that are read: 2^23. Files that list every split of every token have two to three times as many
    /// merges as tokens.
    /// </summary>
    internal const int MaxMerges = 1 << 23;

    internal static void Read(JsonElement model, VocabularyDraft draft, bool isByteLevel)
    {
        RefuseParts(model);
        bool byteFallback = model.Flag("byte_fallback", "model");
        draft.Model = isByteLevel ? TokenModel.MergeBpe : TokenModel.CharacterMergeBpe;
        draft.IgnoreMerges = model.Flag("ignore_merges", "model");
        draft.FuseUnknown = model.Flag("fuse_unk", "model");
        Dictionary<string, int> ids = new(1 << 18, StringComparer.Ordinal);
        string? unknown = model.Text("unk_token");
        foreach ((string name, int id) in JsonEntries.Of(model))
        {
            (byte[] bytes, EntryKind kind) = isByteLevel ? OnBytes(name) : OnCharacters(name, byteFallback);
            draft.PutNew(id, bytes, name == unknown ? EntryKind.Unknown : kind);
            ids.Add(name, id);
        }

        draft.UnknownId = unknown is null ? -1 : ids.GetValueOrDefault(unknown, -1);
        ReadMerges(model.Need("merges", JsonValueKind.Array, "model"), ids, draft);
    }

    /// <summary>The byte that a name such as <c>&lt;0x0A&gt;</c> stands for; -1 for any other name.</summary>
    internal static int FallbackByte(string name) =>
        name.Length == 6 && name.StartsWith("<0x", StringComparison.Ordinal) && name[5] == '>'
            && byte.TryParse(
                name.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte b)
            ? b
            : -1;

    private static (byte[] Bytes, EntryKind Kind) OnBytes(string name) =>
        ByteAlphabet.ToBytes(name) is { Length: > 0 } bytes
            ? (bytes, EntryKind.Normal)
            : (Encoding.UTF8.GetBytes(name), EntryKind.Control); // no text is spelled so: no piece can be it

    private static (byte[] Bytes, EntryKind Kind) OnCharacters(string name, bool byteFallback) =>
        byteFallback && FallbackByte(name) is >= 0 and int value
            ? ([(byte)value], EntryKind.Byte)
            : (Encoding.UTF8.GetBytes(name), EntryKind.Normal);

    private static void ReadMerges(JsonElement merges, Dictionary<string, int> ids, VocabularyDraft draft)
    {
        if (merges.GetArrayLength() > MaxMerges)
        {
            throw new VocabularyException($"tokenizer.json has more than {MaxMerges} merges. Is it the right file?");
        }

        HashSet<(int, int)> seen = new(merges.GetArrayLength());
        int index = 0;
        foreach (JsonElement merge in merges.EnumerateArray())
        {
            (string left, string right) = SplitMerge(merge, index);
            if (!ids.TryGetValue(left, out int leftId) || !ids.TryGetValue(right, out int rightId)
                || !ids.TryGetValue(left + right, out int result))
            {
                throw new VocabularyException(
                    $"tokenizer.json: model.merges[{index}] joins '{Shorten(left)}' and '{Shorten(right)}', but the "
                    + "vocabulary lacks one of them, or both together.");
            }

            if (!seen.Add((leftId, rightId)))
            {
                throw new VocabularyException(
                    $"tokenizer.json: model.merges[{index}] lists '{Shorten(left)}' and '{Shorten(right)}' again.");
            }

            draft.Merges.Add(new Merge(leftId, rightId, result));
            index++;
        }
    }

    private static (string Left, string Right) SplitMerge(JsonElement merge, int index)
    {
        if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
            && merge[0].ValueKind == JsonValueKind.String && merge[1].ValueKind == JsonValueKind.String)
        {
            return (merge[0].GetString()!, merge[1].GetString()!);
        }

        if (merge.ValueKind == JsonValueKind.String && merge.GetString()!.Split(' ') is [string left, string right])
        {
            return (left, right);
        }

        throw new VocabularyException(
            $"tokenizer.json: model.merges[{index}] is neither \"left right\" nor [\"left\", \"right\"].");
    }

    private static void RefuseParts(JsonElement model)
    {
        if (model.TryGetProperty("dropout", out JsonElement dropout) && dropout.ValueKind != JsonValueKind.Null
            && !(dropout.ValueKind == JsonValueKind.Number && dropout.TryGetDouble(out double rate) && rate == 0))
        {
            throw new VocabularyException(
                "tokenizer.json: model.dropout makes tokens random; set it to null to count.");
        }

        foreach (string part in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Text(part) is { Length: > 0 } value)
            {
                throw new VocabularyException(
                    $"tokenizer.json: model.{part} is '{Shorten(value)}'. BPE that marks the parts of words "
                    + "(CLIP, GPT-1) is not read. Take the counts that the model's server reports.");
            }
        }
    }
}
