using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ciyuan.Parties;
using Ciyuan.Server.Gateway.Translation;
using FsCheck;
using FsCheck.Fluent;
using static Ciyuan.ServerTests.Gateway.Translation.Translating;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>Laws: what two protocols both have survives the way there and back; nothing that comes in makes a fault of
/// another kind than a refusal.</summary>
public sealed class RoundTripTests
{
    private static readonly Gen<int[]> Choices = Gen.Choose(0, int.MaxValue - 1).ArrayOf(160);

    private static readonly string[] Words = ["a", "词元", "\"q\"", "\\", "\n", "😀", "{\"a\":1}", " ", "</x>", "\u2028"];

    private static readonly Config Fixed = Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(20261125UL, 1UL);

    private static void ForAll(Action<Dice> law) =>
        Prop.ForAll(Choices.ToArbitrary(), choices => law(new Dice(choices))).Check(Fixed);

    [Fact]
    [Trait("Takes", "Long")]
    public void Call_ThereAndBack_IsTheSame() => ForAll(dice =>
    {
        Exchange exchange = MakeExchange(dice);
        foreach (UpstreamProtocol first in Protocols)
        {
            string there = Write(first, exchange);
            foreach (UpstreamProtocol second in Protocols)
            {
                string between = Write(second, Read(first, there));
                AssertSame(there, Write(first, Read(second, between)));
            }
        }
    });

    [Fact]
    [Trait("Takes", "Long")]
    public void Call_WithAnyValueReplaced_IsCarriedOrRefused() => ForAll(dice =>
    {
        Exchange exchange = MakeExchange(dice);
        foreach (UpstreamProtocol from in Protocols)
        {
            JsonNode body = JsonNode.Parse(Write(from, exchange))!;
            Damage(body, dice);
            foreach (UpstreamProtocol to in Protocols)
            {
                try
                {
                    Exchange read = Read(from, body.ToJsonString());
                    JsonNode.Parse(Write(to, read));
                }
                catch (UncarriedException refused)
                {
                    Assert.NotEqual("", refused.Message);
                }
            }
        }
    });

    [Fact]
    public void Answer_WithAnyValueReplaced_IsCarriedOrAnError() => ForAll(dice =>
    {
        JsonObject[] vectors = Vectors("answers.json");
        JsonObject vector = vectors[dice.Roll(vectors.Length)];
        foreach (UpstreamProtocol from in Protocols.Where(p => vector[NameOf(p)] is not null))
        {
            JsonNode body = vector[NameOf(from)]!.DeepClone();
            Damage(body, dice);
            foreach (UpstreamProtocol to in Protocols)
            {
                JsonNode.Parse(Answer(from, to, body.ToJsonString()));
            }
        }
    });

