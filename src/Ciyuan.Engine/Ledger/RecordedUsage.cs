using System.Buffers;
using System.Runtime.CompilerServices;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>A charge as a correction looks at it: plain when it was posted whole, by one posting or none.</summary>
/// <param name="Rate">Place of the rate in <see cref="RecordedUsage.Rates"/>.</param>
/// <param name="Debit">Place of the account debited in <see cref="RecordedUsage.Accounts"/>; or <see cref="None"/>, or
/// <see cref="NotPlain"/>.</param>
/// <param name="Credit">The same of the account credited.</param>
/// <param name="Amount">Amount in pico; 0 when not plain.</param>
public readonly record struct ChargeColumn(int Rate, int Debit, int Credit, long Amount)
{
    /// <summary>Stands for an account: nothing was posted, as the amount is zero.</summary>
    public const int None = -1;

    /// <summary>Stands for an account: several postings, a pack, suspense, or an amount beyond 63 bits. What they were
    /// is in the frame.</summary>
    public const int NotPlain = -2;
}

/// <summary>What is known of a record beside its numbers.</summary>
[Flags]
public enum RecordTraits : byte
{
    /// <summary>The two lowest bits are the <see cref="Outcome"/>.</summary>
    OutcomeMask = 3,

    /// <summary>It carries tags.</summary>
    Tagged = 4,

    /// <summary>It was posted, not kept aside.</summary>
    Posted = 8,
}

/// <summary>
/// A frame's records as columns: what a correction asks of them, without an object for each. Its arrays are rented from
/// the shared pool until it is disposed. Not safe for several threads.
/// </summary>
public sealed class RecordedUsage : IDisposable
{
    private readonly Column<int> _contexts = new();
    private readonly Column<long> _times = new();
    private readonly Column<RecordTraits> _traits = new();
    private readonly Column<(int First, int Length)> _countsOf = new();
    private readonly Column<(int First, int Length)> _chargesOf = new();
    private readonly Column<int> _heads = new();
    private readonly Column<long> _steps = new();
    private readonly Column<ChargeColumn> _charges = new();
    private readonly Column<(int First, int Length)> _tagsOf = new();
    private readonly Column<Tag> _tags = new();
    private int _firstCount;
    private int _firstTag;
    private int _firstCharge;
    private int _replaced;

    /// <summary>The texts that contexts are made of.</summary>
    public required string[] Texts { get; init; }

    /// <summary>Contexts: for each, its parts as places in <see cref="Texts"/>.</summary>
    public required int[] ContextParts { get; init; }

    /// <summary>Rates of the charges; more may be added by those who replace charges.</summary>
    public required List<Rate> Rates { get; init; }

    /// <summary>Accounts of the postings; likewise.</summary>
    public required List<AccountName> Accounts { get; init; }

    /// <summary>Number of records.</summary>
    public int Records => _contexts.Count;

    /// <summary>Number of contexts.</summary>
    public int Contexts => ContextParts.Length / UsageContext.Parts;

    /// <summary>Place of a record's context.</summary>
    public int ContextOf(int record) => _contexts[record];

    /// <summary>A record's event time.</summary>
    public Timestamp EventTime(int record) => new(_times[record]);

    /// <summary>What else is known of a record.</summary>
    public RecordTraits TraitsOf(int record) => _traits[record];

    /// <summary>What a record counted: meter · 8 + grade.</summary>
    public ReadOnlySpan<int> Heads(int record) => _heads.Span(_countsOf[record]);

    /// <summary>The steps of each.</summary>
    public ReadOnlySpan<long> Steps(int record) => _steps.Span(_countsOf[record]);

    /// <summary>A record's tags, in the order of their names.</summary>
    public ReadOnlySpan<Tag> Tags(int record) => _tags.Span(_tagsOf[record]);

    /// <summary>A record's charges.</summary>
    public ReadOnlySpan<ChargeColumn> Charges(int record) => _charges.Span(_chargesOf[record]);

    /// <summary>The columns of a frame in memory.</summary>
    public static RecordedUsage Of(IReadOnlyList<UsageRecord> records, IReadOnlyList<UsageResult> results)
    {
        var texts = new Numbered<string>(StringComparer.Ordinal);
        var contexts = new Numbered<UsageContext>(null);
        var rates = new Numbered<Rate>(ReferenceEqualityComparer.Instance);
        var accounts = new Numbered<AccountName>(ReferenceEqualityComparer.Instance);
        foreach (UsageRecord record in records)
        {
            contexts.Find(record.Context);
        }

        int[] parts = [.. contexts.Items.SelectMany(context =>
            Enumerable.Range(0, UsageContext.Parts).Select(part => texts.Find(context[part])))];
        var usage = new RecordedUsage
        {
            Texts = [.. texts.Items],
            ContextParts = parts,
            Rates = rates.Items,
            Accounts = accounts.Items,
        };
        for (int i = 0; i < records.Count; i++)
        {
            UsageRecord record = records[i];
            UsageResult result = results[i];
            usage.AddCounts(record);
            usage.AddCharges(result, rates, accounts);
            usage.AddRecord(
                contexts.Find(record.Context), record.EventTime, record.Outcome, result.Status == UsageStatus.Posted);
        }

        return usage;
    }

