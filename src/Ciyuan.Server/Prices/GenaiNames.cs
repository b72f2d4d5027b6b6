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
/// <remarks>Names in which two long patterns stand one after the other are not looked at, nor such as match patterns of
/// three models: the patterns for them would be without number, and no model is named so.</remarks>
/// <param name="provider">The provider, for notes.</param>
/// <param name="own">How many of the models are its own; what stands after them is fallen back to.</param>
/// <param name="notes">Receives what never reaches its model.</param>
internal sealed class GenaiNames(string provider, int own, List<ImportNote> notes)
{
    /// <summary>Most letters of a pattern that tells a variant, as in <c>*-mini</c> or <c>*audio*</c>, and may stand
    /// anywhere in another's names.</summary>
    internal const int ShortPattern = 8;

    internal void PutInOrder(IReadOnlyList<GenaiModel> models)
    {
        GiveExactNames(models);
        DropCovered(models);
        GiveShared(models);
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
                if (i != first && i < own && had[i].Contains(name))
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

    // A pattern within one of an earlier model never reaches its own.
    private void DropCovered(IReadOnlyList<GenaiModel> models)
    {
        for (int late = 1; late < models.Count; late++)
        {
            foreach (string pattern in models[late].Names.Patterns.ToArray())
            {
                GenaiModel? early = models.Take(late)
                    .FirstOrDefault(m => m.Names.Patterns.Exists(wide => NamePatterns.Covers(wide, pattern)));
                if (early is not null)
                {
                    models[late].Names.Patterns.Remove(pattern);
                    if (late < own)
                    {
                        Shadowed(models[late], $"the pattern '{pattern}'", early);
                    }
                }
            }
        }
    }

    private static void GiveShared(IReadOnlyList<GenaiModel> models)
    {
        (string Pattern, int Letters)[][] patterns =
            [.. models.Select(m => m.Names.Patterns.Select(p => (p, NamePatterns.LiteralLength(p))).ToArray())];
        for (int early = 0; early < models.Count; early++)
        {
            foreach ((string mine, int letters) in patterns[early])
            {
                foreach ((string other, int more) in patterns.Skip(early + 1).SelectMany(p => p)
                    .Where(p => p.Letters > letters))
                {
                    models[early].Names.Patterns.AddRange((NamePatterns.Intersect(mine, other) ?? []).Where(both =>
                        (letters <= ShortPattern || NamePatterns.LiteralLength(both) < letters + more)
                        && !models[early].Names.Patterns.Contains(both)));
                }
            }
        }
    }

    private void Shadowed(GenaiModel model, string what, GenaiModel? by) => notes.Add(new ImportNote(
        ImportNoteKind.Differs, $"{provider}/{model.Id}",
        by is null ? $"{what} is matched by no clause of the catalogue"
            : $"{what} never reaches it: '{by.Id}' stands before it and matches too"));
}
