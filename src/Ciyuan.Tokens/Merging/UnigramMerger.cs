using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// The segmentation with the highest sum of scores. A character that is no entry may stand alone, at ten below the
/// lowest score, and becomes its byte tokens, or the unknown token. Of equal sums the one found first stays: entries
/// that begin earlier, then shorter ones.
/// </summary>
internal sealed unsafe class UnigramMerger : PieceMerger
{
    private const double UnknownPenalty = 10;
    private readonly Vocabulary _vocabulary;
    private readonly TokenIndex _index;
    private readonly UnknownCharacters _unknown;
    private readonly double _unknownScore;

    internal UnigramMerger(Vocabulary vocabulary, TokenIndex index)
    {
        _vocabulary = vocabulary;
        _index = index;
        _unknown = new UnknownCharacters(vocabulary);
        Seams = new Seams(vocabulary);
        double lowest = 0;
        for (int id = 0; id <= vocabulary.MaxId; id++)
        {
            lowest = vocabulary.KindOf(id) == EntryKind.Normal ? Math.Min(lowest, vocabulary.ScoreOf(id)) : lowest;
        }

        _unknownScore = lowest - UnknownPenalty;
    }

    internal override Seams Seams { get; }

    internal override bool JoinsUnknown => _unknown.Fuse;

    internal override long NativeBytes => _index.NativeBytes + Seams.NativeBytes;

    public override void Dispose()
    {
        _index.Dispose();
        Seams.Dispose();
    }

    internal override int Count(byte* at, int length, bool part, MergeRoom room)
    {
        Step* steps = Find(at, length, room);
        int count = 0;
        bool unknown = false;
        for (int place = 0; place < length; place = steps[place].Next)
        {
            count += _unknown.Count(steps[place].Id, steps[place].Next - place, ref unknown);
        }

        room.Trim();
        return count;
    }

    internal override void Encode(byte* at, int length, MergeRoom room, List<int> ids)
    {
        Step* steps = Find(at, length, room);
        bool unknown = false;
        for (int place = 0; place < length; place = steps[place].Next)
        {
            _unknown.Add(at + place, steps[place].Id, steps[place].Next - place, ids, ref unknown);
        }

        room.Trim();
    }

    /// <summary>The best way: from each place that it passes, the next place and the entry between.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Step* Find(byte* at, int length, MergeRoom room)
    {
        Step* steps = (Step*)room.Rent((nuint)(length + 1) * (nuint)sizeof(Step));
        for (int place = 0; place <= length; place++)
        {
            steps[place] = new Step { Before = -1 };
        }

        steps[0].Before = 0;
        for (int place = 0; place < length;)
        {
            if (steps[place].Before >= 0)
            {
                Offer(at, place, length, steps);
            }

            place += Utf8Reader.Length(at[place]);
        }

        // Backwards the way is known; each place on it is told what comes after it.
        for (int place = length; place > 0; place = steps[place].Before)
        {
            Step* before = steps + steps[place].Before;
            before->Next = place;
            before->Id = steps[place].Reached;
        }

        return steps;
    }

    /// <summary>Offers what can begin at a place to where it ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Offer(byte* at, int place, int length, Step* steps)
    {
        int character = Utf8Reader.Length(at[place]);
        bool single = false;
        int most = Math.Min(_index.MaxLength, length - place);
        for (int size = character; size <= most;)
        {
            int id = _index.Find(at + place, size);
            if (id != TokenIndex.None && _vocabulary.KindOf(id) == EntryKind.Normal)
            {
                steps[place + size].Offer(place, steps[place].Score + _vocabulary.ScoreOf(id), id);
                single |= size == character;
            }

            size += place + size < length ? Utf8Reader.Length(at[place + size]) : 1;
        }

        if (!single)
        {
            steps[place + character].Offer(place, steps[place].Score + _unknownScore, -1);
        }
    }

    private struct Step
    {
        internal double Score;
        internal int Before;
        internal int Reached;
        internal int Next;
        internal int Id;

        internal void Offer(int from, double score, int id)
        {
            if (Before < 0 || score > Score)
            {
                (Before, Score, Reached) = (from, score, id);
            }
        }
    }
}
