using System.CommandLine;
using System.IO.Enumeration;
using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan balance [PATTERN]</c>: accounts now or at any moment, from the journal alone. Reads beside a
/// running server.</summary>
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
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(context.Data);
        var sums = new AccountSums(at ?? Timestamp.MaxValue, basis);
        long lastSeq = 0;
        foreach (Frame frame in Facts.FramesFrom(journal, 1))
        {
            cancel.ThrowIfCancellationRequested();
            sums.Add(frame);
            if (sums.IsComplete)
            {
                break;
            }

            lastSeq = frame.Seq;
        }

        var shown = sums.Totals
            .Where(account => FileSystemName.MatchesSimpleExpression(pattern, account.Key.Path, ignoreCase: false))
            .OrderBy(account => account.Key.Path, StringComparer.Ordinal).ThenBy(account => account.Key.Currency)
            .Select(account => (account.Key, account.Value)).ToList();
        context.Write(BalanceRendering.Render(new BalanceSheet(at, basis, pattern, lastSeq, shown)));
        return Verb.Done;
    }
}
