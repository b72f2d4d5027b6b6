using System.Text;
using Ciyuan.Server.Ingest;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Ingest;

/// <summary>Raw responses as they come in: envelopes, responses alone, and what is refused.</summary>
public sealed class ResponseJsonTests
{
    private const string Usage = """
        "usage":{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,
                 "prompt_tokens_details":{"cached_tokens":1920}}
        """;

    [Fact]
    public void Envelope_AroundAResponse_BecomesARecord()
    {
        UsageRecord record = Assert.Single(Parse($$$"""
            {"source":"gw","id":"1","time":"2026-11-01T00:00:00Z","party":"acme","key":"k1","provider":"openai",
             "flavour":"chat","model":"gpt-4o","latency_ms":812,"tags":{"env":"prod"},"hold":"h1",
             "response":{"id":"c1","model":"gpt-4o-2024-08-06","service_tier":"flex",
                         "choices":[{"finish_reason":"stop","message":{"content":"不要紧"}}],{{{Usage}}} }}
            """));

        Assert.Equal(("1", "gw", "acme", "k1", "openai"), (record.Id, record.Context.Source, record.Context.Party,
            record.Context.Key, record.Context.Provider));
        Assert.Equal(("gpt-4o", "gpt-4o-2024-08-06"), (record.Context.ModelAsked, record.Context.ModelAnswered));
        Assert.Equal((812, "h1", Outcome.Ok), (record.LatencyMs, record.Hold, record.Outcome));
        Assert.Equal("input.text.fresh=86 input.text.cache_read=1920 output.text.fresh=300", Counts(record));
        Assert.Equal("env=prod finish=stop service_tier=flex", Tags(record));
    }

    [Fact]
    public void Envelope_WithoutIdAndTime_TakesThoseOfTheResponse()
    {
        UsageRecord record = Assert.Single(Parse($$$"""
            {"source":"gw","provider":"openai","response":{"id":"c1","created":1793491200,{{{Usage}}} }}
            """));

        Assert.Equal(("c1", "2026-11-01T00:00:00Z"), (record.Id, record.EventTime.ToString()));
    }

    [Fact]
    public void Envelope_AroundEvents_IsGradedWhenTheyAreCut()
    {
        const string Start = """{"type":"message_start","message":{"id":"m","usage":{"input_tokens":472,"output_tokens":2}}}""";
        const string End = """{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":89}}""";

        UsageRecord whole = Assert.Single(Parse(Events(Start, End)));
        UsageRecord cut = Assert.Single(Parse(Events(Start)));

        Assert.Equal("input.text.fresh=472 output.text.fresh=89", Counts(whole));
        Assert.Equal(Outcome.Ok, whole.Outcome);
        Assert.Equal((Outcome.Cut, EvidenceGrade.Partial), (cut.Outcome, cut.Counts[0].Grade));
        Assert.Equal("findings=stream_cut", Tags(cut));
    }

    [Fact]
    public void Response_Alone_TakesTheRestFromConstants()
    {
        string alone = $$$"""{"id":"c1","created":1793491200,{{{Usage}}} }""";

        UsageRecord record = Assert.Single(
            Parse(alone, ("source", "export"), ("provider", "openai"), ("party", "acme"), ("tags.env", "prod")));

        Assert.Equal(("c1", "export", "acme"), (record.Id, record.Context.Source, record.Context.Party));
        Assert.Equal("env=prod", Tags(record));
        Assert.Equal(IngestCode.Missing, Refuse(alone).Code);
        Assert.Equal("source", Refuse(alone, ("provider", "openai")).Field);
    }

    [Fact]
    public void Response_WithUsageOfAnotherModel_BecomesTwoRecords()
    {
        List<UsageRecord> records = Parse("""
            {"source":"gw","id":"1","time":"2026-11-01T00:00:00Z","provider":"anthropic","hold":"h",
             "response":{"model":"claude-sonnet-5","usage":{"input_tokens":2482,"output_tokens":166,"iterations":[
               {"type":"advisor_message","model":"claude-fable-5","input_tokens":2564,"output_tokens":99}]}}}
            """);

        Assert.Equal(["1", "1#2"], records.Select(r => r.Id));
        Assert.Equal(["claude-sonnet-5", "claude-fable-5"], records.Select(r => r.Context.ModelAnswered));
        Assert.Equal(["h", ""], records.Select(r => r.Hold));
        Assert.Equal("input.text.fresh=2564 output.text.fresh=99", Counts(records[1]));
    }

