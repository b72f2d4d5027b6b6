using System.ComponentModel;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Server.Statements;
using Ciyuan.Settlement;
using Ciyuan.Storage;
using Ciyuan.Tokens.Standard;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>A close as it is sent.</summary>
[Description("Freezes or splits a period, of one agreement or of all that are ready for it.")]
internal sealed record CloseBody
{
    [Description("The period: a month such as 2026-10, or a day for daily cycles.")]
    public required string Period { get; init; }

    [Description("Only this agreement; all that are ready when left out.")]
    public string Agreement { get; init; } = "";

    [Description("Who takes the step: a person or a system.")]
    public required string By { get; init; }

    [Description("Why, for people.")]
    public string Memo { get; init; } = "";

    [Description("To split: goes on though usage waits for a price; it is booked once it has one.")]
    public bool AcceptWaiting { get; init; }

    /// <summary>How the period is closed.</summary>
    internal CloseOptions Options => new(SettlementApi.Source, By)
    {
        Memo = Memo,
        AcceptWaiting = AcceptWaiting,
        Standard = StatementForms.StandardTokens,
        StandardRule = StandardRule.Current.Id,
    };
}

/// <summary>The steps that people take.</summary>
internal enum StepBodyAction
{
    Sign = SettlementAction.Sign,
    Dispute = SettlementAction.Dispute,
    Resolve = SettlementAction.Resolve,
    Finish = SettlementAction.Finish,
}

/// <summary>A step as it is sent.</summary>
[Description("Signs, disputes, resolves or finishes a period.")]
internal sealed record StepBody
{
    [Description("Who sends it; ids are unique within it.")]
    public required string Source { get; init; }

    [Description("1 to 256 characters; sent again, the step does nothing. What was refused may be sent again.")]
    public required string Id { get; init; }

    [Description("The step.")]
    public required StepBodyAction Action { get; init; }

    [Description("The agreement.")]
    public required string Agreement { get; init; }

    [Description("The period.")]
    public required string Period { get; init; }

    [Description("The person that takes the step.")]
    public required string By { get; init; }

    [Description("Why, for people.")]
    public string Memo { get; init; } = "";

    [Description("To sign: SHA-256 of the statement that was looked at.")]
    public string Hash { get; init; } = "";

    [Description("To sign or dispute: for which side.")]
    public AgreementSide Side { get; init; }

    [Description("To dispute or resolve: the dispute's id.")]
    public string Dispute { get; init; } = "";

    [Description("To dispute: what is held. To resolve: what is granted. A decimal string.")]
    public string Amount { get; init; } = "0";

    /// <summary>The step, or what is wrong with it.</summary>
    internal (SettlementCommand? Step, string? Fault) FromApi() => Quantities.Amount.TryParse(Amount, out Amount amount)
        ? (new SettlementCommand(Source, Id, (SettlementAction)Action, Agreement, Period, By)
        {
            Memo = Memo,
            Hash = Hash,
            Side = Side,
            Dispute = Dispute,
            Amount = amount,
        }, null)
        : (null, "amount: write a decimal with at most 12 places as a string");
}

/// <summary>Calendars, their steps, and what is written of them.</summary>
internal sealed class SettlementApi(Shard shard, InFlight inFlight, ReadGate gate)
{
    /// <summary>Source of the steps that the server makes of a close.</summary>
    internal const string Source = "http";

    /// <summary>GET /v1/settlement/calendar</summary>
    internal async Task<IResult> GetCalendarAsync(
        [Description("Only this agreement.")] string? agreement,
        [Description("json (when left out) or csv.")] string? format)
    {
        SettlementState state = await shard.SettlementAsync();
        return gate.Run(format, () => SettlementRendering.Calendar(state, agreement ?? ""));
    }

    // Step 7 Settle
    /// <summary>POST /v1/settlement/freeze</summary>
    internal Task<IResult> PostFreezeAsync(HttpContext http) => CloseAsync(http, "freeze", body =>
        ClosePeriods.FreezeAsync(shard, body.Agreement, body.Period, body.Options));

