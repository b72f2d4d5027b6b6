using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Prices;
using Ciyuan.Usage;

namespace Ciyuan.Bench;

/// <summary>Rating alone, one core: a catalogue of prices, and records that know nothing but what was used. Beside it,
/// genai-prices' own JavaScript package on the same models and counts.</summary>
internal static class RateBench
{
    private const int Records = 200_000;
    private const int Passes = 15;
    private const int Batch = 8_192; // as an import has it

    public static void Run(Room room, Figures figures)
    {
        (List<PriceSetup> lines, string from) = Catalogue.Read(room.Repository);
        BookSetup book = new("all", 1, "USD", "", "", "genai-prices", lines, "Asia/Shanghai");
        MeasureFile(figures, BookWriter.Write(new ImportedBook(book, []), "bench"));
        var plans = new RatingPlans();
        Use(plans, book);
        UsageRecord[] records = MakeRecords(lines);
        Console.WriteLine($"rate: {lines.Count} lines of {from}; {Records:N0} records under "
            + $"{records.Select(r => r.Context).Distinct().Count()} names, each passed {Passes} times");

        UsageRecord[][] batches = [.. records.Chunk(Batch)];
        var rated = new List<RatedLine>();
        for (int pass = 0; pass < Passes; pass++)
        {
            RatePass(plans, batches, rated); // makes the plans, and lets the compiler do all it can
        }

        using var process = Process.GetCurrentProcess();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan busy = process.TotalProcessorTime;
        long started = Stopwatch.GetTimestamp();
        Int128 sum = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            sum += RatePass(plans, batches, rated);
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        process.Refresh();
        busy = process.TotalProcessorTime - busy;
        figures.Add("rating alone, by the clock", Records * (double)Passes / seconds, "records/s");
        figures.Add("rating alone, for a second of one core", Records * (double)Passes / busy.TotalSeconds,
            "records/s", 3_000_000, bound: $"{new Amount(sum / Passes)} USD a pass");
        figures.Add("rating alone, allocated for a record", allocated / ((double)Records * Passes), "bytes", 0, true);
        RunJavaScript(room, figures, records);
    }

    /// <summary>The catalogue as a setup file, from its text on; the first time, as a program has it that was just
    /// started.</summary>
    private static void MeasureFile(Figures figures, string yaml)
    {
        string size = string.Create(CultureInfo.InvariantCulture, $"{yaml.Length / 1024} KiB of YAML, the first time");
        long started = Stopwatch.GetTimestamp();
        Use(new RatingPlans(), SetupYaml.Parse(yaml, "bench").Books[0]);
        figures.Add(
            "load of the catalogue", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", 1, lessIsBetter: true, size);
        started = Stopwatch.GetTimestamp();
        PriceCheck check = CheckPrices.Run([new PriceFile("all.yaml", yaml)], DateTimeOffset.UnixEpoch.AddYears(57));
        figures.Add(
            "prices check of it", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", 1, lessIsBetter: true,
            string.Create(CultureInfo.InvariantCulture, $"{check.Findings.Count} findings"));
    }

    // By batches, as records come: what is called a few times alone the runtime never compiles as well as it can.
    private static Int128 RatePass(RatingPlans plans, UsageRecord[][] batches, List<RatedLine> rated)
    {
        Int128 sum = 0;
        foreach (UsageRecord[] batch in batches)
        {
            sum += RateBatch(plans, batch, rated);
        }

        return sum;
    }

    private static Int128 RateBatch(RatingPlans plans, UsageRecord[] records, List<RatedLine> rated)
    {
        Int128 sum = 0;
        foreach (UsageRecord record in records)
        {
            RateUsage.Rate(plans.Find(record.Context, record.EventTime), plans, record, rated);
            sum += rated[0].Amount.Pico;
        }

        return sum;
    }

    private static void Use(RatingPlans plans, BookSetup book)
    {
        var setup = new Setup
        {
            By = "bench",
            Parties = [new("plat", "plat", [Role.Platform]), new("acme", "acme", [Role.Consumer])],
            Books = [book],
            Agreements = [new("sell", "acme", "plat", Book: "all")],
        };
        var faults = new List<string>();
        bool changed = false;
        PriceBooks books = PriceBooks.Empty.With(setup, faults, ref changed);
        Catalog catalog = Catalog.Empty.With(setup, books.Terms, faults, ref changed);
        if (faults.Count > 0)
        {
            throw new InvalidOperationException(string.Join("; ", faults.Take(5)));
        }

        plans.Use(catalog, books);
    }

    // Models by every name that reaches them, exact or by pattern; moments of a month in the order of time; one in
    // eight by batch.
    private static UsageRecord[] MakeRecords(List<PriceSetup> lines)
    {
        var random = new Random(1);
        UsageContext[][] contexts = [.. lines.Select(l => NamesOf(l).Select(name => new UsageContext("bench", "acme",
            ModelAnswered: name.Replace("*", "x", StringComparison.Ordinal), Provider: l.Provider ?? "")).ToArray())];
        Tag[] batch = [new Tag("service_tier", "batch")];
        long start = 1_793_500_000L * Timestamp.PerSecond;
        return [.. Enumerable.Range(0, Records).Select(i =>
        {
            int line = random.Next(contexts.Length);
            bool cached = lines[line].PerMillionTokens.ContainsKey("input.*.cache_read") && random.Next(2) == 0;
            long input = random.Next(200, 60_000);
            var counts = new List<Count> { new(TokenClass.InputText, EvidenceGrade.Reported, input) };
            if (cached)
            {
                counts.Add(new Count(
                    new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheRead), EvidenceGrade.Reported,
                    random.Next(200, 60_000)));
            }

            int output = random.Next(1, 4_000);
            if (lines[line].PerMillionTokens.ContainsKey("output"))
            {
                counts.Add(new Count(TokenClass.OutputText, EvidenceGrade.Reported, output));
            }

            return new UsageRecord
            {
                Id = i.ToString(CultureInfo.InvariantCulture),
                Context = contexts[line][random.Next(contexts[line].Length)],
                EventTime = new Timestamp(start + (i * (30L * 86_400 * Timestamp.PerSecond / Records))),
                Counts = [.. counts],
                Tags = random.Next(8) == 0 ? batch : [],
            };
        })];
    }

