using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// Mistral's <c>tekken.json</c>: ranks in base64, with ids that begin after a fixed number of special tokens. Of the
/// ranks, only as many are used as the configuration says.
/// </summary>
public static class TekkenJson
{
    /// <summary>The special tokens of files that do not list them, in order of their ids.</summary>
    private static readonly string[] FirstSpecial =
    [
        "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
        "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]",
        "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
    ];

    /// <summary>Reads a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">The name that the vocabulary gets.</param>
    /// <exception cref="VocabularyException">The file is damaged or has a rule that is not known.</exception>
    public static Vocabulary Read(ReadOnlyMemory<byte> file, string name) => new(ReadDraft(file, name));

    internal static VocabularyDraft ReadDraft(ReadOnlyMemory<byte> file, string name)
    {
        if (file.Length > TokenizerJson.MaxFileBytes)
        {
            throw new VocabularyException(
                $"tekken.json has {file.Length} bytes, of at most {TokenizerJson.MaxFileBytes}. Is it the right file?");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(
                file, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
            return ReadRoot(document.RootElement, name);
        }
        catch (JsonException damage)
        {
            throw new VocabularyException(
                $"tekken.json is not whole: {damage.Message} Get the file again, and compare its SHA-256.", damage);
        }
        catch (InvalidOperationException damage)
        {
            throw new VocabularyException($"tekken.json has a text that is not Unicode: {damage.Message}", damage);
        }
    }

    private static VocabularyDraft ReadRoot(JsonElement root, string name)
    {
        JsonElement config = root.Need("config", JsonValueKind.Object, "");
        string pattern = config.Need("pattern", JsonValueKind.String, "config").GetString()!;
        int size = Number(config, "default_vocab_size");
        int special = Number(config, "default_num_special_tokens");
        if (special > size)
        {
            throw new VocabularyException($"tekken.json has {special} special tokens of {size} tokens.");
        }

        VocabularyDraft draft = new()
        {
            Name = name,
            IgnoreMerges = true,
            Split = SplitRules.OfPattern(pattern) ?? throw new VocabularyException(
                $"tekken.json: config.pattern is none of a known family: {(pattern.Length > 600 ? pattern[..600] : pattern)}"),
        };
        foreach (JsonElement entry in root.Need("vocab", JsonValueKind.Array, "").EnumerateArray())
        {
            int rank = Number(entry, "rank");
            JsonElement text = entry.Need("token_bytes", JsonValueKind.String, "vocab[]");
            if (!text.TryGetBytesFromBase64(out byte[]? bytes) || bytes.Length is 0 or > VocabularyDraft.MaxTokenBytes)
            {
                throw new VocabularyException($"tekken.json: token_bytes of rank {rank} is no base64 of a token.");
            }

            if (rank < size - special)
            {
                draft.PutNew(rank + special, bytes, EntryKind.Normal);
            }
        }

        if (draft.Entries.Count != size || draft.Entries.FindIndex(special, entry => entry is null) >= 0)
        {
            throw new VocabularyException($"tekken.json lacks some of the ranks from 0 to {size - special - 1}.");
        }

        AddSpecial(root, draft, special);
        return draft;
    }

    private static void AddSpecial(JsonElement root, VocabularyDraft draft, int count)
    {
        string[] contents = [.. Enumerable.Range(0, count).Select(id => $"<SPECIAL_{id}>")];
        if (root.TryGetProperty("special_tokens", out JsonElement list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement token in list.EnumerateArray())
            {
                int rank = Number(token, "rank");
                if (rank >= count)
                {
                    throw new VocabularyException($"tekken.json: special token {rank} is beyond the {count} there are.");
                }

                contents[rank] = token.Need("token_str", JsonValueKind.String, "special_tokens[]").GetString()!;
            }
        }
        else
        {
            FirstSpecial.AsSpan(0, Math.Min(count, FirstSpecial.Length)).CopyTo(contents);
        }

        for (int id = 0; id < count; id++)
        {
            draft.Add(AddedToken.Control(contents[id], id));
        }
    }

    private static int Number(JsonElement parent, string name) =>
        parent.Need(name, JsonValueKind.Number, "").TryGetInt32(out int value)
            && value >= 0 && value <= VocabularyDraft.MaxEntries
            ? value
            : throw new VocabularyException(
                $"tekken.json: '{name}' is no number from 0 to {VocabularyDraft.MaxEntries}.");
}