    private void AddCounts(UsageRecord record)
    {
        foreach (Count count in record.Counts)
        {
            AddCount((count.Meter.Value << 3) | (int)count.Grade, count.Steps);
        }

        foreach (Tag tag in record.Tags)
        {
            AddTag(tag);
        }
    }

    private void AddCharges(UsageResult result, Numbered<Rate> rates, Numbered<AccountName> accounts)
    {
        int next = 0;
        foreach (Charge charge in result.Charges)
        {
            ReadOnlySpan<Posting> own = result.Postings.AsSpan(next, charge.PostingCount);
            next += charge.PostingCount;
            bool posted = own.Length == 1;
            bool plain = charge.Covered is null && own.Length <= 1
                && charge.Amount.Pico == (posted ? own[0].Amount.Pico : 0);
            AddCharge(
                rates.Find(charge.Rate), plain, posted ? accounts.Find(own[0].Debit) : ChargeColumn.None,
                posted ? accounts.Find(own[0].Credit) : ChargeColumn.None, charge.Amount.Pico);
        }
    }

    /// <summary>Adds a count to the record under way.</summary>
    internal void AddCount(int head, long steps)
    {
        _heads.Add(head);
        _steps.Add(steps);
    }

    /// <summary>Adds a tag to the record under way.</summary>
    internal void AddTag(in Tag tag) => _tags.Add(tag);

    /// <summary>Adds a charge to the record under way.</summary>
    internal void AddCharge(int rate, bool plain, int debit, int credit, Int128 pico)
    {
        bool isPlain = plain && pico >= 0 && pico <= long.MaxValue && Rates[rate].Method != RateMethod.Suspense;
        _charges.Add(isPlain
            ? new ChargeColumn(rate, debit, credit, (long)pico)
            : new ChargeColumn(rate, ChargeColumn.NotPlain, ChargeColumn.NotPlain, 0));
    }

    /// <summary>Ends the record under way.</summary>
    internal void AddRecord(int context, Timestamp time, Outcome outcome, bool posted)
    {
        bool tagged = _tags.Count > _firstTag;
        _contexts.Add(context);
        _times.Add(time.UnixNanoseconds);
        _traits.Add((RecordTraits)outcome | (tagged ? RecordTraits.Tagged : 0) | (posted ? RecordTraits.Posted : 0));
        _countsOf.Add((_firstCount, _heads.Count - _firstCount));
        _chargesOf.Add((_firstCharge, _charges.Count - _firstCharge));
        _tagsOf.Add((_firstTag, _tags.Count - _firstTag));
        _firstCount = _heads.Count;
        _firstTag = _tags.Count;
        _firstCharge = _charges.Count;
    }

    /// <summary>Begins to give a record other charges, as a correction did: those it has, without those under some
    /// rates.</summary>
    /// <param name="record">The record.</param>
    /// <param name="goes">For each rate, whether charges under it go.</param>
    internal void BeginReplacing(int record, bool[] goes)
    {
        (int first, int length) = _chargesOf[record];
        _replaced = record;
        _chargesOf[record] = (_charges.Count, 0);
        for (int i = first; i < first + length; i++)
        {
            if (!goes[_charges[i].Rate])
            {
                AddReplacing(_charges[i]);
            }
        }
    }

    /// <summary>Adds a charge to the record whose charges are being replaced.</summary>
    internal void AddReplacing(in ChargeColumn charge)
    {
        _charges.Add(charge);
        (int first, int length) = _chargesOf[_replaced];
        _chargesOf[_replaced] = (first, length + 1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _contexts.Dispose();
        _times.Dispose();
        _traits.Dispose();
        _countsOf.Dispose();
        _chargesOf.Dispose();
        _heads.Dispose();
        _steps.Dispose();
        _charges.Dispose();
        _tagsOf.Dispose();
        _tags.Dispose();
    }

    /// <summary>Things by the number under which they were first met.</summary>
    private sealed class Numbered<T>(IEqualityComparer<T>? comparer)
        where T : notnull
    {
        private readonly Dictionary<T, int> _numbers = new(comparer);

        public List<T> Items { get; } = [];

        public int Find(T item)
        {
            if (!_numbers.TryGetValue(item, out int number))
            {
                _numbers.Add(item, number = Items.Count);
                Items.Add(item);
            }

            return number;
        }
    }

    /// <summary>A growing array of the shared pool.</summary>
    private sealed class Column<T> : IDisposable
        where T : struct
    {
        private T[] _items = ArrayPool<T>.Shared.Rent(2048);

        public int Count { get; private set; }

        public T this[int index]
        {
            get => index < Count ? _items[index] : throw new ArgumentOutOfRangeException(nameof(index));
            set => _items[index] = value;
        }

        public ReadOnlySpan<T> Span((int First, int Length) part) => _items.AsSpan(part.First, part.Length);

        public void Add(T item)
        {
            if (Count == _items.Length)
            {
                T[] larger = ArrayPool<T>.Shared.Rent(Count * 2);
                _items.AsSpan(0, Count).CopyTo(larger);
                Return();
                _items = larger;
            }

            _items[Count++] = item;
        }

        public void Dispose()
        {
            Return();
            (_items, Count) = ([], 0);
        }

        private void Return() =>
            ArrayPool<T>.Shared.Return(_items, RuntimeHelpers.IsReferenceOrContainsReferences<T>());
    }
}