    [Fact]
    public void Response_OfARelayThatSubtracted_IsDeclaredByLineOrForAll()
    {
        string line = $$$"""{"source":"gw","id":"1","time":"2026-11-01T00:00:00Z","provider":"openai","response":{ {{{Usage}}} }}""";

        UsageRecord byLine = Assert.Single(Parse(line.Replace("\"provider\"", "\"cache\":\"beside\",\"provider\"",
            StringComparison.Ordinal)));
        UsageRecord forAll = Assert.Single(Parse(line, ("cache", "beside")));

        Assert.Equal("input.text.fresh=2006 input.text.cache_read=1920 output.text.fresh=300", Counts(byLine));
        Assert.Equal(Counts(byLine), Counts(forAll));
        Assert.Equal("findings=total_differs", Tags(byLine));
        Assert.Equal(EvidenceGrade.Bounded, byLine.Counts[0].Grade);
    }

    [Fact]
    public void Api_Detect_FindsTheConventionOnlyWhenAsked()
    {
        const string Line = """{"source":"gw","id":"1","time":"2026-11-01T00:00:00Z","provider":"mine",{0}"response":{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1,"totalTokenCount":6}}}""";

        UsageRecord record = Assert.Single(Parse(Line.Replace("{0}", "\"api\":\"detect\",", StringComparison.Ordinal)));
        IngestFault fault = Refuse(Line.Replace("{0}", "", StringComparison.Ordinal));

        Assert.Equal(("mine", "input.text.fresh=5 output.text.fresh=1"), (record.Context.Provider, Counts(record)));
        Assert.Equal((IngestCode.Unsupported, "provider"), (fault.Code, fault.Field));
    }

    [Theory]
    [InlineData("""{"source":"gw","tiime":"x","provider":"openai","response":{}}""", IngestCode.UnknownField, "tiime")]
    [InlineData("""{"source":"gw","provider":"openai","counts":{},"response":{}}""", IngestCode.UnknownField, "counts")]
    [InlineData("""{"source":"gw","provider":"openai","response":{},"events":[]}""", IngestCode.Contradiction,
        "events")]
    [InlineData("""{"source":"gw","provider":"openai","response":5}""", IngestCode.BadValue, "response")]
    [InlineData("""{"source":"gw","provider":"openai","response":{},"response":{}}""", IngestCode.Duplicate,
        "response")]
    [InlineData("""{"source":"gw","source":"gw","provider":"openai","response":{}}""", IngestCode.Duplicate, "source")]
    [InlineData("""{"source":"gw","provider":"openai","flavour":"smoke","response":{}}""", IngestCode.Unsupported,
        "flavour")]
    [InlineData("""{"source":"gw","response":{}}""", IngestCode.Missing, "provider")]
    [InlineData("""{"source":"gw","provider":"openai","cache":"under","response":{}}""", IngestCode.BadValue, "cache")]
    [InlineData("""{"source":"gw","provider":"openai","response":{"usage":{"prompt_tokens":-1,"completion_tokens":1}}}""", IngestCode.BadValue, "usage.prompt_tokens")]
    [InlineData("""{"source":"gw","provider":"openai","response":{"usage":null}}""", IngestCode.Missing,
        "usage, response.usage, message.usage")]
    [InlineData("""{"source":"gw","provider":"openai","response":{"usage":{"prompt_tokens":1,"completion_tokens":1}}}""", IngestCode.Missing, "time")]
    [InlineData("""{"source":"gw",""", IngestCode.NotJson, "")]
    [InlineData("""[]""", IngestCode.NotJson, "")]
    [InlineData("""{"source":"gw","provider":"openai","response":{}} 1""", IngestCode.NotJson, "")]
    public void Line_AtFault_IsRefusedWithItsField(string line, IngestCode code, string field)
    {
        IngestFault fault = Refuse(line);

        Assert.Equal((code, field), (fault.Code, fault.Field));
    }