    private static string[] NamesOf(PriceSetup line) => [line.Model, .. line.Aliases ?? [], .. line.Patterns ?? []];

    private static void RunJavaScript(Room room, Figures figures, UsageRecord[] records)
    {
        Directory.CreateDirectory(room["js"]);
        File.Copy(
            Path.Combine(room.Repository, "bench", "genai-prices.mjs"), Path.Combine(room["js"], "genai-prices.mjs"));
        if (!TryRun(room["js"], "npm", "install --no-audit --no-fund --silent @pydantic/genai-prices", out _))
        {
            Console.WriteLine("rate: npm or node is missing, so genai-prices' own package is not measured");
            return;
        }

        room.File("js/usage.json", () => ["[", .. records.Select((r, i) => (i == 0 ? "" : ",") + ToJson(r)), "]"]);
        if (TryRun(room["js"], "node", "genai-prices.mjs usage.json", out string output)
            && double.TryParse(output.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out double perSecond))
        {
            figures.Add(
                "@pydantic/genai-prices, the same, for a second of one core", perSecond, "records/s", bound: "node");
        }
    }

    private static string ToJson(UsageRecord record)
    {
        long Steps(TokenKind kind) => record.Counts.Where(c => c.Meter.TokenClass.Direction == Direction.Input
            && c.Meter.TokenClass.Kind == kind).Sum(c => c.Steps);
        return JsonSerializer.Serialize(new object[]
        {
            record.Context.Provider, record.Context.Model, Steps(TokenKind.Fresh) + Steps(TokenKind.CacheRead),
            Steps(TokenKind.CacheRead), record.Tokens(Direction.Output),
        });
    }

    private static bool TryRun(string folder, string program, string arguments, out string output)
    {
        output = "";
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
            })!;
            output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // no such program
        }
    }
}

/// <summary>The price lines that are measured: genai-prices' catalogue as it is imported, where it lies beside the
/// checkout, else a synthetic one of the same shape. Each takes batch at half price; a tenth has prices by time of
/// day.</summary>
internal static class Catalogue
{
    private static readonly FactorSetup Batch = new(
        "batch", new WhenSetup(Tags: new Dictionary<string, IReadOnlyList<string>> { ["service_tier"] = ["batch"] }),
        "0.5");

    public static (List<PriceSetup> Lines, string From) Read(string repository)
    {
        string path = Path.Combine(repository, "..", "shared", "data", "genai-prices.json");
        List<PriceSetup> lines = File.Exists(path) ? FromGenaiPrices(path) : [.. Enumerable.Range(0, 1_500).Select(i =>
            new PriceSetup($"model-{i}", new Dictionary<string, string>
            {
                ["input"] = $"{1 + (i % 7)}.{i % 100:D2}",
                ["input.*.cache_read"] = "0.15",
                ["output"] = $"{5 + (i % 20)}",
            }, Provider: $"provider-{i % 34}"))];
        return ([.. lines.Select((line, i) => line with
        {
            Factors = [Batch],
            Rules = [.. line.Rules ?? [], .. i % 10 == 0 ? [Peak(line)] : (RuleSetup[])[]],
        })], File.Exists(path) ? "the genai-prices catalogue" : "a synthetic catalogue");
    }

    private static RuleSetup Peak(PriceSetup line) => new(
        "peak",
        new WhenSetup(Days: ["mon", "tue", "wed", "thu", "fri"], Times: ["09:00-12:00", "14:00-18:00"]),
        line.PerMillionTokens);

    // As `ciyuan prices import` makes them, all names and patterns included.
    private static List<PriceSetup> FromGenaiPrices(string path) => [.. ImportPrices.Run(
            PriceCatalogue.GenaiPrices, File.ReadAllBytes(path), new ImportTarget("all", 1, "bench")).Book.Prices
        .Where(line => line.PerMillionTokens.ContainsKey("input"))];
}
