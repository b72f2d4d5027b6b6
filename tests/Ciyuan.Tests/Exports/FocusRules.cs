using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ciyuan.Tests.Tidy;

namespace Ciyuan.Tests.Exports;

/// <summary>The rules of FOCUS as data (focus-columns.csv, focus-rules.csv), and what of a file breaks them. It knows
/// nothing of how the files are made.</summary>
internal static partial class FocusRules
{
    private sealed record Column(string Id, string Level, bool MayBeNull, string Form, string[] Values, bool Claimed);

    internal static List<string> FindFaults(string version, string dataset, string[] header, List<string?[]> rows)
    {
        var faults = new List<string>();
        Column[] columns = [.. ReadColumns(version, dataset)];
        foreach (Column column in columns)
        {
            bool due = column.Level == "mandatory" || (column.Claimed && column.Level == "conditional");
            if (due && !header.Contains(column.Id))
            {
                faults.Add($"{column.Id}: is missing");
            }
        }

        faults.AddRange(header
            .Where(id => columns.All(c => c.Id != id) && !id.StartsWith("x_", StringComparison.Ordinal))
            .Select(id => $"{id}: is no column of {dataset} {version}"));
        faults.AddRange(header.GroupBy(id => id).Where(g => g.Count() > 1).Select(g => $"{g.Key}: is there twice"));
        foreach (string?[] row in rows)
        {
            for (int i = 0; i < header.Length; i++)
            {
                if (Array.Find(columns, c => c.Id == header[i]) is { } column && FindFault(column, row[i]) is { } fault)
                {
                    faults.Add($"{column.Id}: {fault}");
                }
            }

            if (dataset == "cost-and-usage")
            {
                faults.AddRange(FindRowFaults(header, row));
            }
        }

        return faults;
    }

    private static string? FindFault(Column column, string? value) => value is null
        ? column.MayBeNull ? null : "is null"
        : column.Form switch
        {
            "number" => Number().IsMatch(value) ? null : $"'{value}' is no number",
            "time" => Moment().IsMatch(value) ? null : $"'{value}' is no UTC time",
            "currency" => Currency().IsMatch(value) ? null : $"'{value}' is no currency",
            "unit" => Unit().IsMatch(value) ? null : $"'{value}' is no unit",
            "values" => column.Values.Contains(value) ? null : $"'{value}' is not allowed",
            "object" => IsFlatObject(value) ? null : $"'{value}' is no flat object",
            _ => value.Length > 0 && value.Trim() == value ? null : $"'{value}' is no text",
        };

    private static IEnumerable<string> FindRowFaults(string[] header, string?[] row)
    {
        string? Of(string id) => Array.IndexOf(header, id) is var at and >= 0 ? row[at] : null;
        bool Holds(string condition)
        {
            string[] parts = condition.Split('=', 2);
            bool negated = parts[0].EndsWith('!');
            return ((Of(parts[0].TrimEnd('!')) ?? "") == parts[1]) != negated;
        }

        foreach (string[] rule in Rules)
        {
            string? value = Of(rule[1]);
            if (!rule[0].Split(';').All(Holds))
            {
                continue;
            }

            string[] words = rule[2].Split(' ');
            bool kept = words switch
            {
                ["null"] => value is null,
                ["full"] => value is not null,
                ["is", ..] => value == rule[2][3..],
                ["not", ..] => value != rule[2][4..],
                ["at", "least", "0"] => Decimal(value) >= 0,
                ["same", "as", var other] => Decimal(value) == Decimal(Of(other)),
                ["product", "of", var a, "and", var b] => Decimal(value) == Decimal(Of(a)) * Decimal(Of(b)),
                _ => throw new InvalidOperationException($"focus-rules.csv: '{rule[2]}'"),
            };
            if (!kept)
            {
                yield return $"{rule[1]}: '{value}' where {rule[0]} must be {rule[2]}";
            }
        }
    }

    internal static decimal Decimal(string? text) =>
        decimal.Parse(text ?? "", NumberStyles.Float, CultureInfo.InvariantCulture);

    private static bool IsFlatObject(string text)
    {
        using JsonDocument json = JsonDocument.Parse(text);
        return json.RootElement.ValueKind == JsonValueKind.Object
            && json.RootElement.EnumerateObject().All(p => p.Value.ValueKind is not (JsonValueKind.Object
                or JsonValueKind.Array))
            && json.RootElement.EnumerateObject().GroupBy(p => p.Name).All(g => g.Count() == 1);
    }

    private static IEnumerable<Column> ReadColumns(string version, string dataset) => Lines("focus-columns.csv")
        .Select(line => line.Split(','))
        .Where(parts => parts[0] == version && parts[1] == dataset)
        .Select(p => new Column(p[2], p[3], p[4] == "null", p[5], p[6].Split(';'), p[7] == "yes"));

    private static readonly string[][] Rules = [.. Lines("focus-rules.csv").Select(line => line.Split(','))];

    private static IEnumerable<string> Lines(string file) =>
        File.ReadLines(Path.Combine(Repository.Root, "tests", "Ciyuan.Tests", "Exports", file))
            .Where(line => line.Length > 0 && line[0] != '#');

    [GeneratedRegex(@"^-?[0-9]+(\.[0-9]+)?(E-?[0-9]+)?$")]
    private static partial Regex Number();

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
    private static partial Regex Moment();

    [GeneratedRegex("^[A-Z]{3}$")]
    private static partial Regex Currency();

    // "Tokens", "1000 Tokens", "Token-Hours", "Requests/Day"
    [GeneratedRegex("^([0-9]+ )?[A-Z][A-Za-z]*([-/ ][A-Z][A-Za-z]*)?$")]
    private static partial Regex Unit();
}
