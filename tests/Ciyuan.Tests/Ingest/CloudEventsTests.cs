using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Ingest;

public sealed class CloudEventsTests
{
    private static readonly Timestamp Received = new(1_800_000_000_000_000_000);

    [Fact]
    public void TryParse_RecordInData_TakesEnvelopeAndData()
    {
        UsageRecord record = Parse(Event("""{"project":"chat","model":"gpt-4o","counts":{"input.text":5},"tags":{"a":"b"}}"""));
        Assert.Equal(("e1", "gw", "acme", "chat", "gpt-4o"),
            (record.Id, record.Context.Source, record.Context.Party, record.Context.Project, record.Context.ModelAsked));
        Assert.Equal("2026-11-01T00:00:00Z", record.EventTime.ToString());
        Assert.Equal(new Count(TokenClass.InputText, EvidenceGrade.Reported, 5), Assert.Single(record.Counts));
    }

    [Theory]
    [InlineData("""{"tokens":7,"type":"input","model":"m"}""", "input.text.fresh 7")]
    [InlineData("""{"tokens":"7","type":"system"}""", "input.text.fresh 7")]
    [InlineData("""{"tokens":7,"type":"output"}""", "output.text.fresh 7")]
    [InlineData("""{"tokens":7,"type":"completion"}""", "output.text.fresh 7")]
    [InlineData("""{"tokens":7,"type":"reasoning"}""", "output.text.reasoning 7")]
    [InlineData("""{"tokens":7,"type":"cached"}""", "input.text.cache_read 7")]
    [InlineData("""{"prompt_tokens":3,"completion_tokens":"4","total_tokens":7}""", "input.text.fresh 3,output.text.fresh 4")]
    [InlineData("""{"prompt_tokens":3}""", "input.text.fresh 3")]
    public void TryParse_ShortForm_CountsOneClassEach(string data, string counts) =>
        Assert.Equal(counts, string.Join(',', Parse(Event(data)).Counts.Select(c => $"{c.Meter} {c.Steps}")));

    [Theory]
    [InlineData("""{"tokens":7}""", "bad_value", "type")]
    [InlineData("""{"tokens":7,"type":"image"}""", "bad_value", "type")]
    [InlineData("""{"type":"input"}""", "missing", "tokens")]
    [InlineData("""{"total_tokens":7}""", "missing", "tokens")]
    [InlineData("""{"prompt_tokens":3,"completion_tokens":3,"total_tokens":7}""", "contradiction", "total_tokens")]
    [InlineData("""{"tokens":7,"type":"input","prompt_tokens":3}""", "contradiction", "tokens")]
    [InlineData("""{"tokens":7,"type":"input","counts":{"input.text":7}}""", "contradiction", "data")]
    [InlineData("""{"tokens":-7,"type":"input"}""", "bad_value", "data.tokens")]
    [InlineData("""{"model":"gpt-4o"}""", "unsupported", "data")]
    [InlineData("""{"counts":{},"price":1}""", "unknown_field", "data.price")]
    [InlineData("""{"counts":{},"source":"other"}""", "contradiction", "source")]
    [InlineData("""{"counts":{},"party":"other"}""", "contradiction", "party")]
    [InlineData("""{"counts":{},"id":"other"}""", "contradiction", "id")]
    [InlineData("""{"counts":{},"time":"2026-11-01T00:00:01Z"}""", "contradiction", "time")]
    [InlineData("""[1]""", "bad_value", "data")]
    public void TryParse_WrongData_IsRefused(string data, string code, string field) => AssertRefused(Event(data), code, field);