    // Text in pieces of any length, over a connection that cuts where it likes, through two protocols: the same text.
    [Fact]
    [Trait("Takes", "Long")]
    public void Stream_OfAnyText_InAnyPieces_KeepsTheText() => ForAll(dice =>
    {
        string[] pieces = [.. Enumerable.Range(0, dice.Roll(20)).Select(_ => Words[dice.Roll(Words.Length)])];
        var stream = new StringBuilder();
        foreach (string piece in pieces)
        {
            stream.Append($"data: {{\"choices\":[{{\"delta\":{{\"content\":{JsonSerializer.Serialize(piece)}}}}}]}}")
                .Append(dice.Roll(3) switch { 0 => "\n\n", 1 => "\r\n\r\n", _ => "\r\r" });
        }

        stream.Append("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
        foreach (UpstreamProtocol to in (UpstreamProtocol[])[UpstreamProtocol.Anthropic, UpstreamProtocol.Gemini])
        {
            string there = Stream(
                UpstreamProtocol.OpenAI, to, Encoding.UTF8.GetBytes(stream.ToString()), 1 + dice.Roll(40));
            string back = Stream(to, UpstreamProtocol.OpenAI, Encoding.UTF8.GetBytes(there), 1 + dice.Roll(40));
            IEnumerable<JsonNode?> choices = EventsOf(back).Where(e => e.StartsWith('{'))
                .Select(e => JsonNode.Parse(e)!["choices"]!.AsArray().FirstOrDefault());
            string text = string.Concat(choices.Select(c => c?["delta"]?["content"]?.ToString()));
            Assert.Equal(string.Concat(pieces), text);
        }
    });

    [Fact]
    public void Id_WithProofs_GivesThemBack() => ForAll(dice =>
    {
        Signature[] proofs = [.. Enumerable.Range(0, dice.Roll(4)).Select(_ => new Signature(
            "argo"[dice.Roll(4)], string.Concat(Enumerable.Range(0, dice.Roll(9)).Select(_ => Words[dice.Roll(10)]))))];

        string id = CallIds.Pack("call_" + dice.Roll(1_000), proofs);

        Assert.Equal(id, CallIds.ForAnthropic(id));
        Assert.Equal(proofs, CallIds.Unpack(id).Signatures);
        if (proofs.Length > 0)
        {
            string wrapped = CallIds.Wrap(proofs);
            Assert.Equal(proofs, CallIds.Unwrap(wrapped));
            Assert.Equal(proofs, CallIds.Unwrap(wrapped.Replace('+', '-').Replace('/', '_').TrimEnd('=')));
        }
    });

    [Theory]
    [InlineData("call_1__cy")]
    [InlineData("call_1__cya")]
    [InlineData("call_1__cya9_U0lH")]
    [InlineData("call_1__cyaa_U0lH")]
    [InlineData("call_1__cya4_!!!!")]
    public void Id_ThatOnlyLooksLikeOneWithProofs_StaysAnId(string id) =>
        Assert.Equal((id, 0), (CallIds.Unpack(id).Id, CallIds.Unpack(id).Signatures.Length));

    private static Exchange MakeExchange(Dice dice)
    {
        var exchange = new Exchange();
        if (dice.Roll(2) == 0)
        {
            exchange.System.Add(new TextPart("", Text(dice)));
        }

        for (int turn = 0, calls = 0; turn < 1 + dice.Roll(4); turn++)
        {
            exchange.Add(Speaker.User, new TextPart("", Text(dice)));
            if (dice.Roll(3) == 0)
            {
                exchange.Add(Speaker.User, new MediaPart(
                    "", MediaKind.Image, "image/png", Encoding.ASCII.GetBytes("iVBO+/8="), IsAddress: false));
            }

            exchange.Add(Speaker.Model, new TextPart("", Text(dice)));
            int first = calls;
            for (int more = dice.Roll(3); more > 0; more--)
            {
                string arguments = JsonSerializer.Serialize(new Dictionary<string, string> { ["k"] = Text(dice) });
                exchange.Add(Speaker.Model, new CallPart("", $"call_{calls++}", $"f{dice.Roll(2)}", arguments));
            }

            CallPart[] made = [.. exchange.Turns[^1].Parts.OfType<CallPart>()];
            foreach (CallPart call in made)
            {
                exchange.Add(Speaker.User, new ResultPart(
                    "", call.Id, call.Name, [new TextPart("", Text(dice))], IsError: false));
            }
        }

        AddSettings(exchange, dice);
        return exchange;
    }

    private static void AddSettings(Exchange exchange, Dice dice)
    {
        if (dice.Roll(2) == 0)
        {
            exchange.Tools.Add(new ToolSpec("", "f0", Text(dice), "{\"type\":\"object\"}", null));
            exchange.Tools.Add(new ToolSpec("", "f1", "", "{\"type\":\"object\",\"properties\":{}}", null));
            exchange.Choice = dice.Roll(4) switch
            {
                0 => new(new ToolChoice(ToolChoiceKind.None), ""),
                1 => new(new ToolChoice(ToolChoiceKind.Any), ""),
                2 => new(new ToolChoice(ToolChoiceKind.Named, "f1"), ""),
                _ => new(new ToolChoice(ToolChoiceKind.Auto), ""),
            };
        }

        exchange.MostOutput = dice.Roll(2) == 0 ? new(dice.Roll(10_000), "") : null;
        exchange.Temperature = dice.Roll(2) == 0 ? new(dice.Roll(101) / 100.0, "") : null;
        exchange.TopP = dice.Roll(2) == 0 ? new(dice.Roll(101) / 100.0, "") : null;
        exchange.Stops = dice.Roll(2) == 0 ? new([Text(dice), "x"], "") : null;
    }

    private static string Text(Dice dice) =>
        "t" + string.Concat(Enumerable.Range(0, dice.Roll(4)).Select(_ => Words[dice.Roll(Words.Length)]));

    /// <summary>Puts something else in the place of one value.</summary>
    private static void Damage(JsonNode body, Dice dice)
    {
        JsonNode at = body;
        while (true)
        {
            JsonNode?[] inner = at switch
            {
                JsonObject fields => [.. fields.Select(f => f.Value)],
                JsonArray items => [.. items],
                _ => [],
            };
            JsonNode? next = inner.Length == 0 ? null : inner[dice.Roll(inner.Length)];
            if (next is null || (dice.Roll(4) == 0 && at != body))
            {
                break;
            }

            at = next;
        }

        if (at != body)
        {
            at.ReplaceWith(Other(dice));
        }
    }

    private static JsonNode? Other(Dice dice) => dice.Roll(8) switch
    {
        0 => null,
        1 => JsonValue.Create(-1),
        2 => JsonValue.Create(1e300),
        3 => JsonValue.Create("x"),
        4 => new JsonArray(),
        5 => new JsonObject(),
        6 => new JsonArray(new JsonObject { ["type"] = "text" }, JsonValue.Create(true)),
        _ => JsonValue.Create(false),
    };

    /// <summary>Choices one after the other.</summary>
    private sealed class Dice(int[] choices)
    {
        private int _next;

        internal int Roll(int sides) => choices.Length == 0 ? 0 : choices[_next++ % choices.Length] % sides;
    }
}
