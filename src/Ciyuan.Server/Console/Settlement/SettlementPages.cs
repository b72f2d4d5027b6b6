using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Server.Statements;
using Ciyuan.Settlement;
using Ciyuan.Storage;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Server.Console.Settlement;

/// <summary>The closing calendar.</summary>
/// <param name="Months">Its months, the oldest first.</param>
/// <param name="Rows">A row for each agreement.</param>
/// <param name="Ready">What can be done now; empty for those who may not.</param>
internal sealed record CalendarModel(
    IReadOnlyList<YearMonth> Months, IReadOnlyList<CalendarRow> Rows, IReadOnlyList<ReadyStep> Ready);

/// <summary>The periods of an agreement.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Periods">The newest first.</param>
internal sealed record AgreementPeriodsModel(Agreement Agreement, IReadOnlyList<CalendarPeriod> Periods);

/// <summary>A period of an agreement.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Terms">Its terms then.</param>
/// <param name="Period">The period.</param>
/// <param name="Statement">Its statement; a draft while it is open.</param>
/// <param name="Step">What the platform may do now; null: nothing.</param>
/// <param name="FreezesFrom">From when it may be frozen.</param>
/// <param name="Waiting">Records in the way of a split.</param>
/// <param name="Sides">The sides for which the visitor may sign.</param>
internal sealed record PeriodModel(
    Agreement Agreement, SettlementTerms Terms, CalendarPeriod Period, StatementDocument Statement,
    SettlementAction? Step, Timestamp FreezesFrom, IReadOnlyList<WaitingRecord> Waiting,
    IReadOnlyList<AgreementSide> Sides);

/// <summary>A dispute in the list.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Period">The period.</param>
/// <param name="Dispute">The dispute.</param>
internal sealed record DisputeLine(Agreement Agreement, string Period, SettlementDispute Dispute);

/// <summary>结算 Settlement: the closing calendar, periods and their statements, disputes.</summary>
internal static class SettlementPages
{
    internal const string Path = "/console/settlement";
    internal const string Source = "console";

    private const int ShownMonths = 4;
    private const int MostPeriods = 400;

