using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Server.Console.Settlement;

/// <summary>Steps that are taken in the console, each in the name of who is signed in.</summary>
internal static class SettlementSteps
{
    private const int MostRefusals = 50;

    /// <summary>Freezes, splits or finishes a period of one agreement, or of all that are ready.</summary>
    internal static async Task CloseAsync(Visit visit)
    {
        string agreement = visit.Field("agreement");
        string period = visit.Field("period");
        CloseOptions options = ClosingCalendar.OptionsOf(visit.User!.Id) with
        {
            AcceptWaiting = visit.Field("accept") == "1",
        };
        IReadOnlyList<ClosedPeriod>? closed = visit.Field("action") switch
        {
            "freeze" => await ClosePeriods.FreezeAsync(visit.Desk.Shard, agreement, period, options),
            "split" => await await visit.Desk.WorkAsync(
                () => ClosePeriods.SplitAsync(visit.Desk.Shard, agreement, period, options), default),
            "finish" => await FinishAsync(visit, agreement, period),
            _ => null,
        };
        if (closed is null or { Count: 0 })
        {
            await visit.FailAsync(422, "error.refused", visit.T("settled.WrongState"));
            return;
        }

        await AnswerAsync(visit, closed, agreement.Length > 0 ? SettlementPages.LinkOf(agreement, period) : null);
    }

    /// <summary>Signs a statement for a side of its agreement.</summary>
    internal static async Task SignAsync(Visit visit)
    {
        if (await FindAsync(visit) is { } step)
        {
            await TakeAsync(visit, step with
            {
                Action = SettlementAction.Sign,
                Id = $"sign/{step.Agreement}/{step.Period}/{step.By}",
                Hash = visit.Field("hash"),
            });
        }
    }

    /// <summary>Disputes an amount.</summary>
    internal static async Task DisputeAsync(Visit visit)
    {
        if (await FindAsync(visit) is not { } step)
        {
            return;
        }

        string id = visit.Field("dispute").Trim();
        if (!Amount.TryParse(visit.Field("amount").Trim(), out Amount amount))
        {
            await visit.FailAsync(422, "error.refused", visit.T("settled.AmountOutOfRange"));
            return;
        }

        await TakeAsync(visit, step with
        {
            Action = SettlementAction.Dispute,
            Id = $"dispute/{step.Agreement}/{step.Period}/{id}",
            Dispute = id,
            Amount = amount,
        });
    }

    /// <summary>Ends a dispute.</summary>
    internal static async Task ResolveAsync(Visit visit)
    {
        string id = visit.Field("dispute");
        if (!Amount.TryParse(visit.Field("amount").Trim(), out Amount granted))
        {
            await visit.FailAsync(422, "error.refused", visit.T("settled.AmountOutOfRange"));
            return;
        }

        (string agreement, string period) = (visit.Field("agreement"), visit.Field("period"));
        await TakeAsync(visit, new SettlementCommand(
            SettlementPages.Source, $"resolve/{agreement}/{period}/{id}", SettlementAction.Resolve, agreement, period,
            visit.User!.Id)
        {
            Dispute = id,
            Amount = granted,
            Memo = visit.Field("memo").Trim(),
        });
    }

    /// <summary>A step of the visitor for its side; null when there is no such agreement for it, which it has been told
    /// then.</summary>
    private static async Task<SettlementCommand?> FindAsync(Visit visit)
    {
        Agreement? agreement = visit.Desk.Catalog.FindAgreement(visit.Field("agreement"));
        AgreementSide[] sides = agreement is null || !visit.Scope.Sees(agreement.Id)
            ? []
            : SettlementPages.SidesOf(visit, agreement);
        AgreementSide side = Array.Find(sides, s => s.ToString() == visit.Field("side"));
        if (side == AgreementSide.None)
        {
            await visit.FailAsync(404, "error.id");
            return null;
        }

        return new SettlementCommand(
            SettlementPages.Source, "", SettlementAction.Sign, agreement!.Id, visit.Field("period"), visit.User!.Id)
        {
            Side = side,
            Memo = visit.Field("memo").Trim(),
        };
    }

    private static async Task<IReadOnlyList<ClosedPeriod>> FinishAsync(Visit visit, string agreement, string period)
    {
        string[] agreements = agreement.Length > 0 ? [agreement]
            : [.. (await SettlementPages.FindAsync(visit)).Ready()
                .Where(r => r.Action == SettlementAction.Finish && r.Period == period).SelectMany(r => r.Agreements)];
        SettlementResult[] results = await visit.Desk.Shard.SettleAsync([.. agreements.Select(a =>
            new SettlementCommand(SettlementPages.Source, $"finish/{a}/{period}", SettlementAction.Finish, a, period,
                visit.User!.Id))]);
        return [.. agreements.Zip(results, (a, result) => new ClosedPeriod(a, period, result))];
    }

    private static async Task TakeAsync(Visit visit, SettlementCommand step)
    {
        SettlementResult result = (await visit.Desk.Shard.SettleAsync([step]))[0];
        await AnswerAsync(
            visit, [new ClosedPeriod(step.Agreement, step.Period, result)],
            SettlementPages.LinkOf(step.Agreement, step.Period));
    }

    private static Task AnswerAsync(Visit visit, IReadOnlyList<ClosedPeriod> closed, string? next)
    {
        visit.Desk.ForgetBalances();
        ClosedPeriod[] refused =
            [.. closed.Where(c => c.Result.Status is not (SettlementStatus.Done or SettlementStatus.Exists))];
        return refused.Length == 0
            ? visit.GoAsync(next ?? SettlementPages.Path)
            : visit.FailAsync(422, closed.Count > refused.Length ? "settle.some" : "error.refused",
                [.. refused.Take(MostRefusals).Select(c =>
                    $"{c.Agreement} {c.Period}: {visit.T("settled." + c.Result.Status)}")]);
    }
}
