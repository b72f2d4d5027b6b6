using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// The body as it goes to an upstream of the caller's protocol: the caller's bytes, with three things changed where
/// they must be: the model's name, a limit of the answer that the hold needs, and the wish for usage in a stream.
/// </summary>
internal static class UpstreamBody
{
    /// <summary>Writes the body.</summary>
    /// <param name="route">What is asked for.</param>
    /// <param name="facts">What the body says.</param>
    /// <param name="body">The caller's bytes.</param>
    /// <param name="served">The model as the upstream serves it.</param>
    /// <param name="limit">Limit of the answer to put in; -1: none.</param>
    internal static ReadOnlyMemory<byte> Write(
        in CallRoute route, CallFacts facts, ReadOnlyMemory<byte> body, ServedModelSetup served, long limit)
    {
        var edits = new List<(BodySpan At, string Text)>();
        string name = served.As.Length > 0 ? served.As : served.Model;
        if (facts.ModelAt.IsThere && name != facts.Model)
        {
            string text = facts.RootAt.IsThere ? JsonEncodedText.Encode(name).ToString() : name;
            edits.Add((facts.ModelAt, text));
        }

        if (limit >= 0 && facts.RootAt.IsThere)
        {
            AddLimit(route, facts, served, limit, edits);
        }

        if (AddsUsage(route, facts))
        {
            AddUsage(facts, edits);
        }

        return edits.Count == 0 ? body : Apply(body.Span, edits);
    }

    /// <summary>Whether usage is asked for in the caller's place, and so taken out of the answer again.</summary>
    internal static bool AddsUsage(in CallRoute route, CallFacts facts) =>
        route.Protocol == UpstreamProtocol.OpenAI && route.Kind is CallKind.Chat or CallKind.Completions
        && facts.Streams && !facts.AsksForUsage;

    private static void AddLimit(
        in CallRoute route, CallFacts facts, ServedModelSetup served, long limit,
        List<(BodySpan At, string Text)> edits)
    {
        string number = limit.ToString(CultureInfo.InvariantCulture);
        if (facts.LimitNullAt.IsThere)
        {
            edits.Add((facts.LimitNullAt, number));
            return;
        }

        if (route.Protocol == UpstreamProtocol.Gemini)
        {
            edits.Add(facts.ConfigNullAt.IsThere ? (facts.ConfigNullAt, $"{{\"maxOutputTokens\":{number}}}")
                : facts.ConfigAt.IsThere
                    ? (facts.ConfigAt, $"\"maxOutputTokens\":{number}" + (facts.ConfigEmpty ? "" : ","))
                    : (facts.RootAt, $"\"generationConfig\":{{\"maxOutputTokens\":{number}}},"));
            return;
        }

        string field = route.Kind == CallKind.Responses ? "max_output_tokens"
            : served.LimitField.Length > 0 && route.Kind == CallKind.Chat ? served.LimitField
            : "max_tokens";
        edits.Add((facts.RootAt, $"\"{field}\":{number},"));
    }

    private static void AddUsage(CallFacts facts, List<(BodySpan At, string Text)> edits)
    {
        if (facts.IncludeUsageAt.IsThere)
        {
            edits.Add((facts.IncludeUsageAt, "true"));
        }
        else if (facts.StreamOptionsAt.IsThere)
        {
            edits.Add((facts.StreamOptionsAt, "\"include_usage\":true" + (facts.StreamOptionsEmpty ? "" : ",")));
        }
        else if (facts.StreamOptionsNullAt.IsThere)
        {
            edits.Add((facts.StreamOptionsNullAt, "{\"include_usage\":true}"));
        }
        else
        {
            edits.Add((facts.RootAt, "\"stream_options\":{\"include_usage\":true},"));
        }
    }

    private static byte[] Apply(ReadOnlySpan<byte> body, List<(BodySpan At, string Text)> edits)
    {
        var output = new ArrayBufferWriter<byte>(body.Length + 256);
        int from = 0;
        foreach ((BodySpan at, string text) in edits.OrderBy(e => e.At.Start)) // a stable sort
        {
            output.Write(body[from..at.Start]);
            Encoding.UTF8.GetBytes(text, output);
            from = at.Start + at.Length;
        }

        output.Write(body[from..]);
        return output.WrittenSpan.ToArray();
    }
}