    internal static readonly UserRole[] Signers = [UserRole.Operator, UserRole.Finance, UserRole.Counterparty];

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.All, CalendarAsync),
        new("GET", Path + ".csv", ConsoleRoute.All, CalendarCsvAsync),
        new("GET", Path + "/agreement", ConsoleRoute.All, AgreementAsync),
        new("GET", Path + "/period", ConsoleRoute.All, PeriodAsync),
        new("GET", Path + "/statement", ConsoleRoute.All, StatementAsync),
        new("GET", Path + "/disputes", ConsoleRoute.All, DisputesAsync),
        new("GET", Path + "/disputes.csv", ConsoleRoute.All, DisputesCsvAsync),
        new("POST", Path + "/close", ConsoleRoute.Money, SettlementSteps.CloseAsync),
        new("POST", Path + "/sign", Signers, SettlementSteps.SignAsync),
        new("POST", Path + "/dispute", Signers, SettlementSteps.DisputeAsync),
        new("POST", Path + "/resolve", ConsoleRoute.Money, SettlementSteps.ResolveAsync),
        .. ReconcilePages.Routes,
    ];

    /// <summary>The calendar as the visitor sees it.</summary>
    internal static async Task<ClosingCalendar> FindAsync(Visit visit) => new(
        await visit.Desk.Shard.SettlementAsync(visit.Http.RequestAborted), visit.Scope.Sees, visit.Now);

    /// <summary>The page of a period.</summary>
    internal static string LinkOf(string agreement, string period) =>
        Visit.Link(Path + "/period", ("agreement", agreement), ("period", period));

    /// <summary>The sides of an agreement that a visitor may sign for: a counterparty its own, the platform's people
    /// the platform's; where it is on neither side, either.</summary>
    internal static AgreementSide[] SidesOf(Visit visit, Agreement agreement)
    {
        string party = visit.Scope.IsAll ? visit.Desk.Catalog.Platform : visit.Scope.Party;
        return !visit.Is(Signers) ? []
            : agreement.Setup.Payer == party ? [AgreementSide.Payer]
            : agreement.Setup.Payee == party ? [AgreementSide.Payee]
            : visit.Scope.IsAll ? [AgreementSide.Payer, AgreementSide.Payee]
            : [];
    }

    private static async Task CalendarAsync(Visit visit)
    {
        ClosingCalendar calendar = await FindAsync(visit);
        YearMonth[] months = MonthsOf(visit);
        await visit.PageAsync<CalendarSheet>(visit.T("nav.settlement"), new CalendarModel(
            months, [.. calendar.Rows(months)], visit.Is(ConsoleRoute.Money) ? calendar.Ready() : []));
    }

    private static async Task CalendarCsvAsync(Visit visit)
    {
        var table = new Table([
            new("agreement"), new("period"), new("state"), new("currency"), new("due", true), new("held", true),
            new("granted", true), new("payable", true), new("pay_before")]);
        foreach (CalendarRow row in (await FindAsync(visit)).Rows(MonthsOf(visit)))
        {
            foreach (CalendarPeriod period in row.Months.SelectMany(m => m))
            {
                SettledPeriod? split = period.Settled is { Split: not null } settled ? settled : null;
                table.Add(
                    row.Agreement.Id, period.Period.Name, period.State.ToString().ToLowerInvariant(),
                    row.Agreement.Currency.ToString(), $"{split?.Due}", $"{split?.Held}", $"{split?.Granted}",
                    split?.Final is null ? "" : $"{split.Payable}", split?.Final is null ? "" : $"{split.PayUntil}");
            }
        }

        await visit.CsvAsync(table, "periods");
    }

    private static YearMonth[] MonthsOf(Visit visit)
    {
        YearMonth last = YearMonthPattern.Iso.Parse(visit.Query("until")) is { Success: true } until
            ? until.Value
            : visit.Now.ToInstant().InZone(visit.Zone).Date.ToYearMonth();
        return [.. Enumerable.Range(1 - ShownMonths, ShownMonths).Select(last.PlusMonths)];
    }

    private static async Task AgreementAsync(Visit visit)
    {
        ClosingCalendar calendar = await FindAsync(visit);
        Agreement? agreement = calendar.Agreements.FirstOrDefault(a => a.Id == visit.Query("agreement"));
        if (agreement is null)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        await visit.PageAsync<AgreementPeriodsSheet>(agreement.Id, new AgreementPeriodsModel(
            agreement, [.. calendar.PeriodsOf(agreement.Id).Reverse().Take(MostPeriods)]));
    }

    private static async Task PeriodAsync(Visit visit)
    {
        ClosingCalendar calendar = await FindAsync(visit);
        string id = visit.Query("agreement");
        if (calendar.Find(id, visit.Query("period")) is not { } period)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        Agreement agreement = calendar.State.Catalog.FindAgreement(id)!;
        PeriodModel model = await visit.Desk.WorkAsync(
            () => MakePeriod(visit, calendar, agreement, period), visit.Http.RequestAborted);
        await visit.PageAsync<PeriodSheet>($"{id} {period.Period.Name}", model);
    }

    private static PeriodModel MakePeriod(
        Visit visit, ClosingCalendar calendar, Agreement agreement, CalendarPeriod period)
    {
        Shard shard = visit.Desk.Shard;
        SettlementState state = calendar.State;
        SettlementTerms terms = state.Catalog.TermsAt(agreement.Id, period.Period.Span.Start)
            ?? state.Catalog.TermsOf(agreement.Id)[0];
        byte[] bytes = ClosePeriods.FindBytes(
            shard, state, agreement.Id, period.Period, ClosingCalendar.OptionsOf(visit.User!.Id));
        StatementDocument statement = StatementDocument.TryRead(bytes)!;
        bool waits = statement.SuspenseCharges > 0 && period.State == PeriodState.Frozen && visit.Scope.IsAll;
        SettledPeriod[] before =
            [.. state.Calendar.Of(agreement.Id).TakeWhile(p => p.Name != period.Period.Name)];
        bool isNext = state.Calendar.NextOf(agreement.Id, state.Catalog.TermsOf(agreement.Id)).Name
            == period.Period.Name;
        SettlementAction? step = period.Settled is null && !isNext ? null : calendar.NextStep(
            agreement.Id, period, before.All(p => p.State >= PeriodState.Split),
            before.All(p => p.State == PeriodState.Final));
        return new PeriodModel(
            agreement, terms, period, statement, step, calendar.FreezesFrom(agreement.Id, period),
            waits ? ClosePeriods.FindWaiting(
                shard.Facts, state.Calendar.QueryOf(period.Settled!, terms), seq => shard.ReadFrame(seq)!) : [],
            SidesOf(visit, agreement));
    }

    private static async Task StatementAsync(Visit visit)
    {
        ClosingCalendar calendar = await FindAsync(visit);
        string agreement = visit.Query("agreement");
        if (calendar.Find(agreement, visit.Query("period")) is not { } period
            || !Enum.TryParse(visit.Query("form"), ignoreCase: true, out StatementForm form)
            || !Enum.IsDefined(form))
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        SheetKind kind = visit.Query("kind") == "settlement" ? SheetKind.Settlement : SheetKind.Statement;
        try
        {
            byte[] file = await visit.Desk.WorkAsync(() => StatementForms.Write(
                ClosePeriods.FindBytes(visit.Desk.Shard, calendar.State, agreement, period.Period,
                    ClosingCalendar.OptionsOf(visit.User!.Id)),
                period.Settled, form, visit.Language == Language.Chinese, kind,
                reconciled: StatementForms.Reconciled(calendar.State.Catalog, period.Settled)),
                visit.Http.RequestAborted);
            await visit.FileAsync(file, form, string.Create(
                CultureInfo.InvariantCulture, $"{kind}-{agreement}-{period.Period.Name}").ToLowerInvariant());
        }
        catch (FontMissingException missing)
        {
            await visit.FailAsync(503, "error.font", missing.Message);
        }
    }

    // A page to read opens in the browser, with its own looks; other forms are kept.
    private static Task FileAsync(this Visit visit, byte[] file, StatementForm form, string name)
    {
        Microsoft.AspNetCore.Http.HttpResponse response = visit.Http.Response;
        response.ContentType = StatementForms.MediaTypeOf(form);
        response.ContentLength = file.Length;
        string extension = form.ToString().ToLowerInvariant();
        string way = form is StatementForm.Html or StatementForm.Pdf ? "inline" : "attachment";
        response.Headers.ContentDisposition = $"{way}; filename=\"{name}.{extension}\"";
        response.Headers.ContentSecurityPolicy = form == StatementForm.Html
            ? $"default-src 'none'; style-src '{SheetHtml.StyleHash}'; base-uri 'none'; frame-ancestors 'none'"
            : "default-src 'none'; frame-ancestors 'none'";
        return response.Body.WriteAsync(file, visit.Http.RequestAborted).AsTask();
    }

    private static async Task DisputesAsync(Visit visit) =>
        await visit.PageAsync<DisputesSheet>(visit.T("settle.disputes"), await FindDisputesAsync(visit));

    private static async Task DisputesCsvAsync(Visit visit)
    {
        var table = new Table([
            new("agreement"), new("period"), new("dispute"), new("side"), new("by"), new("time"), new("currency"),
            new("amount", true), new("reason"), new("granted", true), new("resolved_by"), new("resolved")]);
        foreach (DisputeLine line in await FindDisputesAsync(visit))
        {
            SettlementDispute d = line.Dispute;
            table.Add(
                line.Agreement.Id, line.Period, d.Id, d.Side.ToString().ToLowerInvariant(), d.By, d.Time.ToString(),
                line.Agreement.Currency.ToString(), d.Amount.ToString(), d.Reason,
                d.Resolved is null ? "" : d.Granted.ToString(), d.Resolved?.By ?? "", $"{d.Resolved?.Time}");
        }

        await visit.CsvAsync(table, "disputes");
    }

    private static async Task<IReadOnlyList<DisputeLine>> FindDisputesAsync(Visit visit)
    {
        ClosingCalendar calendar = await FindAsync(visit);
        return
        [
            .. calendar.Agreements.SelectMany(a => calendar.State.Calendar.Of(a.Id)
                .SelectMany(p => p.Disputes.Select(d => new DisputeLine(a, p.Name, d))))
                .OrderBy(l => l.Dispute.Resolved is not null).ThenByDescending(l => l.Dispute.Time)
                .Take(MostPeriods),
        ];
    }
}
