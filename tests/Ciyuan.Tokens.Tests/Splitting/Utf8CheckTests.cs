using System.Text;
using System.Text.Unicode;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Tests.Splitting;

/// <summary>The check of 64 bytes at once says what the library says character by character.</summary>
public sealed class Utf8CheckTests
{
    private static readonly byte[] Ends = [0x41, 0x80, 0x90, 0xBF, 0xC3];

    [Theory]
    [InlineData("a")]
    [InlineData("é")]
    [InlineData("中")]
    [InlineData("😀")]
    public void IsValid_AnyTwoBytesAndMore_IsAsTheLibrarySays(string around)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(around, 400 / around.Length)));
        int size = Encoding.UTF8.GetByteCount(around);
        for (int first = 0x80; first < 0x100; first++)
        {
            for (int second = 0; second < 0x100; second++)
            {
                byte third = Ends[(first + second) % Ends.Length];
                foreach (byte fourth in Ends)
                {
                    byte[] altered = [.. text];
                    int place = (((first * 131) + (second * 7) + fourth) % 60 * size) + (second % 2);
                    byte[] four = [(byte)first, (byte)second, third, fourth];
                    four.AsSpan(0, 2 + (fourth % 3)).CopyTo(altered.AsSpan(place));
                    AssertSame(altered);
                }
            }
        }
    }

    [Fact]
    public void IsValid_CutAnywhereOrOneByteChanged_IsAsTheLibrarySays()
    {
        var random = new Random(7);
        string text = string.Concat(Enumerable.Repeat("Ein Wort, 一个词元；ё😀 — ", 30));
        byte[] whole = Encoding.UTF8.GetBytes(text);
        for (int round = 0; round < 20_000; round++)
        {
            int start = random.Next(200);
            byte[] part = whole[start..random.Next(start + 1, whole.Length)];
            AssertSame(part);
            part[random.Next(part.Length)] = (byte)random.Next(256);
            AssertSame(part);
        }
    }

    private static unsafe void AssertSame(byte[] bytes)
    {
        fixed (byte* start = bytes)
        {
            Assert.True(
                Utf8.IsValid(bytes) == Utf8Check.IsValid(start, start + bytes.Length), Convert.ToHexString(bytes));
        }
    }
}
