using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>The entries of a tokenizer.json that names them with their ids.</summary>
internal static class JsonEntries
{
    /// <summary>Each name and its id, in the order of the file.</summary>
    /// <exception cref="VocabularyException">One is too long, or its id is none.</exception>
    internal static IEnumerable<(string Name, int Id)> Of(JsonElement model)
    {
        foreach (JsonProperty entry in model.Need("vocab", JsonValueKind.Object, "model").EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id)
                || id is < 0 or >= VocabularyDraft.MaxEntries || entry.Name.Length > VocabularyDraft.MaxTokenBytes)
            {
                throw new VocabularyException(
                    $"tokenizer.json: model.vocab gives '{Shorten(entry.Name)}' the id "
                    + $"{Shorten(entry.Value.ToString())}; known are ids to {VocabularyDraft.MaxEntries - 1} and "
                    + $"{VocabularyDraft.MaxTokenBytes} characters.");
            }

            yield return (entry.Name, id);
        }
    }

    /// <summary>What a message shows of a text.</summary>
    internal static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
