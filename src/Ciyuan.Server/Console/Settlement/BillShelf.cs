using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Server.Api;
using Ciyuan.Server.Reconciling;
using Ciyuan.Storage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Console.Settlement;

/// <summary>A bill that was brought, and how it is compared.</summary>
/// <param name="Sha256">Hash of the file.</param>
/// <param name="Name">Its name.</param>
/// <param name="Agreement">The agreement.</param>
/// <param name="Period">The period that it is for, as people write it.</param>
/// <param name="Format">How it is read.</param>
/// <param name="Zone">Zone of its days, where the format says none.</param>
/// <param name="Matching">How both sides are matched.</param>
/// <param name="IdTag">The tag of our records with their id; empty for the record's own.</param>
/// <param name="Tolerance">Most that rounding may change in a line; empty for half of the last decimal.</param>
/// <param name="Mapping">How columns are read, as YAML; empty for a preset.</param>
/// <param name="By">Who brought it.</param>
/// <param name="Time">When.</param>
internal sealed record ShelvedBill(
    string Sha256, string Name, string Agreement, string Period, string Format, string Zone, BillMatching Matching,
    string IdTag, string Tolerance, string Mapping, string By, string Time)
{
    /// <summary>What came of the last comparison; null before the first.</summary>
    public BillFinding? Found { get; init; }

    /// <summary>Its id: another one for another way to compare the same file.</summary>
    internal string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [
        Sha256, Agreement, Period, Format, Zone, Matching.ToString(), IdTag, Tolerance, Mapping]))))[..16];

    internal BillRequest ToRequest() => new(
        Agreement, Format, zone => Quantities.Period.TryParse(Period, zone, out Period read) ? read : null,
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(Zone) ?? DateTimeZone.Utc)
    {
        Matching = Matching,
        IdTag = IdTag,
        Tolerance = Amount.TryParse(Tolerance, out Amount perLine) ? perLine : null,
        Mapping = Mapping.Trim().Length > 0 ? BillMapping.FromYaml(Mapping) : null,
    };
}

/// <summary>What came of comparing a bill.</summary>
/// <param name="Differences">How many there are.</param>
/// <param name="Delta">Theirs less ours, as a decimal.</param>
/// <param name="Currency">Currency.</param>
internal sealed record BillFinding(long Differences, string Delta, string Currency);

/// <summary>
/// Bills that people brought, in the data folder: the second person who signs has the same file in hand. What came of
/// a bill is kept for a minute, to be paged through; for a signature it is worked out anew.
/// </summary>
internal sealed class BillShelf(Desk desk)
{
    private const int Kept = 4;

    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private readonly Lock _lock = new();
    private readonly List<(string Id, long At, ReconciledBill Result)> _results = [];
    private Dictionary<string, ShelvedBill>? _bills;

    private string Folder => Path.Combine(desk.Options.Folder, "bills");

    /// <summary>The bills, the newest first.</summary>
    internal IReadOnlyList<ShelvedBill> All
    {
        get
        {
            lock (_lock)
            {
                return [.. ById().Values.OrderByDescending(b => b.Time, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Takes a bill.</summary>
    internal async Task<ShelvedBill> AddAsync(Stream file, Func<string, ShelvedBill> describe, CancellationToken cancel)
    {
        Directory.CreateDirectory(Folder);
        string part = Path.Combine(Folder, Users.Accounts.NewSecret() + ".part");
        try
        {
            await using (FileStream copy = File.Create(part))
            {
                await file.CopyToAsync(copy, cancel);
                copy.Position = 0;
                string hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(copy, cancel));
                ShelvedBill bill = describe(hash);
                copy.Close();
                File.Move(part, PathOf(bill), overwrite: true);
                Keep(bill);
                return bill;
            }
        }
        finally
        {
            File.Delete(part);
        }
    }

    /// <summary>A bill by its id; null when there is none.</summary>
    internal ShelvedBill? Find(string id)
    {
        lock (_lock)
        {
            return ById().GetValueOrDefault(id);
        }
    }

    /// <summary>Compares a bill with our records: as they are now, or some seconds ago.</summary>
    internal ReconciledBill Compare(ShelvedBill bill, bool isNow)
    {
        lock (_lock)
        {
            _results.RemoveAll(r => (isNow && r.Id == bill.Id) || desk.Time.GetElapsedTime(r.At) > KeptFor);
            if (_results.Find(r => r.Id == bill.Id).Result is { } kept)
            {
                return kept;
            }
        }

        using SqliteJournal journal = SqliteJournal.OpenReadOnly(desk.Options.Folder);
        ReconciledBill result = bill.ToRequest().Run(
            PathOf(bill), bill.Name, desk.Catalog, desk.Shard.Facts, () => SettlementState.Frames(journal));
        Keep(bill with
        {
            Found = new BillFinding(
                result.Comparison.Differences.Count, result.Comparison.Differences.Delta.ToString(),
                result.Currency.ToString()),
        });
        lock (_lock)
        {
            _results.RemoveAll(r => r.Id == bill.Id);
            _results.Add((bill.Id, desk.Time.GetTimestamp(), result));
            if (_results.Count > Kept)
            {
                _results.RemoveAt(0);
            }
        }

        return result;
    }

    // Read once: nobody else writes them.
    private Dictionary<string, ShelvedBill> ById() => _bills ??= !Directory.Exists(Folder) ? []
        : Directory.EnumerateFiles(Folder, "*.json")
            .Select(file => JsonSerializer.Deserialize<ShelvedBill>(File.ReadAllText(file), Json)!)
            .ToDictionary(b => b.Id, StringComparer.Ordinal);

    private void Keep(ShelvedBill bill)
    {
        lock (_lock)
        {
            if (ById().TryGetValue(bill.Id, out ShelvedBill? kept) && kept == bill)
            {
                return;
            }

            string file = Path.Combine(Folder, bill.Id + ".json");
            File.WriteAllText(file + ".part", JsonSerializer.Serialize(bill, Json));
            File.Move(file + ".part", file, overwrite: true);
            ById()[bill.Id] = bill;
        }
    }

    private string PathOf(ShelvedBill bill) => Path.Combine(Folder, bill.Sha256 + ".bill");
}
