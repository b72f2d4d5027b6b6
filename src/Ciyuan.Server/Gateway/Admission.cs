using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Server.Gateway;

/// <summary>A call that may go out: what is reserved for it, until it is settled.</summary>
internal sealed class Admission(KeyLoad load, long askedTokens)
{
    /// <summary>Budgets in which its most is reserved.</summary>
    internal List<BudgetLoad> Budgets { get; } = [];

    /// <summary>The most that it can cost.</summary>
    internal Money Most { get; set; }

    /// <summary>Whether a hold was placed.</summary>
    internal bool HasHold => HoldId.Length > 0;

    /// <summary>Id of the hold that is open: the call's, with the number of the try from the second on; empty: none was
    /// placed.</summary>
    internal string HoldId { get; set; } = "";

    /// <summary>What is held: money, or tokens of packs.</summary>
    internal Money Held { get; set; }

    /// <summary>Limit of the answer to put into the call; -1: none.</summary>
    internal long Limit { get; set; } = -1;

    /// <summary>Tokens of the input, at most, as counted by the model's vocabulary; -1: not counted, so bounded by the
    /// bytes of the call.</summary>
    internal long ExactInput { get; set; } = -1;

    /// <summary>Says the key's limits in the answer's headers.</summary>
    internal void WriteLimits(Call call) =>
        load.WriteHeaders(call.Caller.Access, call.Route.Protocol, call.Http.Response.Headers);

    /// <summary>Ends the reservations in memory; that of the ledger ends with the record.</summary>
    internal void Settle(long usedTokens, Money? cost)
    {
        load.Return(askedTokens, usedTokens);
        Amount spent = cost is { } c && c.Currency == Most.Currency ? c.Amount : Amount.Zero;
        Budgets.ForEach(budget => budget.Settle(Most.Amount, spent));
    }
}

