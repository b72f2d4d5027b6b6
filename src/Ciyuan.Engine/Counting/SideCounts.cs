using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>Where a part of the tokens of one direction stands.</summary>
internal enum Place
{
    /// <summary>Within the whole of its side.</summary>
    Within,

    /// <summary>Beside the whole, and within the stated total.</summary>
    Beside,

    /// <summary>Beside the whole, and not in the stated total either.</summary>
    OutsideTotal,
}

/// <summary>A part of one side that is a kind of its own: cached, reasoning, …</summary>
/// <param name="kind">The kind.</param>
/// <param name="count">Tokens.</param>
/// <param name="place">Where they stand by the convention, or as declared.</param>
/// <param name="path">Where it was stated.</param>
internal sealed class SidePart(TokenKind kind, long count, Place place, string path)
{
    private long[]? _byModality;

    internal TokenKind Kind => kind;

    internal string Path => path;

    internal long Count { get; set; } = count;

    internal Place Place { get; set; } = place;

    /// <summary>Declared by whoever asks: what totals say does not change it.</summary>
    internal bool IsFixed { get; init; }

    /// <summary>How much of it is known to be of each modality.</summary>
    internal long[] ByModality => _byModality ??= new long[TokenClass.Modalities.Length];

    /// <summary>How much of it is of some modality that is known.</summary>
    internal long Known => _byModality is { } known ? SideCounts.Sum(known) : 0;

    internal bool IsCache => IsCacheKind(kind);

    internal static bool IsCacheKind(TokenKind kind) => kind is TokenKind.CacheRead or TokenKind.CacheWrite
        or TokenKind.CacheWrite5M or TokenKind.CacheWrite1H;
}

/// <summary>
/// What a response states about the tokens of one direction, in whatever nesting: a whole, parts by modality, and kinds
/// within or beside it. <see cref="Classes"/> makes disjoint classes of it.
/// </summary>
internal sealed class SideCounts(Direction direction, ReadingDraft draft)
{
    private readonly long[] _modalities = new long[TokenClass.Modalities.Length];
    private uint _statedModalities;

    internal Direction Direction => direction;

    internal string Path { get; private set; } = "";

    /// <summary>The stated whole; null when it is missing.</summary>
    internal long? Whole { get; set; }

    /// <summary>True when the convention leaves out a whole of zero.</summary>
    internal bool MayBeMissing { get; init; }

    /// <summary>What tokens are about which nothing is said.</summary>
    internal Modality Plain { get; init; } = Modality.Text;

    internal List<SidePart> Parts { get; } = new(4);

    internal bool HasModalities => _statedModalities != 0;

    internal long ModalitySum => Sum(_modalities);

    internal SideCounts State(UsageObject usage, string wholeName)
    {
        Path = usage.PathOf(wholeName);
        Whole = usage.Count(wholeName);
        return this;
    }

    /// <summary>Of the whole, so much is of this modality, cached or not.</summary>
    internal void Modal(Modality modality, long? count)
    {
        if (count is { } tokens)
        {
            _modalities[(int)modality] += tokens;
            _statedModalities |= 1u << (int)modality;
        }
    }

    /// <summary>A kind, stated under one of several names; stated twice it has to be the same.</summary>
    internal SidePart? Kind(TokenKind kind, Place place, UsageObject usage, params ReadOnlySpan<string> paths)
    {
        foreach (string path in paths)
        {
            if (usage.Count(path) is { } count)
            {
                Kind(kind, place, count, usage.PathOf(path));
            }
        }

        return Find(kind);
    }

    /// <summary>A kind of so many tokens.</summary>
    internal SidePart Kind(TokenKind kind, Place place, long count, string path)
    {
        SidePart? known = Find(kind);
        if (known is null)
        {
            CachePlace declared = SidePart.IsCacheKind(kind)
                ? draft.Options.Cache
                : CachePlace.ByConvention;
            known = new SidePart(kind, count, declared == CachePlace.Within ? Place.Within
                : declared == CachePlace.Beside ? Place.Beside : place, path)
            { IsFixed = declared != CachePlace.ByConvention };
            Parts.Add(known);
        }
        else if (known.Count != count)
        {
            // Relays fill what they don't know with zero, so a zero beside a number contradicts less.
            long larger = Math.Max(known.Count, count);
            draft.Lower(FindingCode.StatedTwice, path,
                $"is {count}, but {known.Path} is {known.Count}; taken as {larger}");
            known.Count = larger;
        }

        return known;
    }

    /// <summary>What was written to a cache, cut by time to live; a rest has the provider's default.</summary>
    internal void SplitCacheWrites(Place place, long? all, long? fiveMinutes, long? oneHour, string path)
    {
        long split = (fiveMinutes ?? 0) + (oneHour ?? 0);
        if (fiveMinutes is null && oneHour is null)
        {
            return;
        }

        if (split > (all ?? split))
        {
            draft.Refuse(FindingCode.DetailsExceedWhole, path,
                $"adds up to {split}, more than the {all} written to the cache");
            return;
        }

        if (split < all)
        {
            draft.Lower(FindingCode.DetailsFallShort, path,
                $"adds up to {split} of the {all} written to the cache; the rest has no time to live", direction);
        }

        Parts.RemoveAll(p => p.Kind == TokenKind.CacheWrite);
        Kind(TokenKind.CacheWrite, place, (all ?? split) - split, path);
        Kind(TokenKind.CacheWrite5M, place, fiveMinutes ?? 0, path);
        Kind(TokenKind.CacheWrite1H, place, oneHour ?? 0, path);
    }

    internal long SumOf(Place place)
    {
        long sum = 0;
        foreach (SidePart part in Parts)
        {
            sum += part.Place == place ? part.Count : 0;
        }

        return sum;
    }

