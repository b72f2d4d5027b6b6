using System.Text;
using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>The Unigram model of a tokenizer.json.</summary>
internal static class JsonUnigram
{
    internal static void Read(JsonElement model, VocabularyDraft draft)
    {
        bool byteFallback = model.Flag("byte_fallback", "model");
        draft.Model = TokenModel.Unigram;
        draft.FuseUnknown = true; // Unigram always joins what it does not know
        draft.Scores = [];
        draft.UnknownId = !model.TryGetProperty("unk_id", out JsonElement unknown)
            || unknown.ValueKind == JsonValueKind.Null
            ? -1
            : unknown.ValueKind == JsonValueKind.Number && unknown.TryGetInt32(out int id)
                ? id
                : throw new VocabularyException("tokenizer.json: model.unk_id is no number.");
        foreach (JsonElement entry in model.Need("vocab", JsonValueKind.Array, "model").EnumerateArray())
        {
            int next = draft.Scores.Count;
            if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2
                || entry[0].ValueKind != JsonValueKind.String || entry[1].ValueKind != JsonValueKind.Number
                || next >= VocabularyDraft.MaxEntries)
            {
                throw new VocabularyException($"tokenizer.json: model.vocab[{next}] is not [\"piece\", score].");
            }

            string piece = entry[0].GetString()!;
            int value = byteFallback ? JsonBpe.FallbackByte(piece) : -1;
            EntryKind kind = next == draft.UnknownId ? EntryKind.Unknown
                : value >= 0 ? EntryKind.Byte
                : piece.Length == 0 ? EntryKind.Control
                : EntryKind.Normal;
            draft.PutNew(next, value >= 0 ? [(byte)value] : Encoding.UTF8.GetBytes(piece), kind);
            draft.Scores.Add(entry[1].GetSingle());
        }

        if (draft.UnknownId < -1 || draft.UnknownId >= draft.Scores.Count)
        {
            throw new VocabularyException($"tokenizer.json: model.unk_id {draft.UnknownId} is outside the vocabulary.");
        }
    }
}
