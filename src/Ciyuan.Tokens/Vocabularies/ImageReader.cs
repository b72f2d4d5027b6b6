using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// Reads a compact file in place. Nothing in it is believed: a checksum tells of damage, not of intent, so every number
/// is held against what it counts.
/// </summary>
internal static class ImageReader
{
    /// <summary>Reads the header.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="isOurs">True for files inside the library, whose checksum a test looks at.</param>
    internal static ImageHeader ReadHeader(ReadOnlySpan<byte> file, bool isOurs = false)
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new VocabularyException("Vocabularies are read in place, which needs a little-endian machine.");
        }

        if (file.Length < ImageFormat.HeaderBytes || !file.StartsWith(ImageFormat.Magic[..7]))
        {
            throw new VocabularyException("The file is no compact vocabulary. 'ciyuan vocab add' makes one.");
        }

        if (file[7] != ImageFormat.Magic[7] && file[7] != ImageFormat.FirstVersion)
        {
            throw new VocabularyException(
                $"The compact vocabulary has version {file[7]}; this program reads version {ImageFormat.Magic[7]}. "
                + "Make it again with 'ciyuan vocab add'.");
        }

        Span<int> numbers = stackalloc int[9];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = BinaryPrimitives.ReadInt32LittleEndian(file[(24 + (4 * i))..]);
            Demand(numbers[i] is >= 0 and <= ImageFormat.MaxFileBytes, "a count of its header");
        }

        ImageHeader header = new(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6],
            numbers[7], file[7] == ImageFormat.FirstVersion ? 0 : numbers[8]);
        Demand(header.Entries <= ImageFormat.MaxEntries && header.EntryBytes <= ImageFormat.MaxEntryBytes, "its size");
        Demand(header.Merges <= JsonBpe.MaxMerges && header.Runs <= header.Merges, "its number of merges");
        Demand(header.Scores == 0 || header.Scores == header.Entries, "its number of scores");
        Demand(header.Slots == 0 || (header.Slots >= 16 && BitOperations.IsPow2(header.Slots)), "its index");
        Demand(header.Slots <= 2 * ImageFormat.MaxEntries && header.FileBytes == file.Length, "its length");
        Demand(isOurs || BinaryPrimitives.ReadUInt32LittleEndian(file[8..]) == ImageFormat.Checksum(file),
            "its checksum");
        return header;
    }

    /// <summary>The two parts of a merge.</summary>
    internal static (int Left, int Right) PartsOf(ReadOnlySpan<byte> file, ImageHeader header, int merge)
    {
        int high = file[header.HighAt + merge];
        int left = BinaryPrimitives.ReadUInt16LittleEndian(file[(ImageHeader.LeftAt + (2 * merge))..]);
        int right = BinaryPrimitives.ReadUInt16LittleEndian(file[(header.RightAt + (2 * merge))..]);
        return (left | ((high & 15) << 16), right | (high >> 4 << 16));
    }

    /// <summary>How many entries are spelled out.</summary>
    internal static int CountLiterals(ReadOnlySpan<byte> file, ImageHeader header)
    {
        int count = 0;
        ReadOnlySpan<byte> rest = file.Slice(header.LiteralsAt, header.Literals);
        for (; !rest.IsEmpty; count++)
        {
            ReadLiteral(ref rest, out _, out _);
        }

        return count;
    }

    /// <summary>Says where in the file the entries stand that are spelled out, in order of ids.</summary>
    internal static void FindLiterals(
        ReadOnlySpan<byte> file, ImageHeader header, int[] ids, int[] starts, int[] lengths)
    {
        ReadOnlySpan<byte> rest = file.Slice(header.LiteralsAt, header.Literals);
        for (int i = 0, next = 0; !rest.IsEmpty; i++, next++)
        {
            next += ReadLiteral(ref rest, out _, out lengths[i]);
            ids[i] = next;
            starts[i] = header.LiteralsAt + header.Literals - rest.Length - lengths[i];
        }
    }

    /// <summary>Spells out the entries: literals first, then by the merges, each of which needs its parts.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="profile">Ids from its limit on are left out; its added tokens come where nothing stands.</param>
    internal static EntryBytes ReadEntries(ReadOnlySpan<byte> file, ImageHeader header, VocabularyProfile profile)
    {
        int limit = profile.Limit;
        int count = Math.Max(limit, profile.AddedTokens.Select(token => token.Id + 1).DefaultIfEmpty().Max());
        int added = profile.AddedTokens.Sum(token => Encoding.UTF8.GetByteCount(token.Content));
        EntryBytes entries = new(
            GC.AllocateUninitializedArray<byte>(header.EntryBytes + added), new int[count], new ushort[count],
            new byte[count]);
        int at = ReadLiterals(file.Slice(header.LiteralsAt, header.Literals), entries, limit);
        foreach ((int first, int end, int result) in new MergeRuns(file, header))
        {
            at = Join(file, header, entries, first, Math.Min(end, limit - result + first), result, at);
        }

        foreach (AddedToken token in profile.AddedTokens.Where(token => entries.Kinds[token.Id] == 0))
        {
            int length = Encoding.UTF8.GetBytes(token.Content, entries.Bytes.AsSpan(at));
            entries.Put(token.Id, EntryKind.Control, at, length);
            at += length;
        }

        return entries;
    }

    /// <summary>The merges whose parts and result are below a limit, in order.</summary>
    internal static Merge[] ReadMerges(ReadOnlySpan<byte> file, ImageHeader header, int limit)
    {
        List<Merge> merges = new(header.Merges);
        ReadOnlySpan<ushort> lefts = Halves(file, ImageHeader.LeftAt, header.Merges);
        ReadOnlySpan<ushort> rights = Halves(file, header.RightAt, header.Merges);
        foreach ((int first, int end, int result) in new MergeRuns(file, header))
        {
            for (int i = first; i < end; i++)
            {
                int high = file[header.HighAt + i];
                int left = lefts[i] | ((high & 15) << 16);
                int right = rights[i] | (high >> 4 << 16);
                int id = result + i - first;
                if (id < limit)
                {
                    Demand(left < limit && right < limit, "a merge");
                    merges.Add(new Merge(left, right, id));
                }
            }
        }

        return [.. merges];
    }

    /// <summary>Reads the profiles.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="wanted">The name behind which none is read any more; null for all.</param>
    internal static List<VocabularyProfile> ReadProfiles(
        ReadOnlySpan<byte> file, ImageHeader header, string? wanted = null)
    {
        ReadOnlySpan<byte> rest = file.Slice(header.ProfilesAt, header.Profiles);
        int count = ReadNumber(ref rest);
        List<VocabularyProfile> profiles = [];
        for (int i = 0; i < count && (wanted is null || i == 0 || profiles[^1].Name != wanted); i++)
        {
            string name = ReadText(ref rest);
            int limit = ReadNumber(ref rest);
            Demand(limit <= header.Entries, "a profile");
            VocabularySource source = new(
                ReadText(ref rest), ReadText(ref rest), ReadText(ref rest), ReadText(ref rest));
            int added = ReadNumber(ref rest);
            List<AddedToken> tokens = [];
            for (int j = 0; j < added; j++)
            {
                string content = ReadText(ref rest);
                int id = ReadNumber(ref rest);
                int flags = ReadNumber(ref rest);
                Demand(content.Length > 0 && id < ImageFormat.MaxEntries && flags < 32, "an added token");
                tokens.Add(new AddedToken(content, id, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0,
                    (flags & 8) != 0, (flags & 16) != 0));
            }

            profiles.Add(new VocabularyProfile(name, limit, source, tokens));
        }

        Demand(profiles.Count > 0 && (rest.IsEmpty || profiles.Count < count), "its profiles");
        return profiles;
    }

    /// <summary>Throws unless a condition holds.</summary>
    internal static void Demand(bool holds, string what)
    {
        if (!holds)
        {
            throw new VocabularyException(
                $"The compact vocabulary is damaged: {what} is wrong. Make it again with 'ciyuan vocab add'.");
        }
    }

    private static int ReadLiterals(ReadOnlySpan<byte> rest, EntryBytes entries, int limit)
    {
        int at = 0;
        for (int next = 0; !rest.IsEmpty; next++)
        {
            ReadOnlySpan<byte> before = rest;
            next += ReadLiteral(ref rest, out int kind, out int length);
            Demand(at + length <= entries.Bytes.Length, "an entry");
            if (next < limit)
            {
                before[^(rest.Length + length)..^rest.Length].CopyTo(entries.Bytes.AsSpan(at));
                entries.Put(next, (EntryKind)kind, at, length);
                at += length;
            }
        }

        return at;
    }

    /// <summary>Goes over one entry that is spelled out; returns how many ids are left out before it.</summary>
    private static int ReadLiteral(ref ReadOnlySpan<byte> rest, out int kind, out int length)
    {
        int gap = ReadNumber(ref rest);
        kind = ReadNumber(ref rest);
        length = ReadNumber(ref rest);
        Demand(kind is > (int)EntryKind.None and <= (int)EntryKind.Unused
            && length <= Math.Min(VocabularyDraft.MaxTokenBytes, rest.Length), "an entry");
        rest = rest[length..];
        return gap;
    }

    /// <summary>
    /// Spells out the entries of a run of merges; returns where the next bytes go. This loop is the time of loading, so
    /// it is compiled well at once, and copies sixteen bytes where that is enough and both ends have room for them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Join(
        ReadOnlySpan<byte> file, ImageHeader header, EntryBytes entries, int first, int end, int result, int at)
    {
        ReadOnlySpan<ushort> lefts = Halves(file, ImageHeader.LeftAt, header.Merges);
        ReadOnlySpan<ushort> rights = Halves(file, header.RightAt, header.Merges);
        ReadOnlySpan<byte> highs = file.Slice(header.HighAt, header.Merges);
        (byte[] bytes, int[] starts, ushort[] lengths, byte[] kinds) = entries;
        for (int i = first, id = result; i < end; i++, id++)
        {
            if (kinds[id] != (byte)EntryKind.None)
            {
                continue;
            }

            int left = lefts[i] | ((highs[i] & 15) << 16);
            int right = rights[i] | (highs[i] >> 4 << 16);
            if (left >= kinds.Length || right >= kinds.Length || kinds[left] == 0 || kinds[right] == 0
                || lengths[left] + lengths[right] > Math.Min(VocabularyDraft.MaxTokenBytes, bytes.Length - at))
            {
                Demand(false, "a merge");
                return 0;
            }

            int length = lengths[left] + lengths[right];
            if (lengths[left] <= 16 && lengths[right] <= 16 && at + 32 <= bytes.Length)
            {
                Vector128.LoadUnsafe(ref bytes[starts[left]]).StoreUnsafe(ref bytes[at]);
                Vector128.LoadUnsafe(ref bytes[starts[right]]).StoreUnsafe(ref bytes[at + lengths[left]]);
            }
            else
            {
                bytes.AsSpan(starts[left], lengths[left]).CopyTo(bytes.AsSpan(at));
                bytes.AsSpan(starts[right], lengths[right]).CopyTo(bytes.AsSpan(at + lengths[left]));
            }

            starts[id] = at;
            lengths[id] = (ushort)length;
            kinds[id] = (byte)EntryKind.Normal;
            at += length;
        }

        return at;
    }

    private static ReadOnlySpan<ushort> Halves(ReadOnlySpan<byte> file, int at, int count) =>
        MemoryMarshal.Cast<byte, ushort>(file.Slice(at, 2 * count));

    private static string ReadText(ref ReadOnlySpan<byte> rest)
    {
        int length = ReadNumber(ref rest);
        Demand(length <= Math.Min(VocabularyDraft.MaxTokenBytes * 4, rest.Length), "a text");
        string text = Encoding.UTF8.GetString(rest[..length]);
        rest = rest[length..];
        return text;
    }

    private static int ReadNumber(ref ReadOnlySpan<byte> rest)
    {
        int number = 0;
        for (int shift = 0; shift < 28; shift += 7)
        {
            Demand(!rest.IsEmpty, "its end");
            byte value = rest[0];
            rest = rest[1..];
            number |= (value & 0x7F) << shift;
            if (value < 0x80)
            {
                return number;
            }
        }

        Demand(false, "a number");
        return 0;
    }
}

