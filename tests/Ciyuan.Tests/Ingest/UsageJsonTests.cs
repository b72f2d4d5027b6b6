using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Ingest;

public sealed class UsageJsonTests
{
    private const string Full =
        """{"source":"gateway-1","id":"req-1","time":"2026-11-01T00:00:00Z","party":"acme","project":"chat","key":"k1","scenario":"support","model":"gpt-4o","model_answered":"gpt-4o-2024-08-06","provider":"openai","site":"sh-1","operation":"chat","outcome":"cut","latency_ms":812,"counts":{"output.text":88,"input.text":1000,"input.text.cache_read":"24"},"units":{"image":2,"second":"1.5"},"grade":"reported","grades":{"output.text":"exact"},"tags":{"team":"红","env":"prod"},"hold":"h1"}""";

    [Fact]
    public void TryParse_EveryField_IsTaken()
    {
        UsageRecord record = Parse(Full);
        Assert.Equal("req-1", record.Id);
        Assert.Equal(
            new UsageContext(
                "gateway-1", "acme", "chat", "k1", "support", "gpt-4o", "gpt-4o-2024-08-06", "openai", "sh-1", "chat"),
            record.Context);
        Assert.Equal("2026-11-01T00:00:00Z", record.EventTime.ToString());
        Assert.Equal((Outcome.Cut, 812, "h1"), (record.Outcome, record.LatencyMs, record.Hold));
        Assert.Equal(
            ["input.text.fresh 1000 Reported", "input.text.cache_read 24 Reported", "output.text.fresh 88 Exact",
                "image 2 Reported", "second 1500000 Reported"],
            record.Counts.Select(c => $"{c.Meter} {c.Steps} {c.Grade}"));
        Assert.Equal([new Tag("env", "prod"), new Tag("team", "红")], record.Tags);
    }

    [Fact]
    public void TryParse_SameContextTwice_IsOneInstance()
    {
        var parser = new UsageJson();
        Assert.True(parser.TryParse(Utf8(Full), out UsageRecord? first, out _));
        string escaped = Full.Replace("gateway-1", "gateway\\u002d1", StringComparison.Ordinal);
        Assert.True(parser.TryParse(Utf8(escaped), out UsageRecord? second, out _));
        Assert.Same(first!.Context, second!.Context);
    }

    [Theory]
    [InlineData("""{"source":"s","id":"i","time":"2026-11-01T00:00:00Z"}""", 0)]
    [InlineData(
        """  {"source":"s","id":"i","time":"2026-11-01T00:00:00Z","party":null,"counts":null,"latency_ms":null,"tags":{"a":null}} """, 0)]
    [InlineData(
        """{"source":"s","id":"i","time":"2026-11-01T00:00:00Z","counts":{"input.text":0,"output.code.reasoning":1000000000000000}}""", 2)]
    [InlineData(
        """{"source":"s","id":"i","time":"2026-11-01T00:00:00Z","units":{"second":0.000001,"image":"2.000","cache_token_hour":1000000000.0000000}}""", 3)]
    public void TryParse_AtTheEdge_IsAccepted(string json, int counts) =>
        Assert.Equal(counts, Parse(json).Counts.Length);

