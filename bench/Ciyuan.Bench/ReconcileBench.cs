using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ciyuan.Parties;
using Ciyuan.Storage;

namespace Ciyuan.Bench;

/// <summary>A provider's bill of a million lines beside a journal of a million calls, by the command line in a process
/// of its own: by id, and by day. Differences are planted on every thousandth call; all must be found, and nothing
/// else.</summary>
internal static partial class ReconcileBench
{
    private const int BillLines = 1_000_000;
    private const int EveryCall = 1_000;

    [GeneratedRegex("provider-[0-9]+")]
    private static partial Regex OfProvider();

    private static readonly string[] Kinds = ["missing_there", "count", "price", "missing_here", "duplicate"];

    public static async Task RunAsync(Room room, Figures figures, long records)
    {
        string folder = room["reconcile"];
        string usage = room.File("reconcile.jsonl",
            // All calls go to the one provider whose bill it is.
            () => Workload.Lines(records, 13, room.Trace).Select(line => OfProvider().Replace(line, "provider-0")));
        await using (Shard shard = await Shard.OpenAsync(new ShardOptions(folder)))
        {
            ImportBench.SetUp(await shard.SetUpAsync(Workload.Setup with
            {
                Agreements = [new AgreementSetup("transit", "net", "provider-0", Book: "list")],
            }));
            await ImportBench.ImportAsync(shard, usage, records, priced: false); // of one agreement alone
            _ = shard.Facts.LastSeq;
        }

        var bill = new PlantedLines(usage);
        string file = room.File("bill.csv", bill.Write);
        string[] compare =
        [
            "reconcile", "transit", file, "--from", "2026-11-01T00:00:00+08:00", "--to", bill.End, "--zone",
            "Asia/Shanghai", "--data", folder, "--format", "json",
        ];
        (double seconds, double gib, string output) = await OwnProcess.RunAsync(compare);
        using (JsonDocument json = JsonDocument.Parse(output))
        {
            long lines = json.RootElement.GetProperty("lines").GetInt64();
            figures.Add($"reconcile of {lines:N0} lines by id, {records:N0} calls", seconds, "s", 10,
                lessIsBetter: true, "start and end of the process included");
            figures.Add("peak memory of that process", gib, "GiB", 1, lessIsBetter: true, "read from VmHWM");
            figures.Add("planted differences that were not found, or others", bill.CountWrong(json.RootElement), "", 0,
                lessIsBetter: true, $"{bill.Planted:N0} planted");
        }

        (seconds, gib, _) = await OwnProcess.RunAsync([.. compare, "--match", "day"]);
        figures.Add("the same by day, model and class", seconds, "s", 10, lessIsBetter: true);
        figures.Add("peak memory of that process", gib, "GiB", 1, lessIsBetter: true);
    }

    /// <summary>Writes the bill from the usage file alone, with prices of its own.</summary>
    private sealed class PlantedLines(string usage)
    {
        private readonly SortedDictionary<string, (long Count, decimal Sum)> _planted = new(StringComparer.Ordinal);

        public string End { get; private set; } = "";

        public long Planted => _planted.Values.Sum(p => p.Count);

        public IEnumerable<string> Write()
        {
            yield return "id,time,model,class,quantity,amount";
            (int lines, int calls) = (0, 0);
            DateTimeOffset end = DateTimeOffset.MaxValue;
            foreach (string text in File.ReadLines(usage))
            {
                using JsonDocument call = JsonDocument.Parse(text);
                DateTimeOffset time = call.RootElement.GetProperty("time").GetDateTimeOffset();
                if (time >= end)
                {
                    continue; // calls of a second are in any order
                }

                foreach (string line in LinesOf(call.RootElement, calls++))
                {
                    lines++;
                    yield return line;
                }

                if (lines >= BillLines && end == DateTimeOffset.MaxValue)
                {
                    end = DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds() + 1);
                }
            }

            End = end == DateTimeOffset.MaxValue
                ? "2026-12-01T00:00:00+08:00"
                : end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }

        /// <summary>How many classes have another number or sum than planted.</summary>
        public int CountWrong(JsonElement result)
        {
            Dictionary<string, (long, decimal)> found = result.GetProperty("sums").EnumerateArray().ToDictionary(
                s => s.GetProperty("class").GetString()!,
                s => (s.GetProperty("count").GetInt64(), decimal.Parse(
                    s.GetProperty("difference").GetString()!, CultureInfo.InvariantCulture)));
            return Kinds.Count(kind => found.GetValueOrDefault(kind) != _planted.GetValueOrDefault(kind))
                + found.Keys.Except(Kinds).Count();
        }

        private IEnumerable<string> LinesOf(JsonElement call, int number)
        {
            string id = call.GetProperty("id").GetString()!;
            string time = call.GetProperty("time").GetString()!;
            string model = call.GetProperty("model").GetString()!;
            string? kind = number % EveryCall == 0 ? Kinds[number / EveryCall % Kinds.Length] : null;
            foreach (JsonProperty count in call.GetProperty("counts").EnumerateObject())
            {
                long tokens = count.Value.GetInt64();
                decimal price = count.Name switch
                {
                    "output.text" => 0.00005m,
                    "input.text.cache_read" => 0.000003m,
                    _ => 0.000025m,
                };
                (string Id, long Tokens, decimal Amount) line = (id, tokens, tokens * price);
                bool isPlanted = kind is not null && count.Name == "output.text" && tokens > 0;
                if (kind == "missing_there")
                {
                    // Counted by class: what is of no amount is listed beside the rest of its call.
                    Plant(kind, -line.Amount);
                    continue;
                }

                if (tokens == 0 && count.Name == "input.text.cache_read")
                {
                    continue;
                }

                foreach ((string lineId, long steps, decimal amount) in
                    isPlanted ? Disturb(kind!, line, price) : [line])
                {
                    yield return string.Create(
                        CultureInfo.InvariantCulture, $"{lineId},{time},{model},{count.Name},{steps},{amount}");
                }
            }
        }

        private (string Id, long Tokens, decimal Amount)[] Disturb(
            string kind, (string Id, long Tokens, decimal Amount) line, decimal price)
        {
            switch (kind)
            {
                case "count":
                    Plant(kind, 7 * price);
                    return [(line.Id, line.Tokens + 7, line.Amount + (7 * price))];
                case "price":
                    Plant(kind, 0.01m);
                    return [(line.Id, line.Tokens, line.Amount + 0.01m)];
                case "missing_here":
                    Plant(kind, line.Amount);
                    return [line, ("x" + line.Id, line.Tokens, line.Amount)];
                default:
                    Plant(kind, line.Amount);
                    return [line, line];
            }
        }

        private void Plant(string kind, decimal delta)
        {
            (long count, decimal sum) = _planted.GetValueOrDefault(kind);
            _planted[kind] = (count + 1, sum + delta);
        }
    }
}
