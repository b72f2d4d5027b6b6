using System.Buffers;
using System.Text;
using System.Text.Json;
using Ciyuan.Tokens.Normalizing;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// Hugging Face's <c>tokenizer.json</c>: byte-level BPE, BPE made from SentencePiece, Unigram, and WordPiece. Rules of
/// cutting and normalising are recognised, not interpreted: they must be those of a known family, else the file is
/// refused, for a rule that is nearly right counts nearly right. What is added around a text (post_processor), and
/// padding and truncation, belong to the framing of messages, and are not read.
/// </summary>
public static class TokenizerJson
{
    /// <summary>The largest file that is read: 256 MiB, eight times Gemma 3's.</summary>
    public const int MaxFileBytes = 1 << 28;

    /// <summary>Reads a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">The name that the vocabulary gets.</param>
    /// <exception cref="VocabularyException">
    /// The file is damaged or has a part that is not known; the message names the place or the part.
    /// </exception>
    public static Vocabulary Read(ReadOnlyMemory<byte> file, string name) => new(ReadDraft(file, name));

    internal static VocabularyDraft ReadDraft(ReadOnlyMemory<byte> file, string name)
    {
        if (file.Length > MaxFileBytes)
        {
            throw new VocabularyException(
                $"tokenizer.json has {file.Length} bytes, of at most {MaxFileBytes}. Is it the right file?");
        }

        file = file.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? file[3..] : file;
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                file, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
            return ReadRoot(document.RootElement, name);
        }
        catch (JsonException damage)
        {
            throw new VocabularyException(
                $"tokenizer.json is not whole: {damage.Message} Get the file again, and compare its SHA-256.", damage);
        }
        catch (InvalidOperationException damage)
        {
            throw new VocabularyException($"tokenizer.json has a text that is not Unicode: {damage.Message}", damage);
        }
    }

    private static VocabularyDraft ReadRoot(JsonElement root, string name)
    {
        JsonElement model = root.Need("model", JsonValueKind.Object, "");
        VocabularyDraft draft = new() { Name = name };
        JsonSteps steps = JsonSteps.Read(root);
        draft.Split = steps.Split;
        draft.Normalization = steps.Normalization;
        string type = model.Text("type") // older files leave it out
            ?? (model.TryGetProperty("unk_id", out _) ? "Unigram"
                : model.TryGetProperty("max_input_chars_per_word", out _) ? "WordPiece" : "BPE");
        bool areWords = steps.Split == SplitRule.Words;
        switch (type)
        {
            case "BPE" when !areWords:
                JsonBpe.Read(model, draft, steps.IsByteLevel);
                break;
            case "Unigram" when !steps.IsByteLevel && !areWords:
                JsonUnigram.Read(model, draft);
                break;
            case "WordPiece" when areWords:
                JsonWordPiece.Read(model, draft);
                break;
            default:
                string on = steps.IsByteLevel ? " on bytes" : areWords ? " on BERT's words" : "";
                throw new VocabularyException(
                    $"tokenizer.json: model.type is '{JsonEntries.Shorten(type)}'{on}; known are BPE, Unigram on "
                    + "characters, and WordPiece on BERT's words.");
        }

        ReadAddedTokens(root, draft);
        RankLists.TrySimplify(draft);
        return draft;
    }

    private static void ReadAddedTokens(JsonElement root, VocabularyDraft draft)
    {
        if (!root.TryGetProperty("added_tokens", out JsonElement list) || list.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        int index = 0;
        foreach (JsonElement item in root.Need("added_tokens", JsonValueKind.Array, "").EnumerateArray())
        {
            string where = $"added_tokens[{index++}]";
            if (item.ValueKind != JsonValueKind.Object)
            {
                throw new VocabularyException($"tokenizer.json: {where} is no object.");
            }

            string content = item.Need("content", JsonValueKind.String, where).GetString()!;
            JsonElement number = item.Need("id", JsonValueKind.Number, where);
            if (!number.TryGetInt32(out int id) || id is < 0 or >= VocabularyDraft.MaxEntries
                || content.Length > VocabularyDraft.MaxTokenBytes)
            {
                throw new VocabularyException(
                    $"tokenizer.json: {where} has an id outside 0 to {VocabularyDraft.MaxEntries - 1}, or a content "
                    + $"longer than {VocabularyDraft.MaxTokenBytes} characters.");
            }

            if (content.Length > 0)
            {
                AddedToken token = new(
                    content, IdOf(content, id, draft), item.Flag("special", where), item.Flag("lstrip", where),
                    item.Flag("rstrip", where), item.Flag("single_word", where), item.Flag("normalized", where));
                DemandForm(token, draft.Normalization, where);
                draft.Add(token);
            }
        }
    }

    /// <summary>Refuses a token that is looked for in words, and that itself is none after their steps.</summary>
    private static void DemandForm(AddedToken token, Normalization form, string where)
    {
        if (!token.Normalized || form.Words == WordSteps.None)
        {
            return;
        }

        ArrayBufferWriter<byte> formed = new();
        new TextNormalizer(form).Write(Encoding.UTF8.GetBytes(token.Content), true, formed);
        if (Encoding.UTF8.GetString(formed.WrittenSpan) != token.Content)
        {
            throw new VocabularyException(
                $"tokenizer.json: {where} '{JsonEntries.Shorten(token.Content)}' is looked for after the normalizer, "
                + "which changes it. That is not read: set its 'normalized' to false if texts hold it as it stands.");
        }
    }

    /// <summary>
    /// The id of the file, unless the model has other text there: then, as Hugging Face's reader does, that of the
    /// model's entry with this text, or else the next that nothing has.
    /// </summary>
    private static int IdOf(string content, int id, VocabularyDraft draft)
    {
        byte[] text = Encoding.UTF8.GetBytes(content);
        if (id >= draft.Entries.Count || draft.Entries[id] is not { } there || there.AsSpan().SequenceEqual(text))
        {
            return id;
        }

        int same = draft.Entries.FindIndex(entry => entry.AsSpan().SequenceEqual(text));
        return same >= 0
            ? same
            : draft.AddedTokens.Aggregate(draft.Entries.Count, (next, token) => Math.Max(next, token.Id + 1));
    }
}
