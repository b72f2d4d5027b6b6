using System.CommandLine;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan forecast balances|budgets</c>: what runs out, and when. Reads beside a running server.</summary>
internal static class ForecastVerb
{
    internal static Command Make() =>
        new("forecast", "Balances that run out and when, spend against budgets") { MakeBalances(), MakeBudgets() };

    private static Command MakeBalances()
    {
        Option<string?> at = At();
        var days = new Option<int>("--days")
        {
            Description = $"Days looked back at, 1 to {Forecast.MostDays}",
            DefaultValueFactory = _ => Forecast.DefaultDays,
        };
        return new Command("balances", "Each consumer's funding: use per day, when it runs out") { at, days }.Runs(
            (parsed, context, cancel) =>
            {
                int back = parsed.GetValue(days);
                if (back is < 1 or > Forecast.MostDays)
                {
                    throw new WrongUsageException($"--days: from 1 to {Forecast.MostDays}");
                }

                Timestamp now = Read(at, parsed, context);
                (_, IReadOnlyList<AccountView> accounts) = Balances.Now(context.Data, cancel: cancel);
                using var facts = new Facts(context.Data);
                context.Write(ForecastRendering.Render(
                    Forecast.Balances(facts.Store, accounts, now, back, context.Zone), now, back));
                return Task.FromResult(Verb.Done);
            });
    }

    private static Command MakeBudgets()
    {
        Option<string?> at = At();
        return new Command("budgets", "Each budget: spent, left, expected at its end") { at }.Runs(
            (parsed, context, cancel) =>
            {
                Timestamp now = Read(at, parsed, context);
                (Catalog catalog, _) = Balances.TermsNow(context.Data, cancel: cancel);
                using var facts = new Facts(context.Data);
                context.Write(ForecastRendering.Render(Forecast.Budgets(facts.Store, catalog, now), now));
                return Task.FromResult(Verb.Done);
            });
    }

    private static Option<string?> At() =>
        new("--at") { Description = "The moment from which is looked; else now", HelpName = "TIME" };

    private static Timestamp Read(Option<string?> at, ParseResult parsed, VerbContext context) =>
        parsed.GetValue(at) is { } text ? GlobalOptions.ReadTime("--at", text, context)
            : Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
}
