using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Ciyuan.Quantities;

namespace Ciyuan.Reconciling;

/// <summary>
/// Lines of a bill by id, held compactly: some 150 bytes a line, ids included, so that a part of a bill of
/// <see cref="MostLines"/> lines takes some 160 MB. Not safe for several threads.
/// </summary>
internal sealed class BillTable
{
    /// <summary>Most lines at one time; a longer bill is gone through in several parts.</summary>
    internal const int MostLines = 1 << 20;

    private readonly Dictionary<UInt128, int> _slots = [];
    private readonly List<Slot> _ids = [];
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<string, int> _modelCodes = new(StringComparer.Ordinal);
    private readonly List<string> _models = [];
    private byte[] _text = new byte[1 << 16];
    private int _textUsed;

    /// <summary>Ids.</summary>
    internal int Count => _ids.Count;

    /// <summary>Lines.</summary>
    internal int Lines => _entries.Count;

    /// <summary>128 bits that stand for an id.</summary>
    internal static UInt128 Digest(string id) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(id.AsSpan()));

    internal void Add(UInt128 digest, BillLine line)
    {
        if (!_slots.TryGetValue(digest, out int slot))
        {
            _slots.Add(digest, slot = _ids.Count);
            (int start, int length) = Keep(line.Id);
            _ids.Add(new Slot { First = -1, Last = -1, Text = start, Length = length });
        }

        ref Slot at = ref CollectionsMarshal.AsSpan(_ids)[slot];
        int entry = _entries.Count;
        _entries.Add(new Entry
        {
            Class = line.Class,
            HasSteps = line.Steps is not null,
            Steps = (long)(line.Steps ?? 0),
            HasAmount = line.Amount is not null,
            Amount = line.Amount ?? Amount.Zero,
            HasTime = line.Time is not null,
            HasTimeOfDay = line.HasTimeOfDay,
            Time = line.Time?.UnixNanoseconds ?? 0,
            Model = CodeOf(line.Model),
            Next = -1,
        });
        if (at.Last >= 0)
        {
            CollectionsMarshal.AsSpan(_entries)[at.Last].Next = entry;
        }
        else
        {
            at.First = entry;
        }

        at.Last = entry;
    }

    /// <summary>The place of an id, or -1.</summary>
    internal int Find(UInt128 digest) => _slots.TryGetValue(digest, out int slot) ? slot : -1;

    internal bool IsMatched(int slot) => _ids[slot].Matched;

    internal bool IsKnown(int slot) => _ids[slot].Known;

    internal void SetMatched(int slot) => CollectionsMarshal.AsSpan(_ids)[slot].Matched = true;

    /// <summary>The call is recorded, though nothing is charged for it.</summary>
    internal void SetKnown(int slot) => CollectionsMarshal.AsSpan(_ids)[slot].Known = true;

    internal string IdOf(int slot) => Encoding.UTF8.GetString(_text, _ids[slot].Text, _ids[slot].Length);

    internal string ModelOf(int slot) => _models[_entries[_ids[slot].First].Model];

    internal (Timestamp Time, bool HasTimeOfDay)? TimeOf(int slot)
    {
        Entry first = _entries[_ids[slot].First];
        return first.HasTime ? (new Timestamp(first.Time), first.HasTimeOfDay) : null;
    }

    /// <summary>The lines of an id.</summary>
    internal List<SideSum> LinesOf(int slot)
    {
        var lines = new List<SideSum>();
        for (int at = _ids[slot].First; at >= 0; at = _entries[at].Next)
        {
            Entry e = _entries[at];
            lines.Add(new SideSum(e.Class, e.HasSteps ? e.Steps : null, e.HasAmount ? e.Amount : null));
        }

        return lines;
    }

    private (int Start, int Length) Keep(string id)
    {
        int most = Encoding.UTF8.GetMaxByteCount(id.Length);
        if (_text.Length - _textUsed < most)
        {
            Array.Resize(ref _text, (2 * _text.Length) + most);
        }

        int start = _textUsed;
        int length = Encoding.UTF8.GetBytes(id, _text.AsSpan(start));
        _textUsed += length;
        return (start, length);
    }

    private int CodeOf(string model)
    {
        if (!_modelCodes.TryGetValue(model, out int code))
        {
            _modelCodes.Add(model, code = _models.Count);
            _models.Add(model);
        }

        return code;
    }

    private struct Slot
    {
        public int First;
        public int Last;
        public int Text;
        public int Length;
        public bool Matched;
        public bool Known;
    }

    private struct Entry
    {
        public Amount Amount;
        public long Steps;
        public long Time;
        public BillClass Class;
        public int Model;
        public int Next;
        public bool HasSteps;
        public bool HasAmount;
        public bool HasTime;
        public bool HasTimeOfDay;
    }
}
