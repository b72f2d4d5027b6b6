using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Usage;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>
/// Usage and costs as OpenAI's organization endpoints give them, so that dashboards made for those can read us. Users
/// are consumers; costs are what consumers are charged. Of what the shape has and we don't (batch, service tier) the
/// values are null.
/// </summary>
internal sealed class OrganizationApi(Shard shard, ReadGate gate, TimeProvider time)
{
    private static readonly Dictionary<string, string[]> Operations = new()
    {
        ["embeddings"] = ["embeddings", "embedding"],
        ["images"] = ["image_generation", "image_edit", "images"],
        ["audio_speeches"] = ["speech"],
        ["audio_transcriptions"] = ["transcription"],
        ["moderations"] = ["moderation", "moderations"],
        ["vector_stores"] = ["vector_store", "vector_stores"],
        ["completions"] = [], // all others
    };

    private static readonly Dictionary<string, Dimension> Groups = new()
    {
        ["project_id"] = Dimension.Project,
        ["user_id"] = Dimension.Party,
        ["api_key_id"] = Dimension.Key,
        ["model"] = Dimension.Model,
    };

    /// <summary>GET /v1/organization/usage/{kind}</summary>
    internal IResult GetUsage(
        [Description("completions, embeddings, images, audio_speeches, audio_transcriptions, moderations or "
            + "vector_stores.")] string kind,
        [AsParameters] OrganizationParameters parameters, HttpRequest request)
    {
        if (!Operations.ContainsKey(kind))
        {
            return Problems.NotFound($"There is no usage of '{kind}': {string.Join(", ", Operations.Keys)}.");
        }

        (OrganizationParameters.Buckets? page, string? fault) = parameters.ReadBuckets(areCosts: false, Now());
        string[] groups = parameters.ReadGroups(request);
        string? unknown = groups.FirstOrDefault(g => !Groups.ContainsKey(g) && g is not ("batch" or "service_tier"));
        fault ??= unknown is null ? null : $"group_by: there is no '{unknown}'";
        return page is null || fault is not null
            ? Problems.Malformed(fault!)
            : gate.Run(null, () => Usage(kind, page, groups, parameters.ReadFilters(request)));
    }

    /// <summary>GET /v1/organization/costs</summary>
    internal IResult GetCosts([AsParameters] OrganizationParameters parameters, HttpRequest request)
    {
        (OrganizationParameters.Buckets? page, string? fault) = parameters.ReadBuckets(areCosts: true, Now());
        string[] groups = parameters.ReadGroups(request);
        string? unknown = groups.FirstOrDefault(g => g is not ("project_id" or "line_item" or "api_key_id"));
        fault ??= unknown is null ? null : $"group_by: there is no '{unknown}'";
        return page is null || fault is not null
            ? Problems.Malformed(fault!)
            : gate.Run(null, () => Costs(page, groups, parameters.ReadFilters(request)));
    }

    private Timestamp Now() => Timestamp.FromDateTimeOffset(time.GetUtcNow());

    private Rendering Usage(
        string kind, OrganizationParameters.Buckets page, string[] groups, List<Filter> filters)
    {
        Dimension[] by = [.. groups.Where(Groups.ContainsKey).Select(g => Groups[g])];
        var query = new ReportQuery
        {
            Period = page.Period,
            Bucket = page.Bucket,
            GroupBy = [.. by, Dimension.Operation],
            Filters = filters,
        };
        var rows = new SortedDictionary<string, UsageRow>(StringComparer.Ordinal);
        Report calls = shard.Facts.Run(query);
        foreach (ReportRow row in calls.Rows.Where(r => IsOf(kind, r.Key[^1])))
        {
            RowOf(rows, row).Calls += calls.Value(row, "calls");
        }

        Report counts = shard.Facts.Run(query with { GroupBy = [.. query.GroupBy, Dimension.Class] });
        foreach (ReportRow row in counts.Rows.Where(r => IsOf(kind, r.Key[^2])))
        {
            UsageRow into = RowOf(rows, row with { Key = [.. row.Key.Take(row.Key.Count - 1)] });
            if (Meter.TryParse(row.Key[^1], out Meter meter))
            {
                into.Add(meter, meter.IsTokens
                    ? counts.Value(row, "tokens_input") + counts.Value(row, "tokens_output")
                    : counts.Value(row, meter.ToString()));
            }
        }

        return Render(page, (json, start) =>
        {
            foreach (UsageRow row in rows.Values.Where(r => r.Start == start))
            {
                WriteUsage(json, kind, row, by);
            }
        });
    }

