using System.CommandLine;
using Ciyuan.Parties;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan statement AGREEMENT</c>: what an agreement owes for a period. Reads beside a running
/// server.</summary>
internal static class StatementVerb
{
    internal static Command Make()
    {
        var agreement = new Argument<string>("AGREEMENT") { Description = "Id of the agreement" };
        var command = new Command("statement", "What an agreement owes for a period, line by line")
        {
            agreement, GlobalOptions.From, GlobalOptions.To, GlobalOptions.Period,
        };
        return command.Runs((parsed, context, _) =>
        {
            var query = new StatementQuery(
                parsed.GetValue(agreement)!, GlobalOptions.ReadPeriod(parsed, context), context.Zone);
            return Task.FromResult(Run(context, query));
        });
    }

    internal static int Run(VerbContext context, StatementQuery query)
    {
        using var ledger = new SettlementReading(context.Data);
        query = query with { Booking = ledger.State.Calendar.BookingOf(query.Agreement) };
        Statement statement = ledger.Facts.RunStatement(query);
        context.Write(StatementRendering.Render(statement.Found ? statement : Describe(statement, context.Data)));
        return Verb.Done;
    }

    // Nothing charged under it: it is new, or it is no agreement at all.
    private static Statement Describe(Statement statement, string folder)
    {
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(folder);
        var agreements = new Dictionary<string, AgreementSetup>(StringComparer.Ordinal);
        foreach (AgreementSetup agreement in Facts.SetupsOf(journal).SelectMany(setup => setup.Agreements))
        {
            agreements[agreement.Id] = agreement;
        }

        string wanted = statement.Query.Agreement;
        return agreements.TryGetValue(wanted, out AgreementSetup? known)
            ? statement.Of(known)
            : throw new RefusedException(NearNames.Unknown("agreement", wanted, agreements.Keys));
    }
}
