using System.Globalization;
using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Xunit;

namespace Ciyuan.Tests.Ingest;

public sealed class Utf8TimeTests
{
    [Theory]
    [InlineData("1970-01-01T00:00:00Z", 0)]
    [InlineData("2000-02-29T12:34:56.789Z", 951_827_696_789_000_000)]
    [InlineData("2026-11-01T08:00:00.000000001+08:00", 1_793_491_200_000_000_001)]
    [InlineData("1969-12-31T23:59:59.5-00:00", -500_000_000)]
    public void TryParseRfc3339_Known_IsThatMoment(string text, long nanoseconds)
    {
        Assert.True(Utf8Time.TryParseRfc3339(Encoding.UTF8.GetBytes(text), out Timestamp time));
        Assert.Equal(nanoseconds, time.UnixNanoseconds);
    }

    [Fact]
    public void TryParseRfc3339_RandomTimesAndBrokenOnes_AgreesWithTimestamp()
    {
        var random = new Random(42);
        string[] zones = ["Z", "+00:00", "-05:30", "+14:00", "+18:00", "+18:01", "", "z", "+0800", "+08:60"];
        for (int i = 0; i < 20_000; i++)
        {
            string text = string.Create(CultureInfo.InvariantCulture,
                $"{random.Next(1650, 2300):D4}-{random.Next(0, 14):D2}-{random.Next(0, 33):D2}T{random.Next(0, 25):D2}:"
                + $"{random.Next(0, 61):D2}:{random.Next(0, 61):D2}");
            text += random.Next(2) == 0 ? "" : "." + new string('7', random.Next(0, 11));
            text += zones[random.Next(zones.Length)];
            bool expected = Timestamp.TryParse(text, out Timestamp known);
            Assert.True(expected == Utf8Time.TryParseRfc3339(Encoding.UTF8.GetBytes(text), out Timestamp time), text);
            Assert.Equal(known, time);
        }
    }
}
