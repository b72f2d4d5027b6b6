using System.CommandLine;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan prices</c>: makes price books of catalogues, checks them, and explains a price.</summary>
internal static class PricesVerb
{
    internal static Command Make() => new("prices", "Price books: import, check, explain")
    {
        PricesImportVerb.Make(), PricesCheckVerb.Make(), PricesExplainVerb.Make(),
    };
}