    [Theory]
    [InlineData("\"specversion\":\"1.0\"", "\"specversion\":\"0.3\"", "unsupported", "specversion")]
    [InlineData("\"specversion\":\"1.0\"", "\"specversion\":1.0", "bad_value", "specversion")]
    [InlineData("\"id\":\"e1\",", "", "missing", "id")]
    [InlineData("\"source\":\"gw\",", "", "missing", "source")]
    [InlineData("\"type\":\"usage\",", "", "missing", "type")]
    [InlineData("\"id\":\"e1\",", "\"id\":\"e1\",\"id\":\"e1\",", "duplicate", "id")]
    [InlineData("\"id\":\"e1\",", "\"id\":\"e1\",\"colour\":\"red\",", "unknown_field", "colour")]
    [InlineData("\"id\":\"e1\",", "\"id\":\"e1\",\"data_base64\":\"e30=\",", "unknown_field", "data_base64")]
    [InlineData("\"id\":\"e1\",", "\"id\":\"e1\",\"datacontenttype\":\"text/xml\",", "unsupported", "datacontenttype")]
    [InlineData(",\"data\":{\"counts\":{}}", "", "missing", "data")]
    [InlineData("2026-11-01T00:00:00Z", "yesterday", "bad_value", "time")]
    public void TryParse_WrongEnvelope_IsRefused(string part, string instead, string code, string field)
    {
        string json = Event("""{"counts":{}}""");
        Assert.Contains(part, json, StringComparison.Ordinal);
        AssertRefused(json.Replace(part, instead, StringComparison.Ordinal), code, field);
    }

    [Fact]
    public void TryParse_SameInEnvelopeAndData_IsAccepted() => Parse(Event(
        """{"counts":{},"id":"e1","source":"gw","party":"acme","time":"2026-11-01T08:00:00+08:00"}"""));

    [Fact]
    public void TryParse_TracingAttributes_AreAccepted() => Parse(Event("""{"counts":{}}""").Replace(
        "\"id\":", "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\",\"id\":", StringComparison.Ordinal));

    [Fact]
    public void TryParse_NoTime_IsTheReceiveTimeOrRefused()
    {
        byte[] json = Encoding.UTF8.GetBytes(Event("""{"counts":{}}""").Replace(
            "\"time\":\"2026-11-01T00:00:00Z\",", "", StringComparison.Ordinal));
        var events = new CloudEvents();
        Assert.True(events.TryParse(json, Received, out UsageRecord? record, out _));
        Assert.Equal(Received, record!.EventTime);
        Assert.False(events.TryParse(json, received: null, out _, out IngestFault fault));
        Assert.Equal(("missing", "time"), (fault.CodeName, fault.Field));
    }

    [Fact]
    public void TrySplit_Batch_FindsEachEvent()
    {
        string json = $" [ {Event("{}")} , 5,\n\"x\" ] ";
        var elements = new List<Range>();
        Assert.True(JsonBatch.TrySplit(Encoding.UTF8.GetBytes(json), 3, elements, out _));
        Assert.Equal([Event("{}"), "5", "\"x\""], elements.Select(range => json[range]));
    }

    [Theory]
    [InlineData("[1,2,3,4]", "too_long")]
    [InlineData("{}", "not_json")]
    [InlineData("[1,", "not_json")]
    [InlineData("[1] 2", "not_json")]
    [InlineData("", "not_json")]
    public void TrySplit_Wrong_IsRefused(string json, string code)
    {
        Assert.False(JsonBatch.TrySplit(Encoding.UTF8.GetBytes(json), 3, [], out IngestFault fault));
        Assert.Equal(code, fault.CodeName);
    }

    private static string Event(string data) =>
        $$"""{"specversion":"1.0","id":"e1","source":"gw","type":"usage","subject":"acme","time":"2026-11-01T00:00:00Z","data":{{data}}}""";

    private static UsageRecord Parse(string json) =>
        new CloudEvents().TryParse(Encoding.UTF8.GetBytes(json), Received, out UsageRecord? record, out IngestFault fault)
            ? record!
            : throw new Xunit.Sdk.XunitException(fault.ToString());

    private static void AssertRefused(string json, string code, string field)
    {
        Assert.False(new CloudEvents().TryParse(Encoding.UTF8.GetBytes(json), Received, out UsageRecord? record, out IngestFault fault));
        Assert.Null(record);
        Assert.Equal((code, field), (fault.CodeName, fault.Field));
    }
}