    private static bool IsOf(string kind, string operation) => kind == "completions"
        ? !Operations.Values.Any(names => names.Contains(operation))
        : Operations[kind].Contains(operation);

    private static UsageRow RowOf(SortedDictionary<string, UsageRow> rows, ReportRow row)
    {
        string[] key = [.. row.Key.Take(row.Key.Count - 1)]; // without the operation
        string name = string.Join('\n', key);
        if (!rows.TryGetValue(name, out UsageRow? found))
        {
            rows.Add(name, found = new UsageRow(StartOf(row.Key[0]), key[1..]));
        }

        return found;
    }

    private static long StartOf(string bucket) =>
        Timestamp.TryParse(bucket.Length == 10 ? $"{bucket}T00:00:00Z" : $"{bucket[..16]}:00Z", out Timestamp start)
            ? start.UnixNanoseconds / Timestamp.PerSecond
            : throw new InvalidOperationException($"'{bucket}' is no bucket.");

    private static void WriteUsage(Utf8JsonWriter json, string kind, UsageRow row, Dimension[] by)
    {
        json.WriteStartObject();
        json.WriteString("object", $"organization.usage.{kind}.result");
        foreach ((string name, Int128 value) in row.Figures(kind))
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value.ToString(CultureInfo.InvariantCulture));
        }

        json.WriteNumber("num_model_requests", (long)row.Calls);
        foreach ((string name, Dimension dimension) in Groups)
        {
            int at = Array.IndexOf(by, dimension);
            json.WriteString(name, at < 0 || row.Key[at] == Dimensions.None ? null : row.Key[at]);
        }

        json.WriteNull("batch");
        json.WriteNull("service_tier");
        json.WriteEndObject();
    }

    private Rendering Costs(OrganizationParameters.Buckets page, string[] groups, List<Filter> filters)
    {
        ChargeSheet sheet = shard.Facts.RunCharges(new ChargeQuery
        {
            Period = page.Period,
            Bucket = Bucket.Day,
            Keep = new HashSet<Dimension> { Dimension.Party, Dimension.Project, Dimension.Key, Dimension.Model },
        });
        string Of(string name, string value) => groups.Contains(name) ? value : "";
        var costs = sheet.Lines
            .Where(line => line.Terms.Side != Side.Cost)
            .Where(line => filters.TrueForAll(f => f.Matches(ValueOf(line, f.Dimension))))
            .GroupBy(line => (line.Start, line.Terms.Currency, Project: Of("project_id", line.Context.Project),
                Item: Of("line_item", ItemOf(line)), Key: Of("api_key_id", line.Context.Key)))
            .OrderBy(g => g.Key)
            .ToLookup(g => g.Key.Start.UnixNanoseconds / Timestamp.PerSecond);
        return Render(page, (json, start) =>
        {
            foreach (var cost in costs[start])
            {
                json.WriteStartObject();
                json.WriteString("object", "organization.costs.result");
                json.WriteStartObject("amount");
                json.WritePropertyName("value");
                json.WriteRawValue(cost.Aggregate(Amount.Zero, (sum, l) => sum + l.Amount).ToString());
                json.WriteString("currency", cost.Key.Currency.ToString().ToLowerInvariant());
                json.WriteEndObject();
                json.WriteString("line_item", OrNull(cost.Key.Item));
                json.WriteString("project_id", OrNull(cost.Key.Project));
                json.WriteString("api_key_id", OrNull(cost.Key.Key));
                WriteQuantity(json, [.. cost]);
                json.WriteEndObject();
            }
        });
    }

    // A quantity is said where it has one unit.
    private static void WriteQuantity(Utf8JsonWriter json, ChargeLine[] lines)
    {
        bool areTokens = Array.TrueForAll(lines, l => l.Meter is { IsTokens: true });
        if (areTokens)
        {
            json.WritePropertyName("quantity");
            json.WriteRawValue(lines.Aggregate((Int128)0, (sum, l) => sum + l.Steps)
                .ToString(CultureInfo.InvariantCulture));
            json.WriteString("quantity_unit", "tokens");
            return;
        }

        json.WriteNull("quantity");
        json.WriteNull("quantity_unit");
    }

    private static string ValueOf(ChargeLine line, Dimension dimension)
    {
        string value = dimension switch
        {
            Dimension.Project => line.Context.Project,
            Dimension.Party => line.Context.Party,
            Dimension.Key => line.Context.Key,
            _ => line.Context.ModelAnswered,
        };
        return value.Length == 0 ? Dimensions.None : value;
    }

    private static string ItemOf(ChargeLine line)
    {
        string of = line.Meter?.ToString() switch
        {
            null => "",
            "input.text.fresh" => ", input",
            "input.text.cache_read" => ", cached input",
            "output.text.fresh" => ", output",
            "input.audio.fresh" => ", audio input",
            "output.audio.fresh" => ", audio output",
            string other => ", " + other,
        };
        return line.Context.ModelAnswered + of;
    }

    private static Rendering Render(OrganizationParameters.Buckets page, Action<Utf8JsonWriter, long> writeResults) =>
        new(() => new Table([]), json =>
        {
            json.WriteStartObject();
            json.WriteString("object", "page");
            json.WriteStartArray("data");
            for (int i = 0; i < page.Count; i++)
            {
                long start = page.First + (i * page.Width);
                json.WriteStartObject();
                json.WriteString("object", "bucket");
                json.WriteNumber("start_time", start);
                json.WriteNumber("end_time", start + page.Width);
                json.WriteStartArray("results");
                writeResults(json, start);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteBoolean("has_more", page.NextPage is not null);
            json.WriteString("next_page", page.NextPage);
            json.WriteEndObject();
        });

    private static string? OrNull(string text) => text.Length == 0 ? null : text;

    /// <summary>Counts of one result.</summary>
    private sealed class UsageRow(long start, string[] key)
    {
        private readonly Dictionary<Meter, Int128> _counts = [];

        public long Start { get; } = start;

        public string[] Key { get; } = key;

        public Int128 Calls { get; set; }

        public void Add(Meter meter, Int128 steps) => _counts[meter] = _counts.GetValueOrDefault(meter) + steps;

        /// <summary>The figures of a kind of usage: disjoint classes put together as the shape nests them.</summary>
        public IEnumerable<(string Name, Int128 Value)> Figures(string kind) => kind switch
        {
            "images" => [("images", Whole(Meter.Image))],
            "audio_speeches" => [("characters", Whole(Meter.Character))],
            "audio_transcriptions" => [("seconds", Whole(Meter.Second))],
            "vector_stores" => [("usage_bytes", 0)],
            "embeddings" or "moderations" => [("input_tokens", Sum(c => c.Direction == Direction.Input))],
            _ =>
            [
                ("input_tokens", Sum(c => c is { Direction: Direction.Input, Modality: not Modality.Audio })),
                ("input_cached_tokens", Sum(c => c is { Direction: Direction.Input, Kind: TokenKind.CacheRead })),
                ("input_cache_write_tokens", Sum(c => c is { Direction: Direction.Input, Kind: TokenKind.CacheWrite
                    or TokenKind.CacheWrite5M or TokenKind.CacheWrite1H })),
                ("input_uncached_tokens", Sum(c => c is { Direction: Direction.Input, Kind: not (TokenKind.CacheRead
                    or TokenKind.CacheWrite or TokenKind.CacheWrite5M or TokenKind.CacheWrite1H) })),
                ("output_tokens", Sum(c => c is { Direction: Direction.Output, Modality: not Modality.Audio })),
                ("input_text_tokens", Sum(c => c is { Direction: Direction.Input, Modality: Modality.Text })),
                ("input_image_tokens", Sum(c => c is { Direction: Direction.Input, Modality: Modality.Image })),
                ("input_audio_tokens", Sum(c => c is { Direction: Direction.Input, Modality: Modality.Audio })),
                ("input_cached_text_tokens", Sum(c => c is { Direction: Direction.Input, Modality: Modality.Text,
                    Kind: TokenKind.CacheRead })),
                ("output_text_tokens", Sum(c => c is { Direction: Direction.Output, Modality: Modality.Text })),
                ("output_image_tokens", Sum(c => c is { Direction: Direction.Output, Modality: Modality.Image })),
                ("output_audio_tokens", Sum(c => c is { Direction: Direction.Output, Modality: Modality.Audio })),
            ],
        };

        private Int128 Whole(Meter meter) => Rounding.Divide(_counts.GetValueOrDefault(meter), meter.StepsPerUnit);

        private Int128 Sum(Func<TokenClass, bool> counts) =>
            _counts.Where(c => c.Key.IsTokens && counts(c.Key.TokenClass))
                .Aggregate((Int128)0, (sum, c) => sum + c.Value);
    }
}
