using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Ciyuan.Tokens.Media;

namespace Ciyuan.Tokens.Tests.Media;

public sealed class MediaProbeTests
{
    public static TheoryData<string> Expected => [.. Fixtures.Lines("probe-expected.txt")];

    [Theory]
    [MemberData(nameof(Expected))]
    public void Read_OfAFileMadeByARealTool_TellsWhatTheToolSays(string line)
    {
        string[] f = line.Split(' ');
        byte[] bytes = Fixtures.Bytes(f[0]);
        MediaFacts expected = new()
        {
            Kind = Enum.Parse<MediaKind>(f[1]),
            Format = f[2],
            Width = N(3),
            Height = N(4),
            Orientation = (int)N(5),
            Frames = N(6),
            FrameRate = N(7),
            FrameRateBase = N(8),
            DurationMicroseconds = N(9),
            HasSound = bool.Parse(f[10]),
            SampleRate = (int)N(11),
            Channels = (int)N(12),
            DurationIsEstimate = bool.Parse(f[13]),
        };

        Assert.Equal(expected, MediaProbe.Read(bytes).Facts);
        Assert.Equal(expected, MediaProbe.Read(new MemoryStream(bytes)).Facts);
        Assert.Equal(expected, MediaProbe.Read(new SlowStream(bytes, bytes.Length)).Facts);

        long N(int i) => long.Parse(f[i], CultureInfo.InvariantCulture);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Read_OfDamagedFiles_AlwaysEndsWithFactsOrAReason()
    {
        int many = Environment.GetEnvironmentVariable("CIYUAN_FUZZ") is null ? 60 : 3000;
        Random random = new(11);
        foreach (string name in Fixtures.Lines("probe-expected.txt").Select(l => l.Split(' ')[0]))
        {
            byte[] bytes = Fixtures.Bytes(name);
            for (int cut = 0; cut < bytes.Length; cut++)
            {
                AssertSane(bytes.AsMemory(0, cut));
            }

            for (int i = 0; i < Math.Min(bytes.Length, many * 5); i++)
            {
                byte[] flipped = [.. bytes];
                flipped[i] ^= (byte)(1 << random.Next(8));
                AssertSane(flipped);
                flipped[i] = (byte)(i % 2 == 0 ? 0xFF : 0);
                AssertSane(flipped);
            }

            for (int i = 0; i < many; i++)
            {
                byte[] wild = [.. bytes];
                random.NextBytes(wild.AsSpan(random.Next(bytes.Length))[..1]);
                int at = random.Next(Math.Max(1, Math.Min(wild.Length, 300) - 4));
                wild.AsSpan(at, Math.Min(4, wild.Length - at)).Fill((byte)(random.Next(2) * 255));
                AssertSane(wild);
            }
        }
    }

    [Fact]
    public void Read_OfNoise_SaysThatItIsUnknown()
    {
        Random random = new(12);
        for (int i = 0; i < 2000; i++)
        {
            byte[] noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            AssertSane(noise);
        }

        Assert.Equal("the file is empty", MediaProbe.Read(ReadOnlyMemory<byte>.Empty).Reason);
        Assert.Contains("no format", MediaProbe.Read("plain text"u8.ToArray()).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FFD8FF", 8)]
    [InlineData("474946383961", 7)]
    [InlineData("1A45DFA3", 7)]
    [InlineData("49443304", 8)]
    [InlineData("255044462D", 7)]
    [InlineData("0000000066747970", 5)]
    [InlineData("52494646FFFFFFFF57454250", 7)]
    [InlineData("89504E470D0A1A0A", 8)]
    public void Read_OfAnEndlessFile_ReadsNoMoreThanItsLimit(string head, int seed)
    {
        byte[] start = new byte[100_000];
        new Random(seed).NextBytes(start);
        Convert.FromHexString(head).CopyTo(start, 0);

        MediaProbeResult result = MediaProbe.Read(new SlowStream(start, 1L << 40));

        Assert.InRange(result.BytesRead, 1, MediaProbe.MaxBytesRead + 4096);
        Assert.True(result.Facts is not null || result.Reason.Length > 0);
    }

    [Fact]
    public void Read_OfEveryKindOfJpegFrame_FindsTheSize()
    {
        foreach (int marker in Enumerable.Range(0xC0, 16))
        {
            byte[] jpeg =
            [
                0xFF, 0xD8, 0xFF, 0xFF, 0xFE, 0, 4, 1, 2, // a remark, after a filling byte
                0xFF, (byte)marker, 0, 11, 8, 0x01, 0x02, 0x03, 0x04, 1, 1, 0x11, 0, 0xFF, 0xD9,
            ];
            MediaFacts? facts = MediaProbe.Read(jpeg).Facts;

            if (marker is 0xC4 or 0xC8 or 0xCC)
            {
                Assert.Null(facts);
            }
            else
            {
                Assert.Equal((0x0304, 0x0102), (facts!.Width, facts.Height));
            }
        }
    }

    [Fact]
    public void Read_OfABitmapFromTheTop_TurnsTheHeight()
    {
        byte[] bmp = new byte[54];
        "BM"u8.CopyTo(bmp);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(18), 7);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(22), -9);
        Assert.Equal(9, MediaProbe.Read(bmp).Facts!.Height);

        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(22), int.MinValue);
        Assert.Equal(1L << 31, MediaProbe.Read(bmp).Facts!.Height);
        Assert.Equal(
            MediaStatus.BadFacts, MediaRules.Default.Count("gpt-4o", MediaProbe.Read(bmp).Facts!).Status);
    }