    /// <summary>POST /v1/settlement/split</summary>
    internal Task<IResult> PostSplitAsync(HttpContext http) => CloseAsync(http, "split", body =>
        ClosePeriods.SplitAsync(shard, body.Agreement, body.Period, body.Options));

    /// <summary>POST /v1/settlement/steps</summary>
    internal async Task<IResult> PostStepAsync(HttpContext http)
    {
        (StepBody? body, Problem? problem) = await CommandBody.ReadAsync<StepBody>(http, inFlight);
        if (body is null)
        {
            return problem!;
        }

        (SettlementCommand? step, string? fault) = body.FromApi();
        if (step is null)
        {
            return Problems.Malformed(fault!);
        }

        SettlementResult result = (await shard.SettleAsync([step]))[0];
        return ToApi(
            step.Action.ToString().ToLowerInvariant(), [new ClosedPeriod(step.Agreement, step.Period, result)]);
    }

    /// <summary>GET /v1/settlement/{agreement}/{period}/statement</summary>
    internal async Task<IResult> GetStatementAsync(
        [Description("The agreement.")] string agreement,
        [Description("The period.")] string period,
        [Description("json (the stored bytes; when left out), html, pdf, csv or xlsx.")] string? form,
        [Description("zh (when left out) or en.")] string? lang,
        [Description("statement (when left out) or settlement: the agreed amount.")] string? kind,
        [Description("payer or payee: for whom.")] string? side)
    {
        if (!TryChoose(form, out StatementForm written) || !TryChoose(kind, out SheetKind sheet)
            || !TryChoose(side, out AgreementSide view) || lang is not (null or "" or "zh" or "en"))
        {
            return Problems.Malformed("form: json, html, pdf, csv or xlsx; lang: zh or en; kind: statement or "
                + "settlement; side: payer or payee");
        }

        (byte[]? bytes, SettledPeriod? settled, Problem? problem) = await FindAsync(agreement, period);
        if (bytes is null)
        {
            return problem!;
        }

        Catalog catalog = await shard.CatalogAsync();

        try
        {
            byte[] file = StatementForms.Write(
                bytes, settled, written, lang != "en", sheet, view, StatementForms.Reconciled(catalog, settled));
            return Results.Bytes(file, StatementForms.MediaTypeOf(written));
        }
        catch (FontMissingException missing)
        {
            return Problems.Refused(missing.Message);
        }
    }

    /// <summary>GET /v1/settlement/{agreement}/{period}/waiting</summary>
    internal async Task<IResult> GetWaitingAsync(
        [Description("The agreement.")] string agreement,
        [Description("The period.")] string period,
        [Description("json (when left out) or csv.")] string? format)
    {
        SettlementState state = await shard.SettlementAsync();
        if (FindTerms(state, agreement, period, out SettlementTerms? terms, out SettlementPeriod named) is { } problem)
        {
            return problem;
        }

        SettledPeriod? frozen = state.Calendar.Find(agreement, period);
        StatementQuery query = frozen is not null
            ? state.Calendar.QueryOf(frozen, terms!)
            : new StatementQuery(agreement, named.Span, terms!.Zone) { Booking = state.Calendar.BookingOf(agreement) };
        return gate.Run(format, () => SettlementRendering.Waiting(
            ClosePeriods.FindWaiting(shard.Facts, query, seq => shard.ReadFrame(seq)!)));
    }

    /// <summary>GET /v1/settlement/{agreement}/{period}/invoice</summary>
    internal async Task<IResult> GetInvoiceAsync(
        [Description("The agreement.")] string agreement,
        [Description("The period.")] string period,
        [Description("json (when left out) or csv.")] string? format)
    {
        (byte[]? bytes, SettledPeriod? settled, Problem? problem) = await FindAsync(agreement, period);
        InvoiceRequest? request = bytes is not null && settled?.State == PeriodState.Final
            ? InvoiceRequest.From(
                StatementDocument.TryRead(bytes)!, settled,
                StatementForms.Reconciled(await shard.CatalogAsync(), settled))
            : null;
        return request is not null
            ? gate.Run(format, request.Render)
            : problem ?? Problems.Refused(
                "There is nothing to invoice: the period is not final, or nothing was agreed.");
    }