/// <summary>The runs of merges whose results follow one another: first, end (exclusive), result of the first.</summary>
internal readonly ref struct MergeRuns(ReadOnlySpan<byte> file, ImageHeader header)
{
    private readonly ReadOnlySpan<byte> _runs = file.Slice(header.RunsAt, 8 * header.Runs);

    public Enumerator GetEnumerator() => new(_runs, header.Merges, header.Entries);

    internal ref struct Enumerator(ReadOnlySpan<byte> runs, int merges, int entries)
    {
        private readonly ReadOnlySpan<byte> _runs = runs;
        private int _index = -1;

        public (int First, int End, int Result) Current { get; private set; }

        public bool MoveNext()
        {
            if (++_index * 8 >= _runs.Length)
            {
                ImageReader.Demand(_index > 0 || merges == 0, "its runs");
                return false;
            }

            int first = BinaryPrimitives.ReadInt32LittleEndian(_runs[(8 * _index)..]);
            int result = BinaryPrimitives.ReadInt32LittleEndian(_runs[((8 * _index) + 4)..]);
            int end = (8 * _index) + 8 < _runs.Length
                ? BinaryPrimitives.ReadInt32LittleEndian(_runs[((8 * _index) + 8)..])
                : merges;
            ImageReader.Demand(first == Current.End && end > first && end <= merges && result >= 0 && result < entries
                && result + (end - first) <= entries, "a run of merges");
            Current = (first, end, result);
            return true;
        }
    }
}
