using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;

namespace Ciyuan.Tests.Journal;

/// <summary>A history in memory. Frames are kept as bytes and decoded at each reading, so the codec is always at
/// work.</summary>
public sealed class MemoryHistory : IHistory
{
    private readonly Dictionary<UInt128, PastId> _ids = [];
    private readonly List<(Timestamp Time, byte[] Body)> _frames = [];
    private readonly FrameEncoder _encoder = new();

    public int Frames => _frames.Count;

    public int Ids => _ids.Count;

    /// <summary>How often a frame was read, whole or as columns.</summary>
    public int Reads { get; private set; }

    public bool TryFind(UInt128 digest, out PastId past) => _ids.TryGetValue(digest, out past);

    public void Add(UInt128 digest, PastId past) => _ids.Add(digest, past);

    public Frame ReadFrame(long seq)
    {
        Reads++;
        (Timestamp time, byte[] body) = _frames[(int)seq - 1];
        return FrameDecoder.Decode(0, seq, time, body);
    }

    public RecordedUsage ReadUsage(long seq)
    {
        Reads++;
        (Timestamp time, byte[] body) = _frames[(int)seq - 1];
        return FrameDecoder.DecodeUsage(0, seq, time, body);
    }

    public byte[] Body(long seq) => _frames[(int)seq - 1].Body;

    public byte[] Store(Frame frame)
    {
        Assert.Equal(_frames.Count + 1, frame.Seq);
        byte[] body = _encoder.Encode(frame).ToArray();
        _frames.Add((frame.Time, body));
        return body;
    }
}
