using System.Buffers.Binary;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// The tokens of one family of models, and the rules by which text becomes them. Immutable; safe to use from several
/// threads.
/// </summary>
public sealed class Vocabulary
{
    private readonly ReadOnlyMemory<byte> _image;
    private readonly ImageHeader _header;
    private readonly VocabularyProfile _profile;
    private EntryBytes? _entries;
    private EntryTable? _table;
    private Merge[]? _merges;
    private int[]? _byteIds;

    internal Vocabulary(VocabularyDraft draft, VocabularySource? source = null)
        : this(ImageWriter.Write(draft, source ?? VocabularySource.Unknown), null, isOurs: false)
    {
    }

    private Vocabulary(ReadOnlyMemory<byte> image, string? name, bool isOurs)
    {
        ReadOnlySpan<byte> file = image.Span;
        _image = image;
        _header = ImageReader.ReadHeader(file, isOurs);
        _profile = Choose(ImageReader.ReadProfiles(file, _header, isOurs ? name : null), name);
        Name = _profile.Name;
        Source = _profile.Source;
        AddedTokens = _profile.AddedTokens;
        MaxId = _profile.Limit - 1;
        for (int i = 0; i < AddedTokens.Count; i++) // here and below no enumerators: each is types to load
        {
            MaxId = Math.Max(MaxId, AddedTokens[i].Id);
        }

        Model = (TokenModel)file[12];
        Split = (SplitRule)file[13];
        Normalization = new Normalization(
            (UnicodeForm)file[14], (file[16] & 4) != 0, (SpacePrefix)file[15], (file[16] & 8) != 0)
        {
            TrimEnd = (file[16] & 16) != 0,
            JoinSpaces = (file[16] & 32) != 0,
            Words = (WordSteps)file[17],
            CharacterMap = _header.Map == 0 ? default : image.Slice(_header.MapAt, _header.Map),
        };
        IgnoreMerges = (file[16] & 1) != 0;
        FuseUnknown = (file[16] & 2) != 0;
        MaxWordCharacters = BinaryPrimitives.ReadUInt16LittleEndian(file[18..]);
        UnknownId = BinaryPrimitives.ReadInt32LittleEndian(file[20..]);
        if (!isOurs)
        {
            DemandKnown();
            _entries = ReadEntries(); // checks what the file says; ours are checked by a test, and wait until needed
        }
    }

    /// <summary>The name under which it is found.</summary>
    public string Name { get; }

    /// <summary>Where it comes from.</summary>
    public VocabularySource Source { get; }

    /// <summary>How a piece becomes tokens.</summary>
    public TokenModel Model { get; }

    /// <summary>How text is cut into pieces.</summary>
    public SplitRule Split { get; }

    /// <summary>What is done to text before it is cut.</summary>
    public Normalization Normalization { get; }

    /// <summary>True when a piece that is an entry is that token, whether or not merges would reach it.</summary>
    public bool IgnoreMerges { get; }

    /// <summary>True when adjacent unknown characters are one unknown token, not one each.</summary>
    public bool FuseUnknown { get; }

    /// <summary>The token for what is unknown; -1 when there is none.</summary>
    public int UnknownId { get; }

    /// <summary>
    /// The longest word, in characters, that <see cref="TokenModel.WordPiece"/> looks for; longer ones are unknown. 0
    /// for other models.
    /// </summary>
    public int MaxWordCharacters { get; }

    /// <summary>How many ids stand for something.</summary>
    public int Count => MaxId + 1 - Entries.Kinds.AsSpan().Count((byte)EntryKind.None);

    /// <summary>The highest id; -1 when there is none.</summary>
    public int MaxId { get; }

    /// <summary>The index that the file has of itself; null for a file without one.</summary>
    internal StoredIndex? Index => _header.Slots == 0 ? null : new StoredIndex(_image, _header, _profile.Limit);

    /// <summary>Bytes and kinds of all ids, spelled out when they are first asked for.</summary>
    internal EntryBytes Entries => Volatile.Read(ref _entries) ?? ReadEntries();

    /// <summary>
    /// For <see cref="TokenModel.MergeBpe"/> and <see cref="TokenModel.CharacterMergeBpe"/> the pairs that merge, the
    /// first to merge first. For <see cref="TokenModel.RankBpe"/>, which merges any pair that makes an entry, the last
    /// merge by which each entry comes about, in order of ids; entries that merging alone does not reach have none. For
    /// other models empty. No pair occurs twice.
    /// </summary>
    public ReadOnlySpan<Merge> Merges => Volatile.Read(ref _merges) ?? ReadMerges();

    /// <summary>The tokens that are found as a whole, in the order of the source.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; }

    /// <summary>
    /// Maps a compact file, and reads it in place. Do not write to it while it is in use; replace it.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="name">Which of its vocabularies; null for the first.</param>
    /// <exception cref="VocabularyException">It is no compact file, or damaged, or lacks the name.</exception>
    /// <exception cref="IOException">It can't be opened.</exception>
    public static Vocabulary Open(string path, string? name = null)
    {
        long length = new FileInfo(path).Length;
        return length is >= ImageFormat.HeaderBytes and <= ImageFormat.MaxFileBytes
            ? new Vocabulary(NativeBytes.OfFile(path, length), name, isOurs: false)
            : throw new VocabularyException($"{path} has {length} bytes: it is no compact vocabulary.");
    }

