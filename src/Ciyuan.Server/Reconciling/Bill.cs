using System.Security.Cryptography;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Server.Ingest;
using Ciyuan.Statistics;
using NodaTime;

namespace Ciyuan.Server.Reconciling;

/// <summary>The other side's bill or usage export: a file and how it is read.</summary>
public sealed class Bill
{
    private readonly BillCsv? _csv;
    private readonly List<BillLine> _lines = [];

    private Bill(string path, string? name, BillCsv? csv, List<BillLine> lines)
    {
        (_csv, _lines) = (csv, lines);
        using FileStream file = File.OpenRead(path);
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
        Name = name ?? Path.GetFileName(path);
    }

    /// <summary>Names of the formats that need no mapping.</summary>
    public static IReadOnlyList<string> Formats => [.. BillJson.Formats, .. BillMapping.Presets];

    /// <summary>Name of the file.</summary>
    public string Name { get; }

    /// <summary>Hash of the file.</summary>
    public string Sha256 { get; }

    /// <summary>Lines; known after <see cref="Measure"/>.</summary>
    public long Lines { get; private set; }

    /// <summary>Whether every line has an id.</summary>
    public bool HasIds { get; private set; }

    /// <summary>Most decimals of its amounts.</summary>
    public int Decimals { get; private set; }

    /// <summary>The zone of a format that says one; null where the file has that of whoever asks.</summary>
    public static DateTimeZone? ZoneOf(string format, BillMapping? mapping) =>
        BillJson.Formats.Contains(format) ? DateTimeZone.Utc : mapping?.Zone;

    /// <summary>Opens a bill.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">One of <see cref="Formats"/>; ignored with a mapping.</param>
    /// <param name="mapping">How the columns of a CSV file are read; null for the JSON formats.</param>
    /// <param name="zone">Zone of times that say none.</param>
    /// <param name="currency">The agreement's currency: a bill in another is refused.</param>
    /// <param name="name">What people call it; null: the file's name.</param>
    /// <exception cref="BillException">It can't be read.</exception>
    public static Bill Open(
        string path, string format, BillMapping? mapping, DateTimeZone zone, Currency currency, string? name = null)
    {
        if (mapping is not null)
        {
            return new Bill(path, name, new BillCsv(path, mapping, zone, currency.ToString()), []);
        }

        return BillJson.Formats.Contains(format)
            ? new Bill(path, name, null, BillJson.Read(path, format, currency.ToString(), model => model))
            : throw new BillException($"there is no format '{format}': {string.Join(", ", Formats)}");
    }

    /// <summary>The lines, from the start.</summary>
    public IEnumerable<BillLine> Read() => _csv?.Read() ?? _lines;

    /// <summary>Goes through it once: lines, ids, decimals.</summary>
    public void Measure()
    {
        (Lines, HasIds) = (0, true);
        foreach (BillLine line in Read())
        {
            Lines++;
            HasIds &= line.Id.Length > 0;
        }

        HasIds &= Lines > 0;
        Decimals = _csv?.Decimals ?? Amount.Decimals;
    }
}
