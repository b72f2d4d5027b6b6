using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ciyuan.Counting;
using Ciyuan.Tests.Tidy;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Counting;

/// <summary>Worked examples of every convention, from the providers' public pages; and what holds for all of
/// them.</summary>
public sealed class VectorTests
{
    [Fact]
    public void Vector_Read_GivesWhatIsWorkedOut()
    {
        List<string> faults = [];
        foreach (Vector vector in Vector.All)
        {
            faults.AddRange(vector.Differences(vector.Read()).Where(d => d.Length > 0).Select(d =>
                $"{vector.Name}: {d}"));
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public void ReaderFile_Any_HasVectorsForEachOfItsReaders()
    {
        string[] files = [.. Repository.SourcesUnder("src/Ciyuan.Engine/Counting/Readers/")
            .Select(f => Path.GetFileNameWithoutExtension(f)!)];

        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.True(Vector.All.Count(v => v.File == file) >= 3,
            $"{file} has fewer than 3 vectors"));
        Assert.Equal(Vector.All.Select(v => v.File).Distinct().Except(files), []);
    }

    [Fact]
    public void Page_OfReaders_HasARowForEach()
    {
        string page = Repository.Read("docs/READERS.md");

        Assert.All(UsageReaders.All, reader => Assert.Contains($"`{reader}`", page, StringComparison.Ordinal));
        Assert.Equal(UsageReaders.All.Count, UsageReaders.All.Select(r => r.ToString()).Distinct().Count());
    }

    [Fact]
    public void Find_ByName_IsExactAndNeverByAccident()
    {
        Assert.Equal("anthropic/messages", UsageReaders.Find("Anthropic", "")!.ToString());
        Assert.Equal("bedrock/converse", UsageReaders.Find("aws", "default")!.ToString());
        Assert.Null(UsageReaders.Find("open", "chat"));
        Assert.Null(UsageReaders.Find("openai", "chatty"));
        Assert.Null(UsageReaders.Find("", ""));
        Assert.Contains("chat", UsageReaders.FlavoursOf("openai"));
    }

    // Whatever becomes of a number, it is never taken silently for something that it is not.
    [Theory]
    [InlineData("-1")]
    [InlineData("1000000000000001")]
    [InlineData("1e30")]
    [InlineData("1e-3")]
    [InlineData("1.5")]
    [InlineData("\"12\"")]
    [InlineData("\"NaN\"")]
    [InlineData("true")]
    [InlineData("[1]")]
    [InlineData("{}")]
    public void Number_MadeWrong_IsRefusedOrFound(string wrong)
    {
        List<string> faults = [];
        foreach (Vector vector in Vector.All.Where(v => v.Body is not null && !v.IsRefused))
        {
            UsageReading sound = vector.Read();
            string[] name = vector.Reader.Split('/');
            UsageReader reader = UsageReaders.Find(name[0], name[1])!;
            foreach ((string path, string body) in Spoil(vector.Body!.Value, wrong))
            {
                UsageReading reading = reader.Read(Encoding.UTF8.GetBytes(body));
                bool isSame = Whole(reading).SequenceEqual(Whole(sound));
                if (!isSame && reading.Refusal is null && reading.Findings.All(sound.Findings.Contains))
                {
                    faults.Add($"{vector.Name} {path}: {string.Join(' ', reading.Counts)}");
                }

                Assert.All(reading.Counts, c => Assert.InRange(c.Steps, 0, UsageRecord.MaxSteps));
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public void Body_CutAnywhere_IsRefusedAsNoJson()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Vector.All[0].Body!.Value.GetRawText());
        UsageReader reader = UsageReaders.Find("openai", "chat")!;
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Equal(FindingCode.NotJson, reader.Read(whole.AsMemory(0, length)).Refusal!.Code);
        }
    }

    // A whole response, and the same as the only event of a stream that ends, are read alike.
    [Fact]
    public void Body_AsOneEvent_IsReadAlike()
    {
        foreach (Vector vector in Vector.All.Where(v => v.Body is not null && !v.IsRefused
            && v.Body.Value.TryGetProperty("usage", out _)))
        {
            string[] name = vector.Reader.Split('/');
            StreamReading stream = UsageReaders.Find(name[0], name[1])!.OpenStream(
                new ReadingOptions(vector.Name.EndsWith("declared", StringComparison.Ordinal)
                    && vector.File == "Anthropic"
                    ? CachePlace.Within : CachePlace.ByConvention));
            stream.Add(vector.Body!.Value);
            stream.Add("[DONE]"u8);

            Assert.Equal(vector.Read().Counts, stream.Finish().Counts);
        }
    }

    [Fact]
    public void Detect_ByShape_FindsTheConvention()
    {
        foreach (Vector vector in Vector.All.Where(v => v.Body is not null && !v.IsRefused))
        {
            if (UsageReaders.Detect(vector.Body!.Value) is not { } found
                || vector.File is "Relay" or "Perplexity" or "XAi"
                || vector.Reader is "doubao/images" or "volcengine/video" or "bedrock/invoke")
            {
                continue; // no shape of its own
            }

            Assert.True(
                found.Read(vector.Body.Value).Tokens(Direction.Input) == vector.Read().Tokens(Direction.Input)
                || vector.Reader is "cohere/tokens" || vector.Name.Contains("another convention",
                    StringComparison.Ordinal)
                || vector.Name.EndsWith("declared", StringComparison.Ordinal), $"{vector.Name} as {found}");
        }
    }

    // Counts of what comes in whole units; seconds may have decimals.
    private static IEnumerable<(Meter Meter, long Steps)> Whole(UsageReading reading) =>
        reading.Counts.Where(c => c.Meter.StepsPerUnit == 1).Select(c => (c.Meter, c.Steps));

    // The body with one number made wrong, for each number in it.
    private static IEnumerable<(string Path, string Body)> Spoil(JsonElement body, string wrong)
    {
        JsonNode root = JsonNode.Parse(body.GetRawText())!;
        foreach (JsonObject owner in Objects(root).ToArray())
        {
            foreach (string name in owner.Where(p => p.Value is JsonValue value
                && value.GetValueKind() == JsonValueKind.Number)
                .Select(p => p.Key).ToArray())
            {
                JsonNode sound = owner[name]!.DeepClone();
                owner[name] = JsonNode.Parse(wrong);
                yield return ($"{owner.GetPath()}.{name}", root.ToJsonString());
                owner[name] = sound;
            }
        }
    }

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(p => Objects(p.Value)).Prepend(o),
        JsonArray a => a.SelectMany(Objects),
        _ => [],
    };
}