    [Theory]
    [InlineData("response", "application/vnd.ciyuan.response+json")]
    [InlineData("events", "application/vnd.ciyuan.response+json")]
    [InlineData("team", "put it under tags")]
    public void TryParse_FieldOfSomethingElse_SaysWhereItBelongs(string field, string advice)
    {
        string json = $$"""{"source":"s","id":"i","time":"2026-11-01T00:00:00Z","{{field}}":{ } }""";
        Assert.False(new UsageJson().TryParse(Utf8(json), out _, out IngestFault fault));
        Assert.Equal((IngestCode.UnknownField, field), (fault.Code, fault.Field));
        Assert.Contains(advice, fault.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "not_json", "")]
    [InlineData("[]", "not_json", "")]
    [InlineData("17", "not_json", "")]
    [InlineData("""{"source":"s","id":"i","time":"2026-11-01T00:00:00Z"} {}""", "not_json", "")]
    [InlineData("""{"source":"s","id":"i","time":"2026-11-01T00:00:00Z",}""", "not_json", "")]
    [InlineData("""{"source":"s","id":"i","time":"2026-11-01T00:00:00Z" /**/}""", "not_json", "")]
    [InlineData("""{"source":"s","id":"i""", "not_json", "")]
    [InlineData("""{"source":"\ud800","id":"i","time":"2026-11-01T00:00:00Z"}""", "not_json", "")]
    [InlineData("""{"tags":{"a":{"b":1}}}""", "not_json", "")]
    [InlineData("""{"id":"i","time":"2026-11-01T00:00:00Z"}""", "missing", "source")]
    [InlineData("""{"source":"s","time":"2026-11-01T00:00:00Z"}""", "missing", "id")]
    [InlineData("""{"source":"s","id":null,"time":"2026-11-01T00:00:00Z"}""", "missing", "id")]
    [InlineData("""{"source":"s","id":"i"}""", "missing", "time")]
    [InlineData("""{"source":"s","id":"i","time":null}""", "missing", "time")]
    [InlineData("""{"source":"s","id":"i","time":1793491200}""", "bad_value", "time")]
    [InlineData("""{"source":"s","id":"i","time":"2026-11-01"}""", "bad_value", "time")]
    [InlineData("""{"source":"s","id":"i","time":"2026-02-29T00:00:00Z"}""", "bad_value", "time")]
    [InlineData("""{"x_note":1}""", "unknown_field", "x_note")]
    [InlineData("""{"Source":"s"}""", "unknown_field", "Source")]
    [InlineData("""{"tokens":5}""", "unknown_field", "tokens")]
    [InlineData("""{"source":"s","source":"s"}""", "duplicate", "source")]
    [InlineData("""{"source":"s","sourc\u0065":"s"}""", "duplicate", "source")]
    [InlineData("""{"source":null,"source":"s"}""", "duplicate", "source")]
    [InlineData("""{"counts":{},"counts":{}}""", "duplicate", "counts")]
    [InlineData("""{"counts":{"input.text":1,"input.text.fresh":1}}""", "duplicate", "input.text.fresh")]
    [InlineData("""{"counts":{"input.text":1,"input.text":1}}""", "duplicate", "input.text.fresh")]
    [InlineData("""{"counts":{"input":1}}""", "unknown_field", "counts.input")]
    [InlineData("""{"counts":{"image":1}}""", "unknown_field", "counts.image")]
    [InlineData("""{"units":{"input.text":1}}""", "unknown_field", "units.input.text")]
    [InlineData("""{"counts":{"input.text":-1}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":{"input.text":1.5}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":{"input.text":1e3}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":{"input.text":"+1"}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":{"input.text":""}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":{"input.text":1000000000000001}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":{"input.text":99999999999999999999999}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":{"input.text":true}}""", "bad_value", "counts.input.text")]
    [InlineData("""{"counts":[1]}""", "bad_value", "counts")]
    [InlineData("""{"units":{"second":0.0000001}}""", "bad_value", "units.second")]
    [InlineData("""{"units":{"second":1000000000.000001}}""", "bad_value", "units.second")]
    [InlineData("""{"units":{"image":0.5}}""", "bad_value", "units.image")]
    [InlineData("""{"grade":"sure"}""", "bad_value", "grade")]
    [InlineData("""{"grades":{"input.text":"sure"}}""", "bad_value", "grades.input.text")]
    [InlineData(
        """{"grades":{"input.text":"exact","input.text.fresh":"exact"}}""", "duplicate", "grades.input.text.fresh")]
    [InlineData(
        """{"source":"s","id":"i","time":"2026-11-01T00:00:00Z","grades":{"input.text":"exact"}}""", "bad_value",
            "grades.input.text.fresh")]
    [InlineData("""{"outcome":"OK"}""", "bad_value", "outcome")]
    [InlineData("""{"latency_ms":-1}""", "bad_value", "latency_ms")]
    [InlineData("""{"latency_ms":1.5}""", "bad_value", "latency_ms")]
    [InlineData("""{"latency_ms":"812"}""", "bad_value", "latency_ms")]
    [InlineData("""{"latency_ms":2147483648}""", "bad_value", "latency_ms")]
    [InlineData("""{"party":5}""", "bad_value", "party")]
    [InlineData("""{"party":{"id":"a"}}""", "bad_value", "party")]
    [InlineData("""{"id":"a\u0000b"}""", "bad_value", "id")]
    [InlineData("""{"source":"a\u0000b","id":"i","time":"2026-11-01T00:00:00Z"}""", "bad_value", "source")]
    [InlineData("""{"tags":{"a":1}}""", "bad_value", "tags.a")]
    [InlineData("""{"tags":{"a":"1","\u0061":"2"}}""", "duplicate", "tags.a")]
    [InlineData("""{"source":"s","id":"i","time":"2026-11-01T00:00:00Z","tags":{"":"2"}}""", "limit", "tag ''")]
    public void TryParse_Wrong_IsRefusedNamingTheField(string json, string code, string field)
    {
        bool done = new UsageJson().TryParse(Utf8(json), out UsageRecord? record, out IngestFault fault);
        Assert.False(done);
        Assert.Null(record);
        Assert.Equal((code, field), (fault.CodeName, fault.Field));
        Assert.NotEmpty(fault.Reason);
    }

