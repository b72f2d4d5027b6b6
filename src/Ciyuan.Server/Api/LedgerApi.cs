using System.ComponentModel;
using System.Text.Json;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>The answer to a ledger group that was done.</summary>
/// <param name="Status">done, or exists when it was sent before.</param>
/// <param name="Group">Where it stands in the journal.</param>
internal sealed record GroupAnswer(string Status, string Group);

/// <summary>The answer to a correction that was done.</summary>
/// <param name="Status">done, or exists when it was sent before.</param>
/// <param name="Records">How many records' charges it changed.</param>
/// <param name="ToSeq">Last frame that it looked at; what is left is asked for by another, from the next frame
/// on.</param>
internal sealed record CorrectionAnswer(
    string Status,
    [property: Description("How many records' charges it changed.")] int Records,
    [property: Description("Last frame that it looked at; 0 when sent before. A correction looks at some "
        + "32 000 records: while this is below the to_seq asked for, send another from the next frame on, under an id "
            + "of its own.")]
    long ToSeq);

/// <summary>Ledger groups and corrections.</summary>
internal sealed class LedgerApi(Shard shard, InFlight inFlight)
{
    /// <summary>POST /v1/ledger/groups</summary>
    internal async Task<IResult> PostGroupAsync(HttpContext http)
    {
        (GroupBody? body, Problem? problem) = await CommandBody.ReadAsync<GroupBody>(http, inFlight);
        if (body is null)
        {
            return problem!;
        }

        (LedgerGroup? group, string? fault) = body.FromApi();
        return group is null ? Problems.Malformed(fault!) : ToApi(await shard.PostAsync(group, CancellationToken.None));
    }

    /// <summary>POST /v1/corrections</summary>
    internal async Task<IResult> PostCorrectionAsync(HttpContext http)
    {
        (CorrectionBody? body, Problem? problem) = await CommandBody.ReadAsync<CorrectionBody>(http, inFlight);
        if (body is null)
        {
            return problem!;
        }

        (Correction? correction, string? fault) = body.FromApi();
        fault ??= correction!.ToSeq > shard.DurableSeq
            ? $"to_seq: {correction.ToSeq} is after the last frame, {shard.DurableSeq}"
            : null;
        return fault is not null
            ? Problems.Malformed(fault)
            : ToApi(await shard.CorrectAsync(correction!, CancellationToken.None));
    }

    private static IResult ToApi(CorrectionResult result) => result.Status is LedgerStatus.Done or LedgerStatus.Exists
        ? Results.Json(
            new CorrectionAnswer(NameOf(result.Status), result.Count, result.ToSeq), CommandBody.Json)
        : Refuse(result.Status, -1);

    private static IResult ToApi(GroupReply reply)
    {
        LedgerStatus outcome = reply.Status == LedgerStatus.Exists ? reply.Earlier : reply.Status;
        return outcome == LedgerStatus.Done
            ? Results.Json(
                new GroupAnswer(NameOf(reply.Status), $"{reply.Position.Seq}.{reply.Position.Index}"), CommandBody.Json)
            : Refuse(outcome, reply.FailedOperation);
    }

    private static Problem Refuse(LedgerStatus status, int failedOperation)
    {
        string detail = Explain(status);
        Problem problem = status == LedgerStatus.Conflict ? Problems.Conflict(detail) : Problems.Refused(detail);
        return problem with
        {
            Extra = json =>
            {
                json.WriteString("outcome", NameOf(status));
                if (failedOperation >= 0)
                {
                    json.WriteNumber("failed_operation", failedOperation);
                }
            },
        };
    }

    private static string NameOf(LedgerStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());

    private static string Explain(LedgerStatus status) => status switch
    {
        LedgerStatus.Conflict => "Another content was sent under this source and id. Send this one under an id of "
            + "its own.",
        LedgerStatus.Malformed => "No operation, too many, an id too long, or a field missing. GET /openapi/v1.json "
            + "has the form.",
        LedgerStatus.AmountOutOfRange => "An amount must be above zero; what is settled may be zero.",
        LedgerStatus.AccountNotFound => "There is no such account in that currency. GET /v1/balances lists the "
            + "accounts.",
        LedgerStatus.AccountsAreSame => "Debit and credit are the same account.",
        LedgerStatus.AccountIsKept => "The account is kept by the engine and takes no postings by hand.",
        LedgerStatus.AccountExpired => "The funding account has expired. Open another one.",
        LedgerStatus.PartyNotFound => "There is no such party. POST /v1/setup adds it.",
        LedgerStatus.HoldExpiresTooSoon => "The hold's end is not after the server's time.",
        LedgerStatus.HoldExists => "A hold with this id was placed before. Give this one an id of its own.",
        LedgerStatus.HoldNotOpen => "There is no open hold with this id: it was never placed, or it has ended.",
        LedgerStatus.ExceedsHold => "More is to be settled than was held, beyond the overrun limit.",
        LedgerStatus.InsufficientFunds => "The account, or the party's funding, does not cover the amount. Pay in "
            + "first.",
        LedgerStatus.GroupNotFound => "There is no such posted group of this source.",
        LedgerStatus.AlreadyReversed => "The group has been reversed already.",
        LedgerStatus.TooManyHolds => "Too many holds are open. Settle or release some.",
        _ => "Refused.",
    };
}