/// <summary>
/// Step 1, Admit 准入: a key that may, limits that are kept, a price, and money: a hold for the most that the call can
/// cost, durable before the first byte goes out.
/// </summary>
internal sealed class Admit(
    Shard shard, KeyLimits limits, Budgets budgets, Pricing pricing, Recount recount, GatewayLimits times)
{
    /// <summary>Admits a call, or says why not; then nothing is reserved.</summary>
    internal async ValueTask<(Admission? Admission, GatewayRefusal? Refusal)> RunAsync(
        Call call, IReadOnlyList<Candidate> candidates)
    {
        KeyLoad load = limits.Of(call.Caller.Access);
        long asked = call.Facts.EstimatedInput + (call.Route.Writes ? Math.Max(0, call.Facts.MostOutput) : 0);
        if (load.Take(call.Caller.Access, asked) is { } exceeded)
        {
            load.WriteHeaders(call.Caller.Access, call.Route.Protocol, call.Http.Response.Headers);
            return (null, exceeded);
        }

        var admission = new Admission(load, asked);
        GatewayRefusal? refusal;
        try
        {
            refusal = await ReserveAsync(call, candidates, admission);
        }
        catch
        {
            admission.Settle(0, null);
            throw;
        }

        if (refusal is null)
        {
            return (admission, null);
        }

        admission.Settle(0, null);
        return (null, refusal);
    }

    // The wish for a long answer that the call does not state is given up first.
    private async ValueTask<GatewayRefusal?> ReserveAsync(
        Call call, IReadOnlyList<Candidate> candidates, Admission admission)
    {
        (long most, bool putIn) = FindMostOutput(call, candidates);
        GatewayRefusal? refusal = await TryReserveAsync(call, candidates, admission, most, putIn, "");
        // Bytes bound tokens some four times too high. Counting takes time, so only who would be refused waits for it.
        if (refusal?.Kind == RefusalKind.Funds && CountInput(call, candidates) is { } counted)
        {
            admission.ExactInput = counted;
            refusal = await TryReserveAsync(call, candidates, admission, most, putIn, "-exact");
        }

        if (refusal?.Kind == RefusalKind.Funds && call.Route.Writes && call.Facts.MostOutput < 0
            && most > GatewayLimits.LeastOutput)
        {
            refusal = await TryReserveAsync(call, candidates, admission, GatewayLimits.LeastOutput, true, "-short");
        }

        return refusal;
    }

    // The most that any of the upstreams may count; null when one of them has a vocabulary that is not known.
    private long? CountInput(Call call, IReadOnlyList<Candidate> candidates)
    {
        long most = 0;
        foreach (Candidate candidate in candidates)
        {
            if (call.SpeakTo(candidate).Spoken is not { } spoken
                || recount.Find(spoken.Route.Kind, candidate)?.Input(spoken.Route, spoken.Body) is not { } input)
            {
                return null;
            }

            most = Math.Max(most, input.Tokens + input.Error);
        }

        return most < call.Facts.MostInput ? most : null;
    }

    private static (long Most, bool PutIn) FindMostOutput(Call call, IReadOnlyList<Candidate> candidates)
    {
        if (!call.Route.Writes || call.Facts.MostOutput >= 0)
        {
            return (Math.Max(0, call.Facts.MostOutput), false);
        }

        int known = candidates.Min(c => c.Served.MaxOutput);
        return known > 0 ? (candidates.Max(c => c.Served.MaxOutput), false) : (GatewayLimits.AssumedOutput, true);
    }

    private async ValueTask<GatewayRefusal?> TryReserveAsync(
        Call call, IReadOnlyList<Candidate> candidates, Admission admission, long mostOutput, bool putIn, string group)
    {
        if (FindMost(call, candidates, admission.ExactInput, mostOutput) is not { } most)
        {
            return new GatewayRefusal(RefusalKind.Funds,
                $"No agreement of '{call.Caller.Key.Party}' has a price for model '{call.Facts.Model}'. Ask the "
                + "operator for one.");
        }

        if (budgets.Reserve(call.Policy, call.Caller.Key, most, call.Start, admission.Budgets) is { } overBudget)
        {
            return overBudget;
        }

        admission.Most = most;
        admission.Limit = putIn ? mostOutput : -1;
        if (most.Amount.IsZero)
        {
            return null;
        }

        var tokens = new Money(Amount.FromUnits(MostTokens(call, admission.ExactInput, mostOutput)), Currency.Tok);
        (LedgerStatus status, Money held) = await PlaceHoldAsync(call, most, tokens, group);
        if (status == LedgerStatus.Done)
        {
            (admission.HoldId, admission.Held) = (call.Id, held);
            return null;
        }

        admission.Budgets.ForEach(budget => budget.Settle(most.Amount, Amount.Zero));
        admission.Budgets.Clear();
        return ToRefusal(status, call, most);
    }

    // What money does not cover, tokens that were bought before may.
    private async ValueTask<(LedgerStatus Status, Money Held)> PlaceHoldAsync(
        Call call, Money most, Money tokens, string group)
    {
        LedgerStatus status = await PlaceHoldAsync(call, most, group);
        if (status != LedgerStatus.InsufficientFunds || !call.Route.Writes)
        {
            return (status, most);
        }

        LedgerStatus packs = await PlaceHoldAsync(call, tokens, group + "-pack");
        return packs == LedgerStatus.InsufficientFunds ? (status, most) : (packs, tokens);
    }

    private static long MostTokens(Call call, long exactInput, long mostOutput) =>
        (exactInput >= 0 ? exactInput : call.Facts.MostInput)
        + (Math.Min(mostOutput, GatewayLimits.MostOutput) * Math.Min(call.Facts.Answers, GatewayLimits.MostAnswers));

    private Money? FindMost(Call call, IReadOnlyList<Candidate> candidates, long exactInput, long mostOutput)
    {
        CallFacts facts = call.Facts;
        long answers = Math.Min(facts.Answers, GatewayLimits.MostAnswers);
        long output = call.Route.Kind switch
        {
            CallKind.Speech => facts.Bytes * 20L, // some 20 tokens of sound for a word of one letter and a space
            CallKind.Transcription => facts.Bytes / 8, // a second of the thinnest sound is 1 000 bytes
            CallKind.ImageGeneration or CallKind.ImageEdit => GatewayLimits.TokensOfPicture * answers,
            _ => Math.Min(mostOutput, GatewayLimits.MostOutput) * answers,
        };
        long images = call.Route.Kind is CallKind.ImageGeneration or CallKind.ImageEdit ? answers : 0;
        long seconds = call.Route.Kind == CallKind.Transcription ? (facts.Bytes / 1_000) + 1 : 0;
        var usage = new MostUsage(
            call.Route.Kind == CallKind.CountTokens ? 0 : exactInput >= 0 ? exactInput : facts.MostInput,
            output, images, facts.Bytes, seconds);
        Money? most = null;
        foreach (Candidate candidate in candidates)
        {
            if (pricing.FindMost(call.Policy, call.ContextAt(candidate), call.Start, usage) is not { } money)
            {
                return null;
            }

            most = most is null || money.Amount > most.Value.Amount ? money : most;
        }

        return most;
    }

    /// <summary>
    /// Gives a further try of a call a hold of its own, durable before the try goes out; that of the try before, which
    /// billed nothing, ends in the same group. False when there is no money for it any more: then nothing goes out.
    /// </summary>
    internal async ValueTask<bool> HoldRetryAsync(Call call, Admission admission)
    {
        if (!admission.HasHold)
        {
            return true;
        }

        string hold = string.Create(CultureInfo.InvariantCulture, $"{call.Id}{OpenCall.TryMark}{call.Attempts + 1}");
        LedgerStatus status = await PostAsync(
            call, hold, [new ReleaseHold(admission.HoldId), MakeHold(call, hold, admission.Held)]);
        admission.HoldId = status == LedgerStatus.Done ? hold : admission.HoldId;
        return status == LedgerStatus.Done;
    }

    private ValueTask<LedgerStatus> PlaceHoldAsync(Call call, Money most, string suffix) =>
        PostAsync(call, call.Id + suffix, [MakeHold(call, call.Id, most)]);

    private PlaceHold MakeHold(Call call, string hold, Money most) => new(
        hold, call.Caller.Key.Party, most.Currency, most.Amount,
        call.Start.PlusNanoseconds((long)times.HoldTime.TotalSeconds * Timestamp.PerSecond));

    private async ValueTask<LedgerStatus> PostAsync(Call call, string group, LedgerOperation[] operations)
    {
        // A client that leaves now has not been served: its hold is released by the record of a failed call.
        GroupReply reply = await shard.PostBrieflyAsync(
            new LedgerGroup(GatewayRecorder.Source, group, call.Start, operations, OpenCall.Describe(call)));
        return reply.Status;
    }

    private static GatewayRefusal ToRefusal(LedgerStatus status, Call call, Money most) => status switch
    {
        LedgerStatus.InsufficientFunds => new GatewayRefusal(RefusalKind.Funds,
            $"The money of '{call.Caller.Key.Party}' does not cover the {most.Amount} {most.Currency} that this call "
            + "can cost at most. Pay in, or ask for a shorter answer."),
        LedgerStatus.TooManyHolds => new GatewayRefusal(
            RefusalKind.Busy, "Too many calls are under way. Send the call again later.")
        { RetryAfterSeconds = 1 },
        _ => new GatewayRefusal(RefusalKind.Internal, $"The hold was refused: {status}."),
    };
}
