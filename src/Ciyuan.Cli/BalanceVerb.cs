using System.CommandLine;
using System.IO.Enumeration;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan balance [PATTERN]</c>: accounts now, with what is held and available, or at any moment.
/// Reads beside a running server.</summary>
internal static class BalanceVerb
{
    internal static Command Make()
    {
        var pattern = new Argument<string>("PATTERN")
        {
            Description = "Accounts, such as acme/*",
            DefaultValueFactory = _ => "*",
        };
        var at = new Option<string?>("--at")
        {
            Description = "The moment, which is in it: RFC 3339",
            HelpName = "TIME",
        };
        Option<string> by = GlobalOptions.Words("--by", "Which time places a posting", "recorded", "event");
        var command = new Command("balance", "Balances of accounts, now or at any moment") { pattern, at, by };
        return command.Runs((parsed, context, cancel) =>
        {
            Timestamp? moment = parsed.GetValue(at) is { } text ? GlobalOptions.ReadTime("--at", text, context) : null;
            TimeBasis basis = parsed.GetValue(by) == "event" ? TimeBasis.Event : TimeBasis.Recorded;
            return Task.FromResult(Run(context, parsed.GetValue(pattern)!, moment, basis, cancel));
        });
    }

    internal static int Run(
        VerbContext context, string pattern, Timestamp? at, TimeBasis basis, CancellationToken cancel)
    {
        bool Matches(string path) => FileSystemName.MatchesSimpleExpression(pattern, path, ignoreCase: false);
        BalanceSheet sheet;
        if (at is null && basis == TimeBasis.Recorded)
        {
            (long seq, IReadOnlyList<AccountView> accounts) = Balances.Now(context.Data, cancel: cancel);
            sheet = BalanceSheet.Now(accounts, pattern, Matches, seq);
        }
        else
        {
            Timestamp moment = at ?? Timestamp.MaxValue;
            (long seq, IReadOnlyDictionary<AccountName, AccountTotals> sums) =
                Balances.At(context.Data, moment, basis, cancel: cancel);
            sheet = BalanceSheet.Then(moment, basis, sums, pattern, Matches, seq);
        }

        context.Write(BalanceRendering.Render(sheet));
        return Verb.Done;
    }
}
