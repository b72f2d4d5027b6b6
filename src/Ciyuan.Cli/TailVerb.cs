using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ciyuan.Server;
using Ciyuan.Server.Render;

namespace Ciyuan.Cli;

/// <summary>A call as a running server tells it.</summary>
internal sealed record TailCall(
    string Time, string Record, string KeyPrefix, string Key, string Party, string Scenario, string Model,
    string Outcome, int Status, string Grade, long InputTokens, long OutputTokens, string Cost, string Currency,
    long LatencyMs);

/// <summary>How a call is read.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TailCall))]
internal sealed partial class TailJson : JsonSerializerContext;

/// <summary><c>ciyuan tail</c>: calls through a running server's gateway, a line as each ends. Without colours and
/// without moving the cursor, so that it can be piped.</summary>
internal static class TailVerb
{
    private const string Header =
        "time          key         model                     scenario        in      out  cost              ms  end";

    private const string CsvHeader =
        "time,key,model,scenario,input_tokens,output_tokens,cost,currency,latency_ms,outcome,grade,record";

    private static readonly string[] Filters =
        ["party", "project", "key", "scenario", "model", "upstream", "outcome"];

    internal static Command Make()
    {
        var url = new Option<string>("--url")
        {
            Description = "The server",
            DefaultValueFactory = _ => ServerOptions.DefaultListen,
            HelpName = "URL",
        };
        var tokenFile = new Option<string?>("--token-file")
        {
            Description = $"File with the server's token; or the variable {AccessToken.Variable}",
            HelpName = "FILE",
        };
        var count = new Option<int?>("--count")
        {
            Description = "End after so many calls",
            HelpName = "N",
        };
        Option<string?>[] filters = [.. Filters.Select(name => new Option<string?>("--" + name)
        {
            Description = $"Only calls with this {name}; * stands for anything",
            HelpName = "PATTERN",
        })];
        var command = new Command("tail", "Show calls through a running server's gateway as they end")
        {
            url, tokenFile, count,
        };
        Array.ForEach(filters, command.Options.Add);
        return command.Runs(async (parsed, context, cancel) =>
        {
            string query = string.Join('&', filters.Zip(Filters)
                .Where(f => parsed.GetValue(f.First) is not null)
                .Select(f => $"{f.Second}={Uri.EscapeDataString(parsed.GetValue(f.First)!)}"));
            string? token = AccessToken.Find(parsed.GetValue(tokenFile), Environment.GetEnvironmentVariable);
            using HttpClient client = Open(parsed.GetValue(url)!, token);
            return await RunAsync(
                client, query, context.Format, parsed.GetValue(count) ?? int.MaxValue, Console.Out, cancel);
        });
    }

    /// <summary>Shows calls until the server ends, so many are shown, or it is interrupted.</summary>
    internal static async Task<int> RunAsync(
        HttpClient client, string query, OutputFormat format, int count, TextWriter output, CancellationToken cancel)
    {
        using HttpResponseMessage answer = await SendAsync(client, query, cancel);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(cancel));
        if (format != OutputFormat.Json)
        {
            await output.WriteLineAsync(format == OutputFormat.Csv ? CsvHeader : Header);
        }

        string name = "";
        for (int shown = 0; shown < count && await lines.ReadLineAsync(cancel) is { } line;)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line[7..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                if (name == "lost")
                {
                    VerbContext.Say($"{line[6..]} calls came faster than they could be shown, and are left out");
                }
                else
                {
                    await output.WriteLineAsync(format == OutputFormat.Json ? line[6..] : Show(line[6..], format));
                    await output.FlushAsync(cancel);
                    shown++;
                }

                name = "";
            }
        }

        return Verb.Done;
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string query, CancellationToken cancel)
    {
        try
        {
            HttpResponseMessage answer = await client.GetAsync(
                new Uri("/v1/calls/live" + (query.Length > 0 ? "?" + query : ""), UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead, cancel);
            return answer.StatusCode == HttpStatusCode.OK
                ? answer
                : throw new RefusedException(
                    $"the server answers {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancel)}");
        }
        catch (HttpRequestException gone)
        {
            throw new RefusedException(
                $"no server answers at {client.BaseAddress}: {gone.Message}. Start one with `ciyuan serve`.");
        }
    }

    private static string Show(string json, OutputFormat format)
    {
        TailCall call = JsonSerializer.Deserialize(json, TailJson.Default.TailCall)!;
        string key = call.KeyPrefix.Length > 0 ? call.KeyPrefix : call.Key;
        string end = call.Outcome == "refused"
            ? string.Create(CultureInfo.InvariantCulture, $"refused {call.Status}")
            : $"{call.Outcome} {call.Grade}".TrimEnd();
        return format == OutputFormat.Csv
            ? string.Create(CultureInfo.InvariantCulture,
                $"{call.Time},{key},{Quote(call.Model)},{Quote(call.Scenario)},{call.InputTokens},"
                + $"{call.OutputTokens},{call.Cost},{call.Currency},{call.LatencyMs},{call.Outcome},{call.Grade},"
                + $"{call.Record}")
            : string.Create(CultureInfo.InvariantCulture,
                $"{TimeOf(call.Time),-12}  {Cut(key, 10),-10}  {Cut(call.Model, 24),-24}  {Cut(call.Scenario, 12),-12}"
                + $"  {call.InputTokens,6}  {call.OutputTokens,7}  {call.Cost + " " + call.Currency,-14}  "
                + $"{call.LatencyMs,6}  {end}");
    }

    // 2026-11-25T08:00:00.123456789Z: the day is known to whoever watches.
    private static string TimeOf(string time)
    {
        string clock = time[(time.IndexOf('T', StringComparison.Ordinal) + 1)..].TrimEnd('Z');
        return clock.Length > 12 ? clock[..12] : clock;
    }

    private static string Cut(string text, int most) => text.Length <= most ? text : text[..(most - 1)] + "…";

    private static string Quote(string text) =>
        text.AsSpan().IndexOfAny(',', '"', '\n') < 0 ? text : $"\"{text.Replace("\"", "\"\"")}\"";

    private static HttpClient Open(string url, string? token)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? server) || server.Scheme is not ("http" or "https"))
        {
            throw new WrongUsageException($"--url: '{url}' is no address such as {ServerOptions.DefaultListen}");
        }

        var client = new HttpClient { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return client;
    }
}
