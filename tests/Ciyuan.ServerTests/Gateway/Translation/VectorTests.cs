using System.Text.Json.Nodes;
using Ciyuan.Parties;
using Ciyuan.Server.Gateway.Translation;
using static Ciyuan.ServerTests.Gateway.Translation.Translating;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>
/// Calls and answers written by hand in the words of each protocol (<c>requests.json</c>, <c>answers.json</c>): each is
/// translated in all six directions, but for those that a vector leaves out.
/// </summary>
public sealed class VectorTests
{
    public static TheoryData<string, string> Requests => Directions("requests.json");

    public static TheoryData<string, string> Answers => Directions("answers.json");

    [Theory]
    [MemberData(nameof(Requests))]
    public void Call_InAnotherProtocol_SaysTheSame(string name, string direction)
    {
        JsonObject vector = Vectors("requests.json").Single(v => v["case"]!.ToString() == name);
        (UpstreamProtocol from, UpstreamProtocol to) = Parse(direction);
        Exchange exchange = Read(from, vector[NameOf(from)]!.ToJsonString());
        if (vector["refused"]?[direction] is { } field)
        {
            var refused = Assert.Throws<UncarriedException>(() => Write(to, exchange));
            Assert.Contains($"'{field}'", refused.Message);
            return;
        }

        string written = Write(to, exchange);

        AssertSame((vector[direction] ?? vector[NameOf(to)])!.ToJsonString(), written);
        string[] dropped = [.. (vector["dropped"]?[direction]?.AsArray() ?? []).Select(d => d!.ToString())];
        Assert.Equal(dropped, exchange.Dropped);
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answer_InAnotherProtocol_SaysTheSame(string name, string direction)
    {
        JsonObject vector = Vectors("answers.json").Single(v => v["case"]!.ToString() == name);
        (UpstreamProtocol from, UpstreamProtocol to) = Parse(direction);

        string written = Answer(from, to, vector[NameOf(from)]!.ToJsonString());

        AssertSame(vector[NameOf(to)]!.ToJsonString(), written);
    }

    [Fact]
    public void Vectors_CoverAllSixDirections()
    {
        foreach (TheoryData<string, string> data in (TheoryData<string, string>[])[Requests, Answers])
        {
            Assert.Equal(6, data.Select(row => (string)row[1]).Distinct().Count());
        }
    }

    // A direction is there when the vector has both sides, or its own words for it.
    private static TheoryData<string, string> Directions(string file)
    {
        var rows = new TheoryData<string, string>();
        foreach (JsonObject vector in Vectors(file))
        {
            foreach (UpstreamProtocol from in Protocols)
            {
                foreach (UpstreamProtocol to in Protocols.Where(to => to != from))
                {
                    string direction = $"{NameOf(from)}>{NameOf(to)}";
                    bool isThere = vector[NameOf(from)] is not null
                        && (vector[NameOf(to)] ?? vector[direction] ?? vector["refused"]?[direction]) is not null;
                    bool isMeant = vector["only"] is null or JsonValue
                        ? vector["only"] is null || vector["only"]!.ToString() == direction
                        : Names(vector["only"]).Contains(direction);
                    if (isThere && isMeant && !Names(vector["not"]).Contains(direction))
                    {
                        rows.Add(vector["case"]!.ToString(), direction);
                    }
                }
            }
        }

        return rows;
    }

    private static IEnumerable<string> Names(JsonNode? list) => (list?.AsArray() ?? []).Select(n => n!.ToString());

    private static (UpstreamProtocol From, UpstreamProtocol To) Parse(string direction)
    {
        string[] names = direction.Split('>');
        return (Protocols.Single(p => NameOf(p) == names[0]), Protocols.Single(p => NameOf(p) == names[1]));
    }
}