    [Theory]
    [InlineData("id", 256, true)]
    [InlineData("id", 257, false)]
    [InlineData("party", 256, true)]
    [InlineData("party", 257, false)]
    [InlineData("party", 2000, false)]
    [InlineData("hold", 257, false)]
    public void TryParse_LongName_IsTakenUpToTheLimit(string field, int length, bool accepted)
    {
        var names = new Dictionary<string, string>
        {
            ["source"] = "s",
            ["id"] = "i",
            [field] = new string('词', length),
        };
        string fields = string.Join(',', names.Select(n => $"\"{n.Key}\":\"{n.Value}\""));
        string json = $"{{\"time\":\"2026-11-01T00:00:00Z\",{fields}}}";
        Assert.Equal(accepted, new UsageJson().TryParse(Utf8(json), out _, out IngestFault fault));
        Assert.Equal(accepted ? "none" : "limit", fault.CodeName);
    }

    [Fact]
    public void TryParse_BytesThatAreNotUtf8_AreRefused()
    {
        byte[] json = Utf8(Full);
        json[Full.IndexOf("acme", StringComparison.Ordinal)] = 0xff;
        Assert.False(new UsageJson().TryParse(json, out _, out IngestFault fault));
        Assert.Equal(("bad_value", "party"), (fault.CodeName, fault.Field));
    }

    [Fact]
    public void TryParse_MoreThanTheLargestSize_IsRefused()
    {
        Assert.False(
            new UsageJson().TryParse(Utf8(Full + new string(' ', UsageJson.MaxBytes)), out _, out IngestFault fault));
        Assert.Equal("too_long", fault.CodeName);
    }

    [Fact]
    public void TryParse_AfterARefusal_KnowsNothingOfIt()
    {
        var parser = new UsageJson();
        Assert.False(
            parser.TryParse(
                """{"id":"old","hold":"old","tags":{"old":"1"},"counts":{"input.text":9,"no":1}}"""u8, out _, out _));
        Assert.True(
            parser.TryParse(
                """{"source":"s","id":"i","time":"2026-11-01T00:00:00Z"}"""u8, out UsageRecord? record, out _));
        Assert.Equal(("i", "", 0, 0), (record!.Id, record.Hold, record.Counts.Length, record.Tags.Length));
    }

    [Fact]
    public void TryParse_WhatToJsonWrote_IsTheSameRecord()
    {
        var random = new Random(20261123);
        var parser = new UsageJson();
        for (int i = 0; i < 5_000; i++)
        {
            UsageRecord record = RandomRecords.Make(random);
            byte[] json = RandomRecords.ToJson(record, random);
            Assert.True(
                parser.TryParse(json, out UsageRecord? read, out IngestFault fault), fault
                    + Encoding.UTF8.GetString(json));
            Assert.Equal((record.Id, record.Context, record.EventTime, record.Outcome, record.LatencyMs, record.Hold),
                (read!.Id, read.Context, read.EventTime, read.Outcome, read.LatencyMs, read.Hold));
            Assert.Equal(record.Counts, read.Counts);
            Assert.Equal(record.Tags, read.Tags);
            Assert.Equal(record.Fingerprint(), read.Fingerprint());
        }
    }

    [Fact]
    public void TryParse_AnyByteChanged_NeverThrows()
    {
        var random = new Random(7);
        var parser = new UsageJson();
        byte[] json = Utf8(Full);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] broken = (byte[])json.Clone();
            broken[random.Next(broken.Length)] = (byte)random.Next(256);
            refused += parser.TryParse(
                broken.AsSpan(0, random.Next(4) == 0 ? random.Next(broken.Length) : broken.Length), out _, out _)
                ? 0 : 1;
        }

        Assert.InRange(refused, 5_000, 19_999);
    }

    private static UsageRecord Parse(string json) =>
        new UsageJson().TryParse(Utf8(json), out UsageRecord? record, out IngestFault fault)
            ? record!
            : throw new Xunit.Sdk.XunitException(fault.ToString());

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