    /// <summary>GET /v1/settlement/payments</summary>
    internal async Task<IResult> GetPaymentsAsync(
        [Description("The period; needed.")] string? period,
        [Description("json (when left out) or csv.")] string? format)
    {
        SettlementState state = await shard.SettlementAsync();
        return gate.Run(format, () => PaymentInstructions.Render(
        [
            .. state.Calendar.Periods.Where(p => p.Name == period && p.State == PeriodState.Final).Select(p =>
                (p, StatementDocument.TryRead(SettlementState.FindStatement(p, shard.ReadFrame)!)!)),
        ]));
    }

    private async Task<IResult> CloseAsync(
        HttpContext http, string action, Func<CloseBody, Task<IReadOnlyList<ClosedPeriod>>> close)
    {
        (CloseBody? body, Problem? problem) = await CommandBody.ReadAsync<CloseBody>(http, inFlight);
        if (body is null)
        {
            return problem!;
        }

        IReadOnlyList<ClosedPeriod> closed = await close(body);
        return closed.Count > 0
            ? ToApi(action, closed)
            : Problems.Refused($"No agreement is ready for this step of '{body.Period}'. GET /v1/settlement/calendar.");
    }

    // Of several, each has its own status; one alone that was refused is a problem.
    private IResult ToApi(string action, IReadOnlyList<ClosedPeriod> closed)
    {
        SettlementStatus status = closed[0].Result.Status;
        if (closed.Count > 1 || status is SettlementStatus.Done or SettlementStatus.Exists)
        {
            return gate.Run(null, () => SettlementRendering.Steps(action, closed));
        }

        string detail = SettlementRendering.Explain(status);
        Problem problem = status switch
        {
            SettlementStatus.Malformed => Problems.Malformed(detail),
            SettlementStatus.Conflict => Problems.Conflict(detail),
            _ => Problems.Refused(detail),
        };
        return problem with
        {
            Extra = json =>
            {
                json.WriteString("outcome", SettlementRendering.NameOf(status));
                if (closed[0].Waiting.Count > 0)
                {
                    json.WritePropertyName("waiting");
                    SettlementRendering.WriteWaiting(json, closed[0].Waiting);
                }
            },
        };
    }

    private async Task<(byte[]? Bytes, SettledPeriod? Period, Problem? Problem)> FindAsync(
        string agreement, string period)
    {
        SettlementState state = await shard.SettlementAsync();
        if (FindTerms(state, agreement, period, out _, out SettlementPeriod named) is { } problem)
        {
            return (null, null, problem);
        }

        CloseOptions options = new CloseBody { Period = period, By = Source }.Options;
        byte[] bytes = ClosePeriods.FindBytes(shard, state, agreement, named, options);
        return (bytes, state.Calendar.Find(agreement, period), null);
    }

    private static Problem? FindTerms(
        SettlementState state, string agreement, string name, out SettlementTerms? terms, out SettlementPeriod period)
    {
        IReadOnlyList<SettlementTerms> all = state.Catalog.TermsOf(agreement);
        terms = all.Count > 0 ? all[0] : null;
        period = default;
        return terms is null
                ? Problems.NotFound(state.Catalog.FindAgreement(agreement) is null
                    ? NearNames.Unknown("agreement", agreement, state.Catalog.Agreements.Select(a => a.Id))
                    : SettlementRendering.Explain(SettlementStatus.NoTerms))
            : terms.TryReadPeriod(name, out period) && period.Span.Start >= terms.First.Span.Start
                ? null
                : Problems.NotFound(SettlementRendering.Explain(SettlementStatus.PeriodUnknown));
    }

    private static bool TryChoose<T>(string? text, out T choice)
        where T : struct, Enum
    {
        choice = default;
        return string.IsNullOrEmpty(text) || (Enum.TryParse(text, ignoreCase: true, out choice)
            && Enum.GetNames<T>().Any(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)));
    }
}
