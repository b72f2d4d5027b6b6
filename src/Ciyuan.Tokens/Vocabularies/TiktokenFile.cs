using System.Buffers;
using System.Buffers.Text;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Rank files: a line for each token, its bytes in base64, a space, its rank, which is its id.</summary>
public static class TiktokenFile
{
    /// <summary>Reads a rank file. What it does not say (rule of cutting, special tokens) comes from the caller.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">The name that the vocabulary gets.</param>
    /// <param name="split">How text is cut.</param>
    /// <param name="added">The special tokens; their ids must be free, or stand for the same text.</param>
    /// <exception cref="VocabularyException">The file is damaged; the message names the line.</exception>
    public static Vocabulary Read(
        ReadOnlySpan<byte> file, string name, SplitRule split, IEnumerable<AddedToken> added) =>
        new(ReadDraft(file, name, split, added));

    internal static VocabularyDraft ReadDraft(
        ReadOnlySpan<byte> file, string name, SplitRule split, IEnumerable<AddedToken> added)
    {
        ArgumentNullException.ThrowIfNull(added);
        VocabularyDraft draft = new() { Name = name, Split = split, IgnoreMerges = true };
        int lineNumber = 0;
        foreach (Range range in file.Split((byte)'\n'))
        {
            lineNumber++;
            ReadOnlySpan<byte> line = file[range].TrimEnd((byte)'\r');
            if (!line.IsEmpty)
            {
                ReadLine(draft, line, lineNumber);
            }
        }

        foreach (AddedToken token in added)
        {
            draft.Add(token);
        }

        return draft;
    }

    private static void ReadLine(VocabularyDraft draft, ReadOnlySpan<byte> line, int lineNumber)
    {
        int space = line.IndexOf((byte)' ');
        if (space < 1 || space > VocabularyDraft.MaxTokenBytes * 4 / 3)
        {
            throw Damaged(lineNumber, "is not: base64, a space, a rank");
        }

        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(space)];
        if (Base64.DecodeFromUtf8(line[..space], bytes, out int consumed, out int written) != OperationStatus.Done
            || consumed != space || written == 0)
        {
            throw Damaged(lineNumber, "does not begin with base64 of at least one byte");
        }

        if (!Utf8Parser.TryParse(line[(space + 1)..], out int rank, out int digits) || digits != line.Length - space - 1
            || rank is < 0 or >= VocabularyDraft.MaxEntries)
        {
            throw Damaged(lineNumber, $"does not end in a rank from 0 to {VocabularyDraft.MaxEntries - 1}");
        }

        if (rank < draft.Entries.Count && draft.Entries[rank] is not null)
        {
            throw Damaged(lineNumber, $"gives rank {rank} for a second time");
        }

        draft.Put(rank, bytes[..written]);
    }

    private static VocabularyException Damaged(int line, string what) =>
        new($"Line {line} of the rank file {what}. Get the file again, and compare its SHA-256 with the origin's.");
}
