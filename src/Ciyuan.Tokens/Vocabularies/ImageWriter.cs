using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Writes a compact file. The same draft and profiles give the same bytes.</summary>
internal static class ImageWriter
{
    /// <summary>Writes a draft as the only vocabulary of a file.</summary>
    internal static byte[] Write(VocabularyDraft draft, VocabularySource source) =>
        Write(draft, [new VocabularyProfile(draft.Name, draft.Entries.Count, source, draft.AddedTokens)]);

    internal static byte[] Write(VocabularyDraft draft, IReadOnlyList<VocabularyProfile> profiles)
    {
        if (draft.Entries.Count > ImageFormat.MaxEntries)
        {
            throw new VocabularyException(
                $"The vocabulary goes up to id {draft.Entries.Count - 1}, of at most {ImageFormat.MaxEntries - 1}.");
        }

        EntryBytes entries = EntryBytes.Of(draft);
        List<Merge> merges = draft.Model == TokenModel.RankBpe ? RankSplits.Of(entries) : draft.Merges;
        byte[] literals = WriteLiterals(entries, merges);
        byte[] runs = WriteRuns(merges);
        byte[] list = WriteProfiles(profiles);
        ImageHeader header = new(
            entries.Count, entries.Bytes.Length, merges.Count, runs.Length / 8, literals.Length,
            draft.Scores?.Count ?? 0, draft.Normalization.CharacterMap.Length, list.Length,
            IndexWriter.Slots(draft.Model, entries, merges));
        byte[] file = new byte[header.FileBytes];
        IndexWriter.Write(file.AsSpan(header.IndexAt), draft.Model, entries, merges);
        WriteMerges(file, header, merges);
        runs.CopyTo(file, header.RunsAt);
        literals.CopyTo(file, header.LiteralsAt);
        for (int i = 0; i < header.Scores; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(header.ScoresAt + (4 * i)), draft.Scores![i]);
        }

        draft.Normalization.CharacterMap.Span.CopyTo(file.AsSpan(header.MapAt));
        list.CopyTo(file, header.ProfilesAt);
        WriteHeader(file, header, draft);
        return file;
    }

    private static void WriteHeader(byte[] file, ImageHeader header, VocabularyDraft draft)
    {
        ImageFormat.Magic.CopyTo(file);
        file[12] = (byte)draft.Model;
        file[13] = (byte)draft.Split;
        file[14] = (byte)draft.Normalization.Form;
        file[15] = (byte)draft.Normalization.Prefix;
        file[16] = (byte)((draft.IgnoreMerges ? 1 : 0) | (draft.FuseUnknown ? 2 : 0)
            | (draft.Normalization.CollapseSpaces ? 4 : 0) | (draft.Normalization.EscapeSpaces ? 8 : 0)
            | (draft.Normalization.TrimEnd ? 16 : 0) | (draft.Normalization.JoinSpaces ? 32 : 0));
        file[17] = (byte)draft.Normalization.Words;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), (ushort)draft.MaxWordCharacters);
        int[] numbers =
        [
            draft.UnknownId, header.Entries, header.EntryBytes, header.Merges, header.Runs, header.Literals,
            header.Scores, header.Map, header.Profiles, header.Slots,
        ];
        for (int i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(20 + (4 * i)), numbers[i]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), ImageFormat.Checksum(file));
    }

    private static void WriteMerges(byte[] file, ImageHeader header, List<Merge> merges)
    {
        for (int i = 0; i < merges.Count; i++)
        {
            (int left, int right, _) = merges[i];
            (int leftAt, int rightAt) = (ImageHeader.LeftAt + (2 * i), header.RightAt + (2 * i));
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(leftAt), (ushort)(left & 0xFFFF));
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(rightAt), (ushort)(right & 0xFFFF));
            file[header.HighAt + i] = (byte)((left >> 16) | (right >> 16 << 4));
        }
    }

    private static byte[] WriteRuns(List<Merge> merges)
    {
        List<int> runs = [];
        for (int i = 0; i < merges.Count; i++)
        {
            if (i == 0 || merges[i].Result != merges[i - 1].Result + 1)
            {
                runs.AddRange([i, merges[i].Result]);
            }
        }

        return MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(runs)).ToArray();
    }

    /// <summary>The entries that the reader can't put together from merges whose parts it has by then.</summary>
    private static byte[] WriteLiterals(EntryBytes entries, List<Merge> merges)
    {
        bool[] isResult = new bool[entries.Count];
        merges.ForEach(merge => isResult[merge.Result] = entries.Kinds[merge.Result] == (byte)EntryKind.Normal);
        bool[] isKnown = [.. isResult.Select(result => !result)];
        bool[] isMade = new bool[entries.Count];
        foreach (Merge merge in merges)
        {
            if (isResult[merge.Result] && !isKnown[merge.Result])
            {
                // Where a part is not known yet, the entry is spelled out, and known from the beginning.
                isMade[merge.Result] = isKnown[merge.Left] && isKnown[merge.Right];
                isKnown[merge.Result] = true;
            }
        }

        using MemoryStream stream = new();
        int next = 0;
        for (int id = 0; id < entries.Count; id++)
        {
            if (entries.Kinds[id] != (byte)EntryKind.None && !isMade[id])
            {
                WriteNumber(stream, id - next);
                stream.WriteByte(entries.Kinds[id]);
                WriteNumber(stream, entries.Lengths[id]);
                stream.Write(entries[id]);
                next = id + 1;
            }
        }

        return stream.ToArray();
    }

    private static byte[] WriteProfiles(IReadOnlyList<VocabularyProfile> profiles)
    {
        using MemoryStream stream = new();
        WriteNumber(stream, profiles.Count);
        foreach (VocabularyProfile profile in profiles)
        {
            WriteText(stream, profile.Name);
            WriteNumber(stream, profile.Limit);
            WriteText(stream, profile.Source.Package);
            WriteText(stream, profile.Source.File);
            WriteText(stream, profile.Source.Sha256);
            WriteText(stream, profile.Source.Licence);
            WriteNumber(stream, profile.AddedTokens.Count);
            foreach (AddedToken token in profile.AddedTokens)
            {
                WriteText(stream, token.Content);
                WriteNumber(stream, token.Id);
                stream.WriteByte((byte)((token.Special ? 1 : 0) | (token.LeftStrip ? 2 : 0) | (token.RightStrip ? 4 : 0)
                    | (token.SingleWord ? 8 : 0) | (token.Normalized ? 16 : 0)));
            }
        }

        return stream.ToArray();
    }

    private static void WriteText(MemoryStream stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        WriteNumber(stream, bytes.Length);
        stream.Write(bytes);
    }

    /// <summary>Seven bits a byte, the lowest first; the high bit says that more follow.</summary>
    private static void WriteNumber(MemoryStream stream, int number)
    {
        for (; number >= 0x80; number >>= 7)
        {
            stream.WriteByte((byte)((number & 0x7F) | 0x80));
        }

        stream.WriteByte((byte)number);
    }
}
