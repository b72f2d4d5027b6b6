using System.CommandLine;
using Ciyuan.Server.Prices;
using Ciyuan.Server.Render;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan prices check FILES</c>: looks for gaps, overlaps, suspicious units, changes and endings.</summary>
internal static class PricesCheckVerb
{
    internal static Command Make()
    {
        var files = new Argument<string[]>("FILES")
        {
            Description = "Setup files with price books, read together in their order",
            Arity = ArgumentArity.OneOrMore,
        };
        var at = new Option<string?>("--at")
        {
            Description = "The moment by which something ends soon; else now",
            HelpName = "TIME",
        };
        var strict = new Option<bool>("--strict") { Description = "Exit 1 for what is only to be looked at, too" };
        var command = new Command("check", "Check price books; exit 1 when something is wrong") { files, at, strict };
        return command.Runs((parsed, context, _) =>
        {
            DateTimeOffset now = parsed.GetValue(at) is { } text
                ? GlobalOptions.ReadTime("--at", text, context).ToInstant().ToDateTimeOffset()
                : TimeProvider.System.GetUtcNow();
            PriceCheck check = CheckPrices.Run(
                [.. parsed.GetValue(files)!.Select(file => new PriceFile(file, Verb.ReadFile(file)))], now);
            context.Write(PricesRendering.Render(check));
            bool fails = check.IsWrong || (parsed.GetValue(strict) && check.Findings.Count > 0);
            return Task.FromResult(fails ? Verb.Refused : Verb.Done);
        });
    }
}
