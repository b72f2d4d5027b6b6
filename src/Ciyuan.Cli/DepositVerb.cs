using System.CommandLine;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan deposit PARTY FUNDING AMOUNT</c>: fills a funding account from the platform's cash
/// account.</summary>
internal static class DepositVerb
{
    private const string Source = "cli";

    internal static Command Make()
    {
        var party = new Argument<string>("PARTY") { Description = "The consumer" };
        var funding = new Argument<string>("FUNDING") { Description = "Id of the funding account" };
        var amount = new Argument<string>("AMOUNT") { Description = "In the account's currency (packs: tokens)" };
        var id = new Option<string>("--id")
        {
            Description = "Id of the deposit: sent again, it changes nothing",
            Required = true,
            HelpName = "ID",
        };
        var memo = new Option<string>("--memo")
        {
            Description = "Why",
            DefaultValueFactory = _ => "",
            HelpName = "TEXT",
        };
        var time = new Option<string?>("--time") { Description = "When it happened; else now", HelpName = "TIME" };
        var from = new Option<string?>("--from-account")
        {
            Description = "Account that is debited; else cash/main of the platform",
            HelpName = "PATH",
        };
        var command = new Command("deposit", "Fill a funding account") { party, funding, amount, id, memo, time, from };
        return command.Runs((parsed, context, cancel) =>
        {
            Amount value = ReadAmount(parsed.GetValue(amount)!);
            Timestamp? happened = parsed.GetValue(time) is { } given
                ? GlobalOptions.ReadTime("--time", given, context)
                : null;
            var deposit = new Deposit(
                parsed.GetValue(party)!, parsed.GetValue(funding)!, value, parsed.GetValue(id)!, happened,
                parsed.GetValue(memo)!, parsed.GetValue(from));
            return RunAsync(context, deposit, cancel);
        });
    }

    private static Amount ReadAmount(string text) => Amount.TryParse(text, out Amount value) && value > Amount.Zero
        ? value
        : throw new WrongUsageException($"AMOUNT: '{text}' must be a plain decimal above zero, with at most 12 places");

    /// <summary>A deposit to make; without a time, now.</summary>
    internal sealed record Deposit(
        string Party, string Funding, Amount Amount, string Id, Timestamp? Time, string Memo = "",
        string? FromAccount = null);

    internal static async Task<int> RunAsync(VerbContext context, Deposit deposit, CancellationToken cancel)
    {
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        AccountName account = await FindAsync(shard, deposit, cancel);
        string debit = deposit.FromAccount ?? $"{await FindPlatformAsync(shard, cancel)}/cash/main";
        var transfer = new PostTransfer(debit, account.Path, account.Currency, deposit.Amount);
        GroupReply reply = await PostAsync(shard, context.Data, deposit, transfer, cancel);
        if (reply.Status == LedgerStatus.Conflict)
        {
            throw new RefusedException(
                $"the id {deposit.Id} was used before with another amount, account, memo or time. "
                + "For another deposit, give another --id.");
        }

        LedgerStatus outcome = reply.Status == LedgerStatus.Exists ? reply.Earlier : reply.Status;
        if (outcome != LedgerStatus.Done)
        {
            throw new RefusedException(
                $"the deposit was refused: {outcome}. The outcome of the id {deposit.Id} is fixed: "
                + "put right what is wrong and send it under another --id.");
        }

        context.Write(Render(transfer, reply.Status == LedgerStatus.Exists));
        return Verb.Done;
    }

    private static async Task<AccountName> FindAsync(Shard shard, Deposit deposit, CancellationToken cancel)
    {
        IReadOnlyList<AccountView> accounts = await shard.BalancesAsync(cancel);
        string[] kinds = [.. Enum.GetNames<FundingKind>().Select(kind => kind.ToLowerInvariant())];
        AccountName[] found = [.. accounts.Select(account => account.Name)
            .Where(name => name.Path.Split('/') is [var party, var kind, var id]
                && party == deposit.Party && kinds.Contains(kind) && id == deposit.Funding)];
        return found.Length == 1 ? found[0] : throw new RefusedException(
            $"{deposit.Party} has no funding account '{deposit.Funding}': open it with ciyuan setup.");
    }

    /// <summary>Posts the deposit. Without a time it would never be the same again when it is sent again: then it has
    /// the time of the group that has its id.</summary>
    private static async Task<GroupReply> PostAsync(
        Shard shard, string folder, Deposit deposit, PostTransfer transfer, CancellationToken cancel)
    {
        Timestamp now = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
        var group = new LedgerGroup(Source, deposit.Id, deposit.Time ?? now, [transfer], deposit.Memo);
        GroupReply reply = await shard.PostAsync(group, cancel);
        if (reply.Status != LedgerStatus.Conflict || deposit.Time is not null)
        {
            return reply;
        }

        using SqliteJournal journal = SqliteJournal.OpenReadOnly(folder);
        LedgerGroup earlier = Facts.FramesFrom(journal, reply.Position.Seq).First().Groups[reply.Position.Index];
        return await shard.PostAsync(group with { EventTime = earlier.EventTime }, cancel);
    }

    private static async Task<string> FindPlatformAsync(Shard shard, CancellationToken cancel)
    {
        string platform = (await shard.CatalogAsync(cancel)).Platform;
        return platform.Length > 0
            ? platform
            : throw new RefusedException("there is no platform party yet: run ciyuan setup first.");
    }

    private static Rendering Render(PostTransfer transfer, bool wasThere)
    {
        string status = wasThere ? "exists" : "done";
        return new Rendering(
            () =>
            {
                var table = new Table(
                    [new("status"), new("debit"), new("credit"), new("amount", IsNumber: true), new("currency")]);
                table.Add(
                    status, transfer.Debit, transfer.Credit, transfer.Amount.ToString(), transfer.Currency.ToString());
                return table;
            },
            json =>
            {
                json.WriteStartObject();
                json.WriteString("status", status);
                json.WriteString("debit", transfer.Debit);
                json.WriteString("credit", transfer.Credit);
                json.WriteString("amount", transfer.Amount.ToString());
                json.WriteString("currency", transfer.Currency.ToString());
                json.WriteEndObject();
            });
    }
}