    [Fact]
    public void Envelope_WithAMisspeltField_IsNoResponseThoughConstantsAllowThem()
    {
        IngestFault fault = Refuse(
            $$$"""{"source":"gw","partyy":"acme","response":{ "id":"c1","created":1793491200,{{{Usage}}} }}""",
            ("provider", "openai"), ("source", "x"));

        Assert.Equal((IngestCode.UnknownField, "partyy"), (fault.Code, fault.Field));
    }

    [Theory]
    [InlineData("counts.input.text", "1")]
    [InlineData("id", "1")]
    [InlineData("cache", "under")]
    public void Constant_ThatIsNone_IsRefused(string name, string value) =>
        Assert.False(ResponseConstants.TryMake([new(name, value)], out _, out _));

    // Google's streams where nobody asks for server-sent events: an array of parts, each with the counts so far.
    private const string GoogleParts = """
        [{"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":1,"totalTokenCount":9},"responseId":"g1",
          "modelVersion":"gemini-2.5-flash"},
         {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":30,
          "totalTokenCount":38},"responseId":"g1","modelVersion":"gemini-2.5-flash"}]
        """;

    [Fact]
    public void Response_InParts_IsOneCallWithTheLastCounts()
    {
        UsageRecord wrapped = Assert.Single(Parse($$"""
            {"source":"gw","time":"2026-11-01T00:00:00Z","provider":"google","response":{{GoogleParts}} }
            """));
        UsageRecord alone = Assert.Single(Parse(
            GoogleParts, ("source", "gw"), ("provider", "google"), ("time", "2026-11-01T00:00:00Z")));
        foreach (UsageRecord record in (UsageRecord[])[wrapped, alone])
        {
            Assert.Equal("input.text.fresh=8 output.text.fresh=30", Counts(record));
            Assert.Equal(("g1", "gemini-2.5-flash", Outcome.Ok),
                (record.Id, record.Context.ModelAnswered, record.Outcome));
        }

        Assert.Equal(IngestCode.NotJson, Refuse(GoogleParts).Code);
    }

    [Fact]
    public void File_WithAnArray_HasAResponseForEachId()
    {
        string other = GoogleParts.Replace("g1", "g2", StringComparison.Ordinal);
        Assert.True(ResponseConstants.TryMake([new("provider", "google")], out ResponseConstants google, out _));
        byte[] file = Encoding.UTF8.GetBytes(
            $"{GoogleParts.TrimEnd().TrimEnd(']')},{other.TrimStart().TrimStart('[')}");
        Assert.Equal(
            ["g1", "g2"], ResponseFile.Read(file, isSse: false, google).Select(r => r.Response!.Reading.ResponseId));
        Assert.Equal(2, ResponseFile.Read(
            """[{"usageMetadata":{"promptTokenCount":8}},{"usageMetadata":{"promptTokenCount":8}}]"""u8, false, google)
            .Count);
    }

    private static string Events(params string[] events) =>
        $$$"""{"source":"gw","id":"1","time":"2026-11-01T00:00:00Z","provider":"anthropic","events":[{{{string.Join(',', events)}}}]}""";

    private static List<UsageRecord> Parse(string line, params (string Name, string Value)[] constants)
    {
        List<UsageRecord> records = [];
        Assert.True(Reader(constants).TryParse(Encoding.UTF8.GetBytes(line), records, out IngestFault fault),
            fault.ToString());
        return records;
    }

    private static IngestFault Refuse(string line, params (string Name, string Value)[] constants)
    {
        List<UsageRecord> records = [];
        Assert.False(Reader(constants).TryParse(Encoding.UTF8.GetBytes(line), records, out IngestFault fault));
        Assert.Empty(records);
        return fault;
    }

    private static ResponseJson Reader((string Name, string Value)[] constants)
    {
        Assert.True(ResponseConstants.TryMake(
            constants.Select(c => new KeyValuePair<string, string>(c.Name, c.Value)), out ResponseConstants made,
                out string? fault), fault);
        return new ResponseJson(made);
    }

    private static string Counts(UsageRecord record) => string.Join(' ', record.Counts.Select(c =>
        $"{c.Meter}={c.Steps}"));

    private static string Tags(UsageRecord record) => string.Join(' ', record.Tags.Select(t => $"{t.Name}={t.Value}"));
}
