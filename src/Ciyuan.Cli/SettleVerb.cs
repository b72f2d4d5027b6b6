using System.CommandLine;
using Ciyuan.Server.Render;
using Ciyuan.Server.Statements;
using Ciyuan.Settlement;
using Ciyuan.Storage;
using Ciyuan.Tokens.Standard;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan settle</c>: the calendar of the agreements, from draft to final (docs/SETTLEMENT.md). What only
/// reads does so beside a running server.</summary>
internal static class SettleVerb
{
    internal const string Source = "cli";

    internal static Command Make()
    {
        var command = new Command(
            "settle", "Close periods: freeze, split, sign, dispute, finish; statements and payments");
        command.Subcommands.Add(MakeCalendar());
        command.Subcommands.Add(MakeClose(
            SettlementAction.Freeze, "Freeze a period: what comes later is booked later"));
        command.Subcommands.Add(MakeClose(SettlementAction.Split, "Fix and post the statements of a frozen period"));
        command.Subcommands.Add(MakeWaiting());
        command.Subcommands.Add(MakePositions());
        command.Subcommands.Add(SettleStepVerbs.MakeSign());
        command.Subcommands.Add(SettleStepVerbs.MakeDispute());
        command.Subcommands.Add(SettleStepVerbs.MakeResolve());
        command.Subcommands.Add(SettleStepVerbs.MakeFinish());
        command.Subcommands.Add(SettleDocumentVerbs.MakeStatement());
        command.Subcommands.Add(SettleDocumentVerbs.MakeInvoice());
        command.Subcommands.Add(SettleDocumentVerbs.MakePayments());
        command.Subcommands.Add(SettleDocumentVerbs.MakeVerify());
        return command;
    }

    internal static Argument<string> Agreement() => new("AGREEMENT") { Description = "Id of the agreement" };

    internal static Argument<string> Period() => new("PERIOD")
    {
        Description = "The period: a month such as 2026-10, or a day for daily cycles",
    };

    internal static Option<string> By() => new("--by")
    {
        Description = "Who takes the step",
        DefaultValueFactory = _ => Environment.UserName,
        HelpName = "NAME",
    };

    internal static Option<string> Text(string name, string description, string help) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => "",
        HelpName = help,
    };

    internal static CloseOptions Options(string by, string memo = "") => new(Source, by)
    {
        Memo = memo,
        Standard = StatementForms.StandardTokens,
        StandardRule = StandardRule.Current.Id,
    };

    private static Command MakeCalendar()
    {
        Option<string> agreement = Text("--agreement", "Only this agreement", "ID");
        return new Command("calendar", "Which periods are frozen, split, final, and which comes next") { agreement }
            .Runs((parsed, context, _) =>
            {
                using var ledger = new SettlementReading(context.Data);
                context.Write(SettlementRendering.Calendar(ledger.State, parsed.GetValue(agreement)!));
                return Task.FromResult(Verb.Done);
            });
    }

    private static Command MakeClose(SettlementAction action, string description)
    {
        Argument<string> period = Period();
        Option<string> agreement = Text("--agreement", "Only this agreement; else all whose period it is", "ID");
        Option<string> by = By();
        Option<string> memo = Text("--memo", "Why", "TEXT");
        var accept = new Option<bool>("--accept-waiting")
        {
            Description = "Go on though usage waits for a price: it is booked once it has one",
        };
        var command = new Command(action.ToString().ToLowerInvariant(), description) { period, agreement, by, memo };
        if (action == SettlementAction.Split)
        {
            command.Options.Add(accept);
        }

        return command.Runs(async (parsed, context, cancel) =>
        {
            await using Shard shard = await Verb.OpenAsync(context, cancel);
            CloseOptions options = Options(parsed.GetValue(by)!, parsed.GetValue(memo)!) with
            {
                AcceptWaiting = action == SettlementAction.Split && parsed.GetValue(accept),
            };
            string one = parsed.GetValue(agreement)!;
            string name = parsed.GetValue(period)!;
            IReadOnlyList<ClosedPeriod> closed = action == SettlementAction.Freeze
                ? await ClosePeriods.FreezeAsync(shard, one, name, options, cancel)
                : await ClosePeriods.SplitAsync(shard, one, name, options, cancel);
            context.Write(SettlementRendering.Steps(action.ToString().ToLowerInvariant(), closed));
            return Answer(closed, name);
        });
    }

    // Each refusal with what to do about it, once.
    private static int Answer(IReadOnlyList<ClosedPeriod> closed, string period)
    {
        if (closed.Count == 0)
        {
            throw new RefusedException(
                $"no agreement is ready for this step of {period}; see 'ciyuan settle calendar'");
        }

        SettlementStatus[] refused = [.. closed.Select(c => c.Result.Status)
            .Where(s => s is not (SettlementStatus.Done or SettlementStatus.Exists)).Distinct()];
        foreach (SettlementStatus status in refused)
        {
            VerbContext.Say($"{SettlementRendering.NameOf(status)}: {SettlementRendering.Explain(status)}");
        }

        return refused.Length == 0 ? Verb.Done : Verb.Refused;
    }

    private static Command MakeWaiting()
    {
        Argument<string> agreement = Agreement();
        Argument<string> period = Period();
        return new Command("waiting", "The records that wait for a price in a period, and are in the way of its close")
        {
            agreement, period,
        }.Runs((parsed, context, _) =>
        {
            using var ledger = new SettlementReading(context.Data);
            StatementQuery query = ledger.QueryOf(parsed.GetValue(agreement)!, parsed.GetValue(period)!);
            IReadOnlyList<WaitingRecord> waiting =
                ClosePeriods.FindWaiting(ledger.Facts, query, ledger.ReadFrame);
            context.Write(SettlementRendering.Waiting(waiting));
            return Task.FromResult(waiting.Count == 0 ? Verb.Done : Verb.Refused);
        });
    }

    private static Command MakePositions()
    {
        Argument<string> period = Period();
        return new Command("positions", "What each party pays and receives by the statements of a period") { period }
            .Runs((parsed, context, _) =>
            {
                using var ledger = new SettlementReading(context.Data);
                string name = parsed.GetValue(period)!;
                StatementDocument[] statements =
                    [.. ledger.Statements(p => p.Name == name).Select(s => s.Document)];
                context.Write(SettlementRendering.Positions(name, statements));
                return Task.FromResult(Verb.Done);
            });
    }
}
