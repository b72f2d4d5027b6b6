using Ciyuan.Parties;
using Ciyuan.Usage;

namespace Ciyuan.Server.Prices;

/// <summary>A set of prices in the making: of a line, or of one of its rules.</summary>
internal sealed class PriceDraft
{
    private static readonly string[] Written = ["cache_write", "cache_write_5m", "cache_write_1h"];

    /// <summary>By class or front part of one; in the order in which they were first set.</summary>
    internal OrderedDictionary<string, string> Tokens { get; } = [];

    /// <summary>By unit.</summary>
    internal OrderedDictionary<string, string> Units { get; } = [];

    internal bool IsEmpty => Tokens.Count == 0 && Units.Count == 0;

    /// <summary>A price of all classes of a direction, or of one modality of it.</summary>
    internal void Direction(string direction, string modality, string price)
    {
        Tokens[modality.Length == 0 ? direction : $"{direction}.{modality}"] = price;
        if (modality == "text")
        {
            Tokens[$"{direction}.code"] = price; // others count code as text
        }
    }

    /// <summary>A price of tokens read from a cache: of one modality, or of all.</summary>
    internal void CacheRead(string modality, string price) => Kind("input", modality, "cache_read", price);

    /// <summary>A price of tokens written to a cache, whatever its lifetime.</summary>
    internal void CacheWrite(string modality, string price)
    {
        foreach (string kind in Written)
        {
            Kind("input", modality, kind, price);
        }
    }

    /// <summary>A price of one kind, of one modality or of all.</summary>
    internal void Kind(string direction, string modality, string kind, string price)
    {
        if (modality.Length == 0)
        {
            Tokens[$"{direction}.*.{kind}"] = price;
            return;
        }

        foreach (string one in TokenClass.Modalities)
        {
            if (one == modality || (one == "code" && modality == "text"))
            {
                Tokens[$"{direction}.{one}.{kind}"] = price;
            }
        }
    }

    /// <summary>What the other draft has and this one has not.</summary>
    internal void FillFrom(PriceDraft other)
    {
        HashSet<string> own = [.. Tokens.Keys];
        foreach ((string name, string price) in other.Tokens)
        {
            // A price of one modality's kind does not go before ours of the kind in all.
            bool isPriced = name.Split('.') is [var direction, _, var kind] && own.Contains($"{direction}.*.{kind}");
            _ = isPriced || Tokens.TryAdd(name, price);
        }

        foreach ((string name, string price) in other.Units)
        {
            Units.TryAdd(name, price);
        }
    }

    internal RuleSetup ToRule(string name, WhenSetup when) => new(
        name, when, Tokens.Count == 0 ? null : Tokens, Units.Count == 0 ? null : Units);
}