    [Fact]
    public void Read_OfAnEmptyPicture_SaysWhy()
    {
        byte[] png = Fixtures.Bytes("still.png");
        png.AsSpan(16, 4).Clear();

        MediaProbeResult result = MediaProbe.Read(png);

        Assert.Null(result.Facts);
        Assert.Equal("png: the size is 0×457", result.Reason);
    }

    [Fact]
    public void Read_OfDocuments_CountsPagesInPlainSightAndPacked()
    {
        string plain = "%PDF-1.4\n1 0 obj<</Type /Pages /Kids [2 0 R] /Count 3>>endobj\n"
            + "5 0 obj<</Type /Outlines /Count 99>>endobj\n2 0 obj<</Type/Page /Parent 1 0 R>>endobj";
        Assert.Equal(3, Pages(Encoding.ASCII.GetBytes(plain)));
        Assert.Equal(1, Pages("%PDF-1.4\n2 0 obj<</Type/Page>>endobj"u8.ToArray()));

        using MemoryStream packed = new();
        packed.Write("%PDF-1.5\n9 0 obj<</Type /ObjStm /N 2 /Filter /FlateDecode>>stream\n"u8);
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write("1 0 2 50 <</Count 41 /Type/Pages /Kids []>> <</Type /Page>>"u8);
        }

        packed.Write("\nendstream endobj"u8);
        Assert.Equal(41, Pages(packed.ToArray()));
        Assert.Equal(0, Pages("%PDF-1.5\nnothing"u8.ToArray()));

        static long Pages(byte[] file) => MediaProbe.Read(file).Facts!.Pages;
    }

    [Fact]
    public void Read_OfAStreamThatCannotSeek_Throws()
    {
        using GZipStream stream = new(new MemoryStream(), CompressionMode.Decompress);

        Assert.Throws<ArgumentException>(() => MediaProbe.Read(stream));
    }

    [Fact]
    public void Count_OfWhatWasProbed_IsAsForToldFacts()
    {
        MediaFacts picture = MediaProbe.Read(Fixtures.Bytes("still.png")).Facts!;
        MediaFacts sound = MediaProbe.Read(Fixtures.Bytes("cbr-info.mp3")).Facts!;

        Assert.Equal(5 * 17, MediaRules.Default.Count("claude-opus-5", picture).Tokens);
        Assert.Equal(7, MediaRules.Default.Count("qwen2.5-omni", sound).Tokens); // 30 frames, 15, 7
    }

    private static void AssertSane(ReadOnlyMemory<byte> file)
    {
        MediaProbeResult result = MediaProbe.Read(file);

        Assert.True(result.Facts is not null || result.Reason.Length > 0);
        Assert.InRange(result.BytesRead, 0, MediaProbe.MaxBytesRead + 4096);
        if (result.Facts is { } facts)
        {
            MediaRule? rule = MediaRules.Default.Rules.FirstOrDefault(r => r.Kind == facts.Kind);
            Assert.True(rule is null || MediaRules.Count(rule, facts).Tokens >= 0);
        }
    }

    /// <summary>A stream of any length that gives one byte at a time: its first bytes, over and over.</summary>
    private sealed class SlowStream(byte[] start, long length) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            if (Position >= length || buffer.Length == 0)
            {
                return 0;
            }

            int count = length == start.Length ? 1 : buffer.Length;
            for (int i = 0; i < count; i++)
            {
                buffer[i] = start[Position % start.Length];
                Position++;
            }

            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
