using System.Text.Json;

namespace Ciyuan.Server.Prices;

/// <summary>A model of a provider in the genai-prices catalogue, on its way to a line.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Entry">All of it.</param>
/// <param name="Names">The names of its line.</param>
internal sealed record GenaiModel(string Id, JsonElement Entry, ClauseNames Names)
{
    internal JsonElement Match => Entry.GetProperty("match");
}

/// <summary>
/// The catalogue takes the first model whose clause matches. A book takes an exact name, then the pattern with most
/// letters. This makes the second come out as the first: an exact name goes to the first model that matches it, and
/// where a later model's pattern has more letters, the earlier one is given the patterns of what both match.
/// </summary>
internal sealed class GenaiNames(string provider, List<ImportNote> notes)
{
    private const int MaxRounds = 8;

    internal void PutInOrder(IReadOnlyList<GenaiModel> models)
    {
        GiveExactNames(models);
        int round = 0;
        while (GivePatterns(models) && ++round < MaxRounds)
        {
        }

        if (round == MaxRounds)
        {
            notes.Add(new ImportNote(ImportNoteKind.Differs, provider,
                "its patterns overlap too much to keep the order of the models everywhere"));
        }
    }

    // Ids count as names too: whoever writes them means the model.
    private void GiveExactNames(IReadOnlyList<GenaiModel> models)
    {
        IEnumerable<string> all = models.SelectMany(
            model => (string[])[model.Id, model.Id.ToLowerInvariant(), .. model.Names.Exact]);
        string[] names = [.. all.Distinct(StringComparer.Ordinal)];
        string[][] had = [.. models.Select(model => model.Names.Exact.ToArray())];
        foreach (GenaiModel model in models)
        {
            model.Names.Exact.Clear();
        }

        foreach (string name in names)
        {
            int first = Find(models, name);
            if (first >= 0)
            {
                models[first].Names.Exact.Add(name);
            }

            for (int i = 0; i < models.Count; i++)
            {
                if (i != first && had[i].Contains(name))
                {
                    Shadowed(models[i], $"the name '{name}'", first < 0 ? null : models[first]);
                }
            }
        }
    }

    private static int Find(IReadOnlyList<GenaiModel> models, string name)
    {
        for (int i = 0; i < models.Count; i++)
        {
            if (GenaiClause.IsMatch(models[i].Match, name))
            {
                return i;
            }
        }

        return -1;
    }

    private bool GivePatterns(IReadOnlyList<GenaiModel> models)
    {
        bool changed = false;
        for (int early = 0; early < models.Count; early++)
        {
            for (int late = early + 1; late < models.Count; late++)
            {
                foreach (string pattern in models[late].Names.Patterns.ToArray())
                {
                    changed |= Settle(models[early], models[late], pattern);
                }
            }
        }

        return changed;
    }

    private bool Settle(GenaiModel early, GenaiModel late, string pattern)
    {
        bool changed = false;
        int letters = NamePatterns.LiteralLength(pattern);
        foreach (string own in early.Names.Patterns.ToArray())
        {
            if (NamePatterns.Covers(own, pattern))
            {
                late.Names.Patterns.Remove(pattern);
                Shadowed(late, $"the pattern '{pattern}'", early);
                return true;
            }

            if (letters <= NamePatterns.LiteralLength(own))
            {
                continue;
            }

            foreach (string both in NamePatterns.Intersect(own, pattern) ?? [])
            {
                if (!early.Names.Patterns.Exists(p => NamePatterns.Covers(p, both)
                    && NamePatterns.LiteralLength(p) >= letters))
                {
                    early.Names.Patterns.Add(both);
                    changed = true;
                }
            }
        }

        return changed;
    }

    private void Shadowed(GenaiModel model, string what, GenaiModel? by) => notes.Add(new ImportNote(
        ImportNoteKind.Differs, $"{provider}/{model.Id}",
        by is null ? $"{what} is matched by no clause of the catalogue"
            : $"{what} never reaches it: '{by.Id}' stands before it and matches too"));
}
