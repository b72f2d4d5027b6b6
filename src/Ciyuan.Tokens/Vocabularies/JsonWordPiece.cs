using System.Text;
using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>The WordPiece model of a tokenizer.json.</summary>
internal static class JsonWordPiece
{
    /// <summary>How long a word may be where the file does not say it.</summary>
    private const int UsualWord = 100;

    internal static void Read(JsonElement model, VocabularyDraft draft)
    {
        string prefix = model.Text("continuing_subword_prefix") ?? "##";
        if (prefix != "##")
        {
            throw new VocabularyException(
                $"tokenizer.json: model.continuing_subword_prefix is '{JsonEntries.Shorten(prefix)}'; known is '##'.");
        }

        draft.Model = TokenModel.WordPiece;
        draft.MaxWordCharacters = ReadMaxWord(model);
        string unknown = model.Text("unk_token") ?? "[UNK]";
        foreach ((string name, int id) in JsonEntries.Of(model))
        {
            draft.PutNew(id, Encoding.UTF8.GetBytes(name), Kind(name, unknown));
            draft.UnknownId = name == unknown ? id : draft.UnknownId;
        }

        if (draft.UnknownId < 0)
        {
            throw new VocabularyException(
                $"tokenizer.json: model.unk_token is '{JsonEntries.Shorten(unknown)}', which model.vocab lacks.");
        }
    }

    private static EntryKind Kind(string name, string unknown) =>
        name == unknown ? EntryKind.Unknown : name.Length == 0 ? EntryKind.Control : EntryKind.Normal;

    private static int ReadMaxWord(JsonElement model)
    {
        if (!model.TryGetProperty("max_input_chars_per_word", out JsonElement number))
        {
            return UsualWord;
        }

        return number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int value)
            && value is > 0 and <= VocabularyDraft.MaxTokenBytes
            ? value
            : throw new VocabularyException(
                "tokenizer.json: model.max_input_chars_per_word is no number from 1 to "
                + $"{VocabularyDraft.MaxTokenBytes}.");
    }
}
