using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>A file is not the catalogue that it is said to be; the message says where and why.</summary>
public sealed class PriceImportException(string message) : Exception(message);

/// <summary>What happened to something that a book could not say as the catalogue does.</summary>
public enum ImportNoteKind
{
    /// <summary>It is not in the book.</summary>
    LeftOut,

    /// <summary>It is in the book, but not quite the same.</summary>
    Differs,

    /// <summary>A remark of the catalogue's own about its prices.</summary>
    Remark,
}

/// <summary>Something of a catalogue that is not in the book as it stood there. Nothing is dropped without one.</summary>
/// <param name="Kind">What happened to it.</param>
/// <param name="Where">Provider, model and field.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record ImportNote(ImportNoteKind Kind, string Where, string Reason);

/// <summary>A version of a book made from a catalogue.</summary>
/// <param name="Book">The version; it can be written as YAML or added by a setup.</param>
/// <param name="Notes">What is not in it as it stood there, in the catalogue's order.</param>
public sealed record ImportedBook(BookSetup Book, IReadOnlyList<ImportNote> Notes);

/// <summary>What an import makes.</summary>
/// <param name="Id">The book.</param>
/// <param name="Version">Its version.</param>
/// <param name="Source">Where the catalogue comes from, for the book's source.</param>
/// <param name="From">First moment (RFC 3339) at which the version is in force; empty: always.</param>
/// <param name="Providers">By the catalogue's name of a provider the name that records give it; <c>*</c>: whatever
/// they give. Others are left out. Null: all, by the catalogue's names.</param>
public sealed record ImportTarget(
    string Id, int Version, string Source, string From = "", IReadOnlyDictionary<string, string>? Providers = null)
{
    /// <summary>Whether a provider is asked for, and what its lines name: null for any provider.</summary>
    internal bool Takes(string provider, out string? name)
    {
        string? given = null;
        bool takes = Providers is null || Providers.TryGetValue(provider, out given);
        name = given == "*" ? null : given ?? provider;
        return takes;
    }

    /// <summary>Refuses providers that the catalogue does not have.</summary>
    internal void Check(IReadOnlyCollection<string> known)
    {
        foreach (string provider in Providers?.Keys ?? Enumerable.Empty<string>())
        {
            if (!known.Contains(provider))
            {
                throw new PriceImportException(
                    Render.NearNames.Unknown("provider in the catalogue", provider, known));
            }
        }
    }
}

/// <summary>A catalogue that prices can be imported from.</summary>
public enum PriceCatalogue
{
    /// <summary>pydantic/genai-prices: data.json.</summary>
    GenaiPrices,

    /// <summary>BerriAI/litellm: model_prices_and_context_window.json.</summary>
    LiteLlm,

    /// <summary>models.dev: api.json.</summary>
    ModelsDev,
}

/// <summary>Makes a book of a catalogue. The same input makes the same book.</summary>
public static class ImportPrices
{
    /// <summary>Largest catalogue in bytes (64 MiB): those of today have at most 2.</summary>
    public const int MaxBytes = 64 << 20;

    /// <summary>Reads a catalogue.</summary>
    /// <exception cref="PriceImportException">It is not that catalogue.</exception>
    public static ImportedBook Run(PriceCatalogue catalogue, ReadOnlyMemory<byte> json, ImportTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (json.Length > MaxBytes)
        {
            throw new PriceImportException($"The catalogue has more than {MaxBytes} bytes.");
        }

        using System.Text.Json.JsonDocument document = CatalogueJson.Parse(json);
        return catalogue switch
        {
            PriceCatalogue.GenaiPrices => new GenaiPrices(target).Read(document.RootElement),
            PriceCatalogue.LiteLlm => new LiteLlmPrices(target).Read(document.RootElement),
            _ => new ModelsDevPrices(target).Read(document.RootElement),
        };
    }
}
