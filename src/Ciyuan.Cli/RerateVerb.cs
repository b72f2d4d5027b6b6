using System.CommandLine;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Server.Render;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan rerate</c>: takes charges back and makes them anew under the books as they are now.</summary>
internal static class RerateVerb
{
    private const string Source = "cli";

    internal static Command Make()
    {
        var agreement = new Option<string>("--agreement")
        {
            Description = "Only charges under this agreement, and those in suspense; else all",
            DefaultValueFactory = _ => "",
            HelpName = "ID",
        };
        var id = new Option<string>("--id") { Description = "Id of the correction", Required = true, HelpName = "ID" };
        var memo = new Option<string>("--memo")
        {
            Description = "Why",
            DefaultValueFactory = _ => "",
            HelpName = "TEXT",
        };
        var command = new Command("rerate", "Rate recorded usage again, by reversing entries; the records stay")
        {
            agreement, id, memo, GlobalOptions.From, GlobalOptions.To, GlobalOptions.Period,
        };
        return command.Runs(async (parsed, context, cancel) =>
        {
            await using Shard shard = await Verb.OpenAsync(context, cancel);
            var correction = new Correction(
                Source, parsed.GetValue(id)!, CorrectionMode.Rerate, FromSeq: 1, Math.Max(1, shard.DurableSeq),
                GlobalOptions.ReadPeriod(parsed, context), parsed.GetValue(agreement)!, Memo: parsed.GetValue(memo)!);
            CorrectionResult result = await shard.CorrectAsync(correction, cancel);
            if (result.Status is not (LedgerStatus.Done or LedgerStatus.Exists))
            {
                throw new RefusedException($"the correction was refused: {result.Status}. "
                    + "If its id was used before, with more or less usage recorded then, give another --id.");
            }

            context.Write(Render(result));
            return Verb.Done;
        });
    }

    private static Rendering Render(CorrectionResult result)
    {
        string status = result.Status == LedgerStatus.Exists ? "exists" : "done";
        return new Rendering(
            () =>
            {
                var table = new Table([new("status"), new("records_changed", IsNumber: true)])
                {
                    Notes = ["Charges that were right are left alone; reports show corrections in their event time"],
                };
                table.Add(status, $"{result.Records.Count}");
                return table;
            },
            json =>
            {
                json.WriteStartObject();
                json.WriteString("status", status);
                json.WriteNumber("records_changed", result.Records.Count);
                json.WriteEndObject();
            });
    }
}
