using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// For byte-level models that lack single bytes (Falcon lacks some control characters). Without an unknown token such
/// a byte is left out before anything merges, so what was around it may; else it becomes that token, of which several
/// in a row may be one.
/// </summary>
internal sealed unsafe class KnownBytesMerger : PieceMerger
{
    private readonly PieceMerger _merger;
    private readonly bool[] _isMissing;
    private readonly int _unknown;
    private readonly bool _fuses;

    private KnownBytesMerger(PieceMerger merger, Vocabulary vocabulary, bool[] isMissing)
    {
        _merger = merger;
        _isMissing = isMissing;
        _unknown = vocabulary.UnknownId;
        _fuses = vocabulary.FuseUnknown;
    }

    internal override Seams Seams => _merger.Seams;

    /// <summary>Where a byte is left out, a token may reach over a place that no token else reaches over.</summary>
    internal override bool JoinsUnknown => true;

    internal override long NativeBytes => _merger.NativeBytes;

    public override void Dispose() => _merger.Dispose();

    /// <summary>The merger itself where each byte that text can have is an entry.</summary>
    internal static PieceMerger Around(PieceMerger merger, Vocabulary vocabulary)
    {
        bool[] isMissing = [.. Enumerable.Range(0, 256).Select(value => vocabulary.ByteId((byte)value) < 0)];
        for (int value = 0; value < 0xF5; value++)
        {
            if (isMissing[value] && value is not (0xC0 or 0xC1)) // no UTF-8 has these two, nor what is above 0xF4
            {
                return new KnownBytesMerger(merger, vocabulary, isMissing);
            }
        }

        return merger;
    }

    internal override int Count(byte* at, int length, bool part, MergeRoom room)
    {
        if (IsWhole(at, length))
        {
            return _merger.Count(at, length, part, room);
        }

        List<int> ids = [];
        Encode(at, length, room, ids);
        return ids.Count;
    }

    internal override void Encode(byte* at, int length, MergeRoom room, List<int> ids)
    {
        if (IsWhole(at, length))
        {
            _merger.Encode(at, length, room, ids);
            return;
        }

        byte[] known = new byte[length + TokenIndex.Slack];
        int size = 0;
        fixed (byte* start = known)
        {
            bool isAfter = false;
            for (int i = 0; i <= length; i++)
            {
                bool isKnown = i < length && !_isMissing[at[i]];
                if (isKnown)
                {
                    start[size++] = at[i];
                }
                else if (size > 0 && (_unknown >= 0 || i == length))
                {
                    _merger.Encode(start, size, room, ids);
                    size = 0;
                }

                if (!isKnown && i < length && _unknown >= 0 && !(isAfter && _fuses))
                {
                    ids.Add(_unknown);
                }

                isAfter = !isKnown;
            }
        }
    }

    private bool IsWhole(byte* at, int length)
    {
        for (int i = 0; i < length; i++)
        {
            if (_isMissing[at[i]])
            {
                return false;
            }
        }

        return true;
    }
}
