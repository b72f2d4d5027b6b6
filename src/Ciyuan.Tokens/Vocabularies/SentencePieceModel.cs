using System.Text;
using System.Text.Unicode;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>SentencePiece's own <c>.model</c> files, of the types Unigram and BPE.</summary>
public static class SentencePieceModel
{
    private enum PieceType
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6,
    }

    /// <summary>Reads a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">The name that the vocabulary gets.</param>
    /// <exception cref="VocabularyException">The file is damaged or has a part that is not known.</exception>
    public static Vocabulary Read(ReadOnlyMemory<byte> file, string name) => new(ReadDraft(file.Span, name));

    internal static VocabularyDraft ReadDraft(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length > TokenizerJson.MaxFileBytes)
        {
            throw new VocabularyException(
                $"The SentencePiece model has {file.Length} bytes, of at most {TokenizerJson.MaxFileBytes}.");
        }

        VocabularyDraft draft = new()
        {
            Name = name,
            Model = TokenModel.Unigram,
            FuseUnknown = true, // adjacent unknown characters become one piece, whichever the type
            Scores = [],
            Normalization = new Normalization(UnicodeForm.None, true, SpacePrefix.EachStretch, true),
        };
        ProtobufReader reader = new(file, "The SentencePiece model");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    ReadPiece(reader.Bytes, draft);
                    break;
                case 2:
                    ReadTrainer(reader.Bytes, draft);
                    break;
                case 3:
                    draft.Normalization = ReadNormalizer(reader.Bytes);
                    break;
                default:
                    break; // test samples, and the way back to text
            }
        }

        if (draft.UnknownId < 0)
        {
            throw new VocabularyException("The SentencePiece model has no unknown piece. Is it the right file?");
        }

        if (draft.Model == TokenModel.Unigram)
        {
            DropUnused(draft);
        }

        return draft;
    }

    private static void ReadPiece(ReadOnlySpan<byte> message, VocabularyDraft draft)
    {
        int id = draft.Entries.Count;
        byte[] piece = [];
        float score = 0;
        PieceType type = PieceType.Normal;
        ProtobufReader reader = new(message, $"Piece {id} of the SentencePiece model");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    piece = reader.Bytes.ToArray();
                    break;
                case 2:
                    score = reader.Single;
                    break;
                case 3:
                    type = (PieceType)Math.Min(reader.Number, 255);
                    break;
                default:
                    break;
            }
        }

        if (id >= VocabularyDraft.MaxEntries || piece.Length is 0 or > VocabularyDraft.MaxTokenBytes
            || !Utf8.IsValid(piece) || !float.IsFinite(score))
        {
            throw new VocabularyException(
                $"Piece {id} of the SentencePiece model is no text of 1 to {VocabularyDraft.MaxTokenBytes} bytes with a "
                + "score. Get the file again, and compare its SHA-256.");
        }

        draft.Scores!.Add(score);
        Put(draft, id, piece, type);
    }

    private static void Put(VocabularyDraft draft, int id, byte[] piece, PieceType type)
    {
        string text = Encoding.UTF8.GetString(piece);
        switch (type)
        {
            case PieceType.Normal:
                draft.PutNew(id, piece, EntryKind.Normal);
                break;
            case PieceType.Unknown:
                draft.UnknownId = id;
                draft.PutNew(id, piece, EntryKind.Unknown);
                break;
            case PieceType.Control:
                draft.PutNew(id, piece, EntryKind.Control);
                draft.Add(AddedToken.Control(text, id)); // found only by callers who ask for it
                break;
            case PieceType.UserDefined:
                draft.PutNew(id, piece, EntryKind.Control);
                draft.Add(new AddedToken(text, id, false, false, false, false, Normalized: true));
                break;
            case PieceType.Unused:
                draft.PutNew(id, piece, EntryKind.Unused);
                break;
            case PieceType.Byte when JsonBpe.FallbackByte(text) is >= 0 and int value:
                draft.PutNew(id, [(byte)value], EntryKind.Byte);
                break;
            default:
                throw new VocabularyException($"Piece {id} of the SentencePiece model, '{text}', has the type {type}.");
        }
    }

    private static void ReadTrainer(ReadOnlySpan<byte> message, VocabularyDraft draft)
    {
        ProtobufReader reader = new(message, "The trainer's part of the SentencePiece model");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    draft.Model = reader.Number switch
                    {
                        1 => TokenModel.Unigram,
                        2 => TokenModel.ScoredBpe,
                        _ => throw new VocabularyException(
                            $"The SentencePiece model has the type {reader.Number} (word or character); known are Unigram "
                            + "and BPE."),
                    };
                    break;
                case 24 when reader.Number != 0:
                    throw new VocabularyException(
                        "The SentencePiece model puts the mark for a space after words, which is not supported.");
                default:
                    break;
            }
        }
    }

    private static Normalization ReadNormalizer(ReadOnlySpan<byte> message)
    {
        byte[] map = [];
        (bool prefix, bool collapse, bool escape) = (true, true, true);
        ProtobufReader reader = new(message, "The normalizer's part of the SentencePiece model");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2:
                    map = reader.Bytes.ToArray();
                    break;
                case 3:
                    prefix = reader.Number != 0;
                    break;
                case 4:
                    collapse = reader.Number != 0;
                    break;
                case 5:
                    escape = reader.Number != 0;
                    break;
                default:
                    break;
            }
        }

        if (map.Length > 0 && !CharacterMaps.IsWhole(map))
        {
            throw new VocabularyException("The character map of the SentencePiece model is damaged.");
        }

        return new Normalization(
            map.Length > 0 ? UnicodeForm.CharacterMap : UnicodeForm.None, collapse,
            prefix ? SpacePrefix.EachStretch : SpacePrefix.None, escape)
        {
            CharacterMap = map,
        };
    }

    /// <summary>BPE takes unused pieces apart again; Unigram never considers them.</summary>
    private static void DropUnused(VocabularyDraft draft)
    {
        foreach (int id in draft.Kinds.Where(kind => kind.Value == EntryKind.Unused).Select(kind => kind.Key).ToList())
        {
            draft.Kinds[id] = EntryKind.Control;
        }
    }
}
