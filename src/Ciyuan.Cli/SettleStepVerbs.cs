using System.CommandLine;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary>The steps of one period that people take: sign, dispute, resolve, finish.</summary>
internal static class SettleStepVerbs
{
    internal static Command MakeSign()
    {
        var hash = new Option<string>("--hash")
        {
            Description = "SHA-256 of the statement that was looked at",
            HelpName = "HEX",
            Required = true,
        };
        Option<string> side = Side();
        return Make(SettlementAction.Sign, "Sign a statement for one side", [hash, side], (step, parsed) => step with
        {
            Id = $"sign/{step.Agreement}/{step.Period}/{step.By}",
            Hash = parsed.GetValue(hash)!,
            Side = SideOf(parsed.GetValue(side)!),
        });
    }

    internal static Command MakeDispute()
    {
        Option<string> id = Id();
        Option<string> amount = Amount("--amount", "What is disputed, and held until it is resolved");
        Option<string> side = Side();
        return Make(
            SettlementAction.Dispute, "Dispute an amount of a statement", [id, amount, side],
            (step, parsed) => step with
            {
                Id = $"dispute/{step.Agreement}/{step.Period}/{parsed.GetValue(id)}",
                Dispute = parsed.GetValue(id)!,
                Amount = AmountOf(parsed.GetValue(amount)!),
                Side = SideOf(parsed.GetValue(side)!),
            });
    }

    internal static Command MakeResolve()
    {
        Option<string> id = Id();
        Option<string> granted = Amount("--granted", "What of it is granted and taken off; 0 for none");
        return Make(SettlementAction.Resolve, "End a dispute", [id, granted], (step, parsed) => step with
        {
            Id = $"resolve/{step.Agreement}/{step.Period}/{parsed.GetValue(id)}",
            Dispute = parsed.GetValue(id)!,
            Amount = AmountOf(parsed.GetValue(granted)!),
        });
    }

    internal static Command MakeFinish() => Make(
        SettlementAction.Finish, "Make the amount of a period final, to be paid", [], (step, _) => step);

    private static Command Make(
        SettlementAction action, string description, Option[] options,
        Func<SettlementCommand, ParseResult, SettlementCommand> fill)
    {
        Argument<string> agreement = SettleVerb.Agreement();
        Argument<string> period = SettleVerb.Period();
        Option<string> by = SettleVerb.By();
        Option<string> memo = SettleVerb.Text("--memo", "Why", "TEXT");
        string name = action.ToString().ToLowerInvariant();
        var command = new Command(name, description) { agreement, period, by, memo };
        foreach (Option option in options)
        {
            command.Options.Add(option);
        }

        return command.Runs(async (parsed, context, cancel) =>
        {
            (string one, string named) = (parsed.GetValue(agreement)!, parsed.GetValue(period)!);
            SettlementCommand step = fill(
                new SettlementCommand(
                    SettleVerb.Source, $"{name}/{one}/{named}", action, one, named, parsed.GetValue(by)!)
                {
                    Memo = parsed.GetValue(memo)!,
                },
                parsed);
            await using Shard shard = await Verb.OpenAsync(context, cancel);
            SettlementResult result = (await shard.SettleAsync([step], cancel))[0];
            if (result.Status is not (SettlementStatus.Done or SettlementStatus.Exists))
            {
                throw new RefusedException(
                    $"{SettlementRendering.NameOf(result.Status)}: {SettlementRendering.Explain(result.Status)}");
            }

            context.Write(SettlementRendering.Steps(name, [new ClosedPeriod(one, named, result)]));
            return Verb.Done;
        });
    }

    private static Option<string> Side() => GlobalOptions.Words("--side", "For which side", "payer", "payee");

    private static AgreementSide SideOf(string name) => name == "payer" ? AgreementSide.Payer : AgreementSide.Payee;

    private static Option<string> Id() => new("--id") { Description = "The dispute", HelpName = "ID", Required = true };

    private static Option<string> Amount(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "AMOUNT",
        Required = true,
    };

    private static Amount AmountOf(string text) => Quantities.Amount.TryParse(text, out Amount amount)
        ? amount
        : throw new WrongUsageException($"'{text}' is not an amount: write a plain decimal");
}
