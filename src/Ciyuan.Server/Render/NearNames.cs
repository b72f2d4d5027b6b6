namespace Ciyuan.Server.Render;

/// <summary>What to say of a name that is not known.</summary>
public static class NearNames
{
    private const int MostNamed = 3;

    /// <summary>A sentence that names what is near, or else the first few that there are.</summary>
    /// <param name="kind">What the name is of, such as agreement.</param>
    /// <param name="wanted">The name.</param>
    /// <param name="known">All that there are.</param>
    public static string Unknown(string kind, string wanted, IEnumerable<string> known)
    {
        string[] names = [.. known.Order(StringComparer.Ordinal)];
        string[] near = [.. names.Select(name => (Name: name, Far: Distance(wanted, name)))
            .Where(n => n.Far <= Math.Max(2, wanted.Length / 3)
                || n.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase))
            .OrderBy(n => n.Far).Take(MostNamed).Select(n => n.Name)];
        string rest = near.Length > 0 ? $"Near it: {string.Join(", ", near)}."
            : names.Length == 0 ? "There is none yet: add it by a setup."
            : $"There are {names.Length}, such as {string.Join(", ", names.Take(MostNamed))}.";
        return $"There is no {kind} '{wanted}'. {rest}";
    }

    // Letters to change, add or leave out, by rows of the usual table.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 0; i < a.Length; i++)
        {
            (int diagonal, row[0]) = (row[0], i + 1);
            for (int j = 0; j < b.Length; j++)
            {
                int changed = diagonal + (char.ToLowerInvariant(a[i]) == char.ToLowerInvariant(b[j]) ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(changed, Math.Min(row[j], row[j + 1]) + 1);
            }
        }

        return row[^1];
    }
}
