using System.Security.Cryptography;
using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>The kinds of files that vocabularies come in.</summary>
public enum VocabularyFormat
{
    /// <summary>Not one that is known.</summary>
    Unknown = 0,

    /// <summary>A rank file: <see cref="TiktokenFile"/>.</summary>
    Tiktoken = 1,

    /// <summary>Hugging Face's tokenizer.json: <see cref="Vocabularies.TokenizerJson"/>.</summary>
    TokenizerJson = 2,

    /// <summary>SentencePiece's .model: <see cref="Vocabularies.SentencePieceModel"/>.</summary>
    SentencePiece = 3,

    /// <summary>Mistral's tekken.json: <see cref="Vocabularies.TekkenJson"/>.</summary>
    Tekken = 4,

    /// <summary>The compact file of this library.</summary>
    Compact = 5,
}

/// <summary>Turns files of other formats into compact ones.</summary>
public static class VocabularyFile
{
    /// <summary>The ending of compact files' names.</summary>
    public const string Extension = ".vocab";

    /// <summary>Tells a file's format by its beginning; for JSON by the members at its top.</summary>
    public static VocabularyFormat Detect(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith(ImageFormat.Magic[..7]))
        {
            return VocabularyFormat.Compact;
        }

        ReadOnlySpan<byte> text = file.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? file[3..] : file;
        text = text.TrimStart(" \r\n\t"u8);
        if (text.StartsWith("{"u8))
        {
            return DetectJson(text);
        }

        int end = text.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
        int space = line.IndexOf((byte)' ');
        return space > 0 && line[(space + 1)..].TrimEnd((byte)'\r').IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
            && line[..space].IndexOfAnyExceptInRange((byte)'+', (byte)'z') < 0
            ? VocabularyFormat.Tiktoken
            : file is [0x0A, ..] ? VocabularyFormat.SentencePiece // field 1, a piece, comes first
            : VocabularyFormat.Unknown;
    }

    /// <summary>Makes a compact file.</summary>
    /// <param name="file">The whole file, of any format.</param>
    /// <param name="fileName">Its name, without folders; it is noted as the origin.</param>
    /// <param name="name">The name that the vocabulary gets.</param>
    /// <param name="split">How text is cut, for rank files, which do not say it; ignored for others.</param>
    /// <param name="added">Added tokens, for rank files; ignored for others.</param>
    /// <exception cref="VocabularyException">The file can't be read; the message says where and why.</exception>
    public static byte[] Compact(
        ReadOnlyMemory<byte> file, string fileName, string name, SplitRule? split = null,
        IEnumerable<AddedToken>? added = null)
    {
        VocabularyFormat format = Detect(file.Span);
        string digest = Convert.ToHexStringLower(SHA256.HashData(file.Span));
        return ImageWriter.Write(
            ReadDraft(format, file, name, split, added ?? []), new VocabularySource("", fileName, digest, "unknown"));
    }

    internal static VocabularyDraft ReadDraft(
        VocabularyFormat format, ReadOnlyMemory<byte> file, string name, SplitRule? split, IEnumerable<AddedToken> added)
        => format switch
        {
            VocabularyFormat.Tiktoken => TiktokenFile.ReadDraft(
                file.Span, name,
                split ?? throw new VocabularyException(
                    "A rank file does not say how text is cut: name the rule, such as cl100k, o200k, llama3 or kimi."),
                added),
            VocabularyFormat.TokenizerJson => TokenizerJson.ReadDraft(file, name),
            VocabularyFormat.SentencePiece => SentencePieceModel.ReadDraft(file.Span, name),
            VocabularyFormat.Tekken => TekkenJson.ReadDraft(file, name),
            VocabularyFormat.Compact => throw new VocabularyException("The file is a compact vocabulary already."),
            _ => throw new VocabularyException(
                "The file is none of: .tiktoken, tokenizer.json, tekken.json, SentencePiece .model."),
        };

    private static VocabularyFormat DetectJson(ReadOnlySpan<byte> text)
    {
        try
        {
            Utf8JsonReader reader = new(text);
            for (reader.Read(); reader.Read() && reader.TokenType == JsonTokenType.PropertyName; reader.Skip())
            {
                if (reader.ValueTextEquals("model") || reader.ValueTextEquals("added_tokens"))
                {
                    return VocabularyFormat.TokenizerJson;
                }

                if (reader.ValueTextEquals("config"))
                {
                    return VocabularyFormat.Tekken;
                }
            }
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException)
        {
            return VocabularyFormat.Unknown;
        }

        return VocabularyFormat.Unknown;
    }
}