    /// <summary>Reads a compact file that is in memory, in place.</summary>
    /// <param name="image">The whole file; it must not change afterwards.</param>
    /// <param name="name">Which of its vocabularies; null for the first.</param>
    /// <exception cref="VocabularyException">It is no compact file, or damaged, or lacks the name.</exception>
    public static Vocabulary Open(ReadOnlyMemory<byte> image, string? name = null) => new(image, name, isOurs: false);

    /// <summary>Opens a file of this library, which mapping it is enough for.</summary>
    internal static Vocabulary OpenOurs(ReadOnlyMemory<byte> image, string name) => new(image, name, isOurs: true);

    /// <summary>The names of the vocabularies of a compact file, in order.</summary>
    /// <exception cref="VocabularyException">It is no compact file, or damaged.</exception>
    public static IReadOnlyList<string> NamesIn(ReadOnlyMemory<byte> image) =>
        [.. ImageReader.ReadProfiles(image.Span, ImageReader.ReadHeader(image.Span)).Select(p => p.Name)];

    /// <summary>
    /// The bytes that an id stands for: for <see cref="EntryKind.Byte"/> the byte itself, else the bytes as the model
    /// sees them (after <see cref="Normalization"/>). Empty for a gap and for an id outside 0 … <see cref="MaxId"/>.
    /// </summary>
    public ReadOnlySpan<byte> BytesOf(int id) => id >= 0 && id <= MaxId ? Entries[id] : default;

    /// <summary>What stands at an id; <see cref="EntryKind.None"/> outside 0 … <see cref="MaxId"/>.</summary>
    public EntryKind KindOf(int id) =>
        id >= 0 && id <= MaxId ? (EntryKind)Entries.Kinds[id] : EntryKind.None;

    /// <summary>The score of an id, higher is preferred; 0 for models without scores.</summary>
    public float ScoreOf(int id) => id >= 0 && id < _header.Scores
        ? BinaryPrimitives.ReadSingleLittleEndian(_image.Span[(_header.ScoresAt + (4 * id))..])
        : 0;

    /// <summary>
    /// The token of one byte: the entry of that byte, or the byte token of models that start with characters; -1 when
    /// the vocabulary has none.
    /// </summary>
    public int ByteId(byte value) => (Volatile.Read(ref _byteIds) ?? FindByteIds())[value];

    /// <summary>
    /// Finds the entry with exactly these bytes among those that the model makes (<see cref="EntryKind.Normal"/> and
    /// <see cref="EntryKind.Unused"/>); of two such, the lower id.
    /// </summary>
    /// <param name="bytes">The bytes, as the model sees them.</param>
    /// <param name="id">The id; -1 when there is none.</param>
    /// <returns>True when there is such an entry.</returns>
    public bool TryFind(ReadOnlySpan<byte> bytes, out int id) =>
        (Volatile.Read(ref _table) ?? MakeTable()).TryFind(bytes, out id);

    private void DemandKnown()
    {
        ImageReader.Demand(Enum.IsDefined(Model) && Enum.IsDefined(Split) && Enum.IsDefined(Normalization.Form)
            && Enum.IsDefined(Normalization.Prefix) && _image.Span[16] < 64, "a rule, or it is of a later program,");
        bool isWordPiece = Model == TokenModel.WordPiece;
        ImageReader.Demand(isWordPiece == (MaxWordCharacters > 0) && isWordPiece == (Split == SplitRule.Words)
            && (int)Normalization.Words <= (isWordPiece ? 15 : 0) && (UnknownId >= 0 || !isWordPiece), "its words");
        ImageReader.Demand(UnknownId >= -1 && UnknownId < _header.Entries, "its unknown token");
        ImageReader.Demand(Normalization.Form < UnicodeForm.CharacterMap
            || CharacterMaps.IsWhole(Normalization.CharacterMap.Span), "its character map");
    }

    private static VocabularyProfile Choose(List<VocabularyProfile> profiles, string? name)
    {
        for (int i = 0; i < profiles.Count; i++)
        {
            if (name is null || profiles[i].Name == name)
            {
                return profiles[i];
            }
        }

        throw Missing(profiles, name);
    }

    private static VocabularyException Missing(List<VocabularyProfile> profiles, string? name) => new(
        $"The file has no vocabulary '{name}', but {string.Join(", ", profiles.Select(p => p.Name))}.");

    /// <summary>Two threads may do this at once, and what follows; both get the same.</summary>
    private EntryBytes ReadEntries()
    {
        EntryBytes entries = ImageReader.ReadEntries(_image.Span, _header, _profile);
        return Interlocked.CompareExchange(ref _entries, entries, null) ?? entries;
    }

    private Merge[] ReadMerges()
    {
        Merge[] merges = ImageReader.ReadMerges(_image.Span, _header, _profile.Limit);
        return Interlocked.CompareExchange(ref _merges, merges, null) ?? merges;
    }

    private EntryTable MakeTable()
    {
        EntryTable table = new(Entries);
        return Interlocked.CompareExchange(ref _table, table, null) ?? table;
    }

    private int[] FindByteIds()
    {
        EntryBytes entries = Entries;
        int[] ids = new int[256];
        Array.Fill(ids, -1);
        EntryKind wanted = Model is TokenModel.RankBpe or TokenModel.MergeBpe ? EntryKind.Normal : EntryKind.Byte;
        for (int id = 0; id < entries.Count; id++)
        {
            if (entries.Lengths[id] == 1 && entries.Kinds[id] == (byte)wanted)
            {
                int value = entries.Bytes[entries.Starts[id]];
                ids[value] = ids[value] < 0 ? id : ids[value];
            }
        }

        Volatile.Write(ref _byteIds, ids);
        return ids;
    }
}