    internal static long Sum(ReadOnlySpan<long> counts)
    {
        long sum = 0;
        foreach (long count in counts)
        {
            sum += count;
        }

        return sum;
    }

    private SidePart? Find(TokenKind kind)
    {
        foreach (SidePart part in Parts)
        {
            if (part.Kind == kind)
            {
                return part;
            }
        }

        return null;
    }

    /// <summary>Parts that can't be within the whole, by its size, are beside it; what can't be beside
    /// refuses.</summary>
    internal void PlaceByPossibility()
    {
        long whole = Whole ?? 0;
        if (SumOf(Place.Within) <= whole)
        {
            return;
        }

        List<SidePart> movable =
            [.. Parts.Where(p => p is { Place: Place.Within, IsFixed: false, Count: > 0 }
                && (p.IsCache || p.Kind == TokenKind.Reasoning))];
        string stated = string.Join(" + ", Parts.Where(p => p is { Place: Place.Within, Count: > 0 }).Select(p =>
            $"{p.Path} {p.Count}"));
        if (SumOf(Place.Within) - movable.Sum(p => p.Count) > whole || movable.Count == 0)
        {
            draft.Refuse(FindingCode.DetailsExceedWhole, Path, $"is {whole}, less than what is within it: {stated}");
            return;
        }

        foreach (SidePart part in movable)
        {
            part.Place = Place.Beside;
        }

        draft.Lower(movable[0].IsCache ? FindingCode.CacheBeside : FindingCode.ReasoningBeside, Path,
            $"is {whole}, less than {stated}, which belongs within it; read as standing beside it, already subtracted");
    }

    /// <summary>The disjoint classes. Each part within the whole is taken out of the modality it belongs to.</summary>
    internal void Classes()
    {
        long whole = Whole!.Value;
        if (ModalitySum > whole)
        {
            draft.Refuse(FindingCode.DetailsExceedWhole, Path,
                $"is {whole}, but its parts by modality add up to {ModalitySum}");
            return;
        }

        NoteRest(whole - ModalitySum);
        long[] left = _modalities; // what no part has taken out yet
        left[(int)Plain] += whole - ModalitySum;
        Parts.RemoveAll(part => part.Count == 0 && part.Known == 0);
        TakeOut(left, p => p.Kind == TokenKind.Reasoning); // it is text: before others take text by assumption
        TakeOut(left, p => p.Kind != TokenKind.Reasoning);
        foreach (SidePart part in Parts)
        {
            part.ByModality[(int)Modality.Text] += part.Place != Place.Within ? part.Count - part.Known : 0;
        }

        AddClasses(left);
    }

    private void AddClasses(long[] left)
    {
        for (int m = 0; m < left.Length; m++)
        {
            if (left[m] > 0 || m == (int)Plain)
            {
                draft.Add(new TokenClass(direction, (Modality)m, TokenKind.Fresh), left[m]);
            }

            foreach (SidePart part in Parts)
            {
                if (part.ByModality[m] > 0)
                {
                    draft.Add(new TokenClass(direction, (Modality)m, part.Kind), part.ByModality[m]);
                }
            }
        }
    }

    private void TakeOut(long[] left, Predicate<SidePart> which)
    {
        foreach (SidePart part in Parts)
        {
            if (part.Place == Place.Within && which(part))
            {
                TakeOut(part, left);
            }
        }
    }

    // What no modality was stated for. It is explained by kinds that are counted apart from the text (a text of 10
    // beside 90 cached), or by a convention that states only what is not text.
    private void NoteRest(long rest)
    {
        bool textIsStated = (_statedModalities & 1) != 0;
        long explained = 0;
        foreach (SidePart part in Parts)
        {
            explained += part.Place == Place.Within ? part.Count - part.Known : 0;
        }

        if (rest > explained && textIsStated && ModalitySum > 0)
        {
            draft.Lower(FindingCode.DetailsFallShort, Path,
                $"has {rest} tokens more than its parts by modality; counted as {Plain.ToString().ToLowerInvariant()}",
                direction);
        }
    }

    private void TakeOut(SidePart part, long[] left)
    {
        long rest = part.Count - part.Known;
        if (rest < 0)
        {
            draft.Refuse(FindingCode.DetailsExceedWhole, part.Path,
                $"is {part.Count}, but its parts by modality add up to {part.Known}");
            return;
        }

        for (int m = 0; m < left.Length; m++)
        {
            if (part.ByModality[m] > left[m])
            {
                draft.Refuse(FindingCode.DetailsExceedWhole, part.Path,
                    $"has {part.ByModality[m]} tokens of {TokenClass.Modalities[m]}, of which there are {left[m]}");
                return;
            }

            left[m] -= part.ByModality[m];
        }

        if (rest > 0 && part.IsCache && HasSeveral(left))
        {
            draft.Lower(FindingCode.ModalityAssumed, part.Path,
                $"has {rest} tokens of which the modality is not said; taken as text as far as there is any",
                    direction);
        }

        TakeOutAnyhow(part, left, rest);
    }

    private static bool HasSeveral(long[] left)
    {
        int some = 0;
        foreach (long count in left)
        {
            some += count > 0 ? 1 : 0;
        }

        return some > 1;
    }

    private static void TakeOutAnyhow(SidePart part, long[] left, long rest)
    {
        for (int m = 0; m < left.Length && rest > 0; m++)
        {
            long taken = Math.Min(rest, left[m]);
            left[m] -= taken;

            // Thinking is text, whatever it is about.
            int of = part.Kind == TokenKind.Reasoning ? (int)Modality.Text : m;
            part.ByModality[of] += taken;
            rest -= taken;
        }
    }
}
