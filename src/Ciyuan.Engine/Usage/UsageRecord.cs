using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ciyuan.Quantities;

namespace Ciyuan.Usage;

/// <summary>How a call ended. Numbers are stored: never change or reuse one.</summary>
public enum Outcome : byte
{
    /// <summary>Answered whole.</summary>
    Ok = 0,

    /// <summary>Refused or broken before an answer.</summary>
    Failed = 1,

    /// <summary>The answer broke off, or the client left.</summary>
    Cut = 2,
}

/// <summary>
/// Who called what, where and for which purpose: what many records share. Absent parts are empty strings. Instances
/// are made once for each distinct content by <see cref="UsageContexts"/>, so the engine can remember by reference how
/// a context is rated.
/// </summary>
/// <param name="Source">Where the event comes from; ids are unique within it. Required.</param>
/// <param name="Party">The consumer.</param>
/// <param name="Project">The consumer's project.</param>
/// <param name="Key">The project's key.</param>
/// <param name="Scenario">The purpose.</param>
/// <param name="ModelAsked">The model as the caller named it.</param>
/// <param name="ModelAnswered">The model as the provider named it.</param>
/// <param name="Provider">The model provider.</param>
/// <param name="Site">The compute site.</param>
/// <param name="Operation">What was done: <c>chat</c>, <c>embeddings</c>, …</param>
public sealed record UsageContext(
    string Source,
    string Party = "",
    string Project = "",
    string Key = "",
    string Scenario = "",
    string ModelAsked = "",
    string ModelAnswered = "",
    string Provider = "",
    string Site = "",
    string Operation = "")
{
    /// <summary>Number of parts.</summary>
    public const int Parts = 10;

    /// <summary>The model that prices and reports go by: as answered, else as asked.</summary>
    public string Model => ModelAnswered.Length > 0 ? ModelAnswered : ModelAsked;

    /// <summary>The parts by number, in the order of the parameters.</summary>
    public string this[int part] => part switch
    {
        0 => Source,
        1 => Party,
        2 => Project,
        3 => Key,
        4 => Scenario,
        5 => ModelAsked,
        6 => ModelAnswered,
        7 => Provider,
        8 => Site,
        9 => Operation,
        _ => throw new ArgumentOutOfRangeException(nameof(part)),
    };

    /// <summary>From <see cref="Parts"/> parts in the order of the parameters.</summary>
    public static UsageContext FromParts(ReadOnlySpan<string> p) =>
        new(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9]);

    /// <summary>
    /// A hash of the content that is the same on every machine. With a key, party and project are left out: the key
    /// implies them, and an event is the same whether they were stated or filled in.
    /// </summary>
    public ulong Fingerprint => _fingerprint != 0 ? _fingerprint : _fingerprint = ComputeFingerprint();

    private ulong _fingerprint;

    // What `with` starts from: all parts, but not the fingerprint, which is that of other content.
    private UsageContext(UsageContext other)
    {
        (Source, Party, Project, Key, Scenario) = (other.Source, other.Party, other.Project, other.Key, other.Scenario);
        (ModelAsked, ModelAnswered, Provider) = (other.ModelAsked, other.ModelAnswered, other.Provider);
        (Site, Operation) = (other.Site, other.Operation);
    }

    /// <summary>Why a part can't be accepted, or null.</summary>
    internal string? FindFault()
    {
        if (_accepted)
        {
            return null;
        }

        if (Source.Length == 0)
        {
            return "source: is missing; ids are unique within a source";
        }

        for (int i = 0; i < Parts; i++)
        {
            if (this[i].Length > UsageRecord.MaxNameLength)
            {
                return $"{this[i][..24]}…: a name has at most {UsageRecord.MaxNameLength} characters, this has "
                    + $"{this[i].Length}";
            }

            if (!StoredText.IsText(this[i]))
            {
                return $"{PartNames[i]}: has a zero character or half of a surrogate pair, and can't be stored";
            }
        }

        _accepted = true;
        return null;
    }

    private bool _accepted; // contexts are shared by many records, so each is looked at once

    private static readonly string[] PartNames =
        ["source", "party", "project", "key", "scenario", "model asked", "model answered", "provider", "site",
            "operation"];

    /// <inheritdoc/>
    public bool Equals(UsageContext? other)
    {
        if (ReferenceEquals(this, other) || other is null)
        {
            return other is not null;
        }

        for (int i = 0; i < Parts; i++)
        {
            if (this[i] != other[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((int)Fingerprint);

    /// <summary>Room for the rating to remember, by reference, how this context is rated; not part of the
    /// content.</summary>
    internal object? Plan { get; set; }

    private ulong ComputeFingerprint()
    {
        ulong hash = 0;
        for (int i = 0; i < Parts; i++)
        {
            string part = Key.Length > 0 && (i is 1 or 2) ? "" : this[i];
            hash = System.IO.Hashing.XxHash3.HashToUInt64(
                MemoryMarshal.AsBytes(part.AsSpan()), unchecked((long)hash + i));
        }

        return hash;
    }
}

/// <summary>A free label on one record.</summary>
/// <param name="Name">1 to 64 characters.</param>
/// <param name="Value">Up to 256 characters.</param>
public readonly record struct Tag(string Name, string Value);

/// <summary>
/// One call, as it is recorded for good. Everything that Ciyuan knows about the call's quantities is here; prices,
/// charges and statistics are derived. The time of recording is that of the frame that holds the record.
/// </summary>
public sealed class UsageRecord
{
    /// <summary>Most steps in one count (10¹⁵): a bound far above any call, which keeps a price times a count in
    /// range.</summary>
    public const long MaxSteps = 1_000_000_000_000_000;

    /// <summary>Most characters in an id or in a part of the context.</summary>
    public const int MaxNameLength = 256;

    /// <summary>Most counts in one record: one for each meter, grades included, is far less.</summary>
    public const int MaxCounts = 64;

    /// <summary>Most tags on one record.</summary>
    public const int MaxTags = 32;

    /// <summary>The id that its source gave it: unique within <see cref="UsageContext.Source"/>, 1 to 256
    /// characters.</summary>
    public required string Id { get; init; }

    /// <summary>Who, what, where, for what.</summary>
    public required UsageContext Context { get; init; }

    /// <summary>When the call was processed; prices in force at this moment apply.</summary>
    public required Timestamp EventTime { get; init; }

    /// <summary>How it ended.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>Time to the end of the answer in milliseconds; null when unknown.</summary>
    public int? LatencyMs { get; init; }

    /// <summary>The counts, sorted by meter, each meter at most once: disjoint classes by construction.</summary>
    public required Count[] Counts { get; init; }

    /// <summary>Labels, sorted by name, each name at most once.</summary>
    public Tag[] Tags { get; init; } = [];

    /// <summary>The hold that this usage settles; empty when none was placed.</summary>
    public string Hold { get; init; } = "";

    /// <summary>The same record in a context in which more is filled in.</summary>
    public UsageRecord In(UsageContext context) => new()
    {
        Id = Id,
        Context = context,
        EventTime = EventTime,
        Outcome = Outcome,
        LatencyMs = LatencyMs,
        Counts = Counts,
        Tags = Tags,
        Hold = Hold,
    };

    /// <summary>Sum over token classes of one direction.</summary>
    public long Tokens(Direction direction)
    {
        long sum = 0;
        foreach (Count count in Counts)
        {
            sum += count.Meter.IsTokens && count.Meter.TokenClass.Direction == direction ? count.Steps : 0;
        }

        return sum;
    }

    /// <summary>
    /// A 64-bit fingerprint of all content but the time of recording; two events with the same id and another
    /// fingerprint are in conflict.
    /// </summary>
    [SkipLocalsInit] // only the words written are read
    public ulong Fingerprint()
    {
        Span<ulong> words = stackalloc ulong[5 + (2 * MaxCounts) + MaxTags];
        int n = 0;
        unchecked
        {
            words[n++] = Context.Fingerprint;
            words[n++] = (ulong)EventTime.UnixNanoseconds;
            words[n++] = ((ulong)Outcome << 56) | ((ulong)(uint)Counts.Length << 48) | ((ulong)(uint)Tags.Length << 40)
                | (LatencyMs is { } ms ? (uint)ms + 1UL : 0);
            foreach (Count count in Counts)
            {
                words[n++] = ((ulong)count.Meter.Value << 8) | (ulong)count.Grade;
                words[n++] = (ulong)count.Steps;
            }

            foreach (Tag tag in Tags)
            {
                words[n++] = HashText(tag.Name) * 31 + HashText(tag.Value);
            }

            if (Hold.Length > 0)
            {
                words[n++] = HashText(Hold);
            }
        }

        return System.IO.Hashing.XxHash3.HashToUInt64(MemoryMarshal.AsBytes(words[..n]));
    }

    /// <summary>Why the record can't be accepted, or null when it can. The limits above, order, and no
    /// duplicate.</summary>
    public string? FindFault()
    {
        if (Id.Length is 0 or > MaxNameLength)
        {
            return $"id: must have 1 to {MaxNameLength} characters, has {Id.Length}";
        }

        if (Context.FindFault() is { } fault)
        {
            return fault;
        }

        if (!StoredText.IsText(Id) || !StoredText.IsText(Hold))
        {
            return "id or hold: has a zero character or half of a surrogate pair, and can't be stored";
        }

        if (Outcome > Outcome.Cut)
        {
            return $"outcome: there is none with number {(int)Outcome}";
        }

        if (Counts.Length > MaxCounts || Tags.Length > MaxTags || Hold.Length > MaxNameLength || LatencyMs < 0)
        {
            return $"at most {MaxCounts} counts, {MaxTags} tags, {MaxNameLength} characters in hold, and no negative "
                + "latency";
        }

        return FindFaultInCounts() ?? FindFaultInTags();
    }

    private string? FindFaultInCounts()
    {
        for (int i = 0; i < Counts.Length; i++)
        {
            if (Counts[i].Steps is < 0 or > MaxSteps)
            {
                return $"{Counts[i].Meter}: {Counts[i].Steps} is outside 0 to {MaxSteps}";
            }

            if (i > 0 && Counts[i].Meter <= Counts[i - 1].Meter)
            {
                return $"{Counts[i].Meter}: counted twice or out of order";
            }

            if (Counts[i].Grade > EvidenceGrade.Estimated)
            {
                return $"{Counts[i].Meter}: there is no evidence grade with number {(int)Counts[i].Grade}";
            }
        }

        return null;
    }

    private string? FindFaultInTags()
    {
        for (int i = 0; i < Tags.Length; i++)
        {
            if (Tags[i].Name.Length is 0 or > 64 || Tags[i].Value.Length > MaxNameLength)
            {
                return $"tag '{Tags[i].Name}': a name has 1 to 64 characters, a value at most {MaxNameLength}";
            }

            if (!StoredText.IsText(Tags[i].Name) || !StoredText.IsText(Tags[i].Value))
            {
                return $"tag {i + 1}: has a zero character or half of a surrogate pair, and can't be stored";
            }

            if (i > 0 && string.CompareOrdinal(Tags[i].Name, Tags[i - 1].Name) <= 0)
            {
                return $"tag '{Tags[i].Name}': given twice or out of order";
            }
        }

        return null;
    }

    private static ulong HashText(string text) =>
        System.IO.Hashing.XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text.AsSpan()));
}
