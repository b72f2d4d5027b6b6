using System.Globalization;
using Ciyuan.Quantities;
using Ciyuan.Server.Reconciling;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Server.Statements;

/// <summary>Which document is made of a statement.</summary>
public enum SheetKind
{
    /// <summary>对账单: itemised, to be confirmed.</summary>
    Statement,

    /// <summary>结算单: the amount that was agreed, what is held and carried over, and until when it is paid.</summary>
    Settlement,
}

/// <summary>Makes the documents that people read of a stored statement and the state of its period.</summary>
public sealed class StatementSheet
{
    private readonly StatementDocument _statement;
    private readonly SettledPeriod? _period;
    private readonly string _hash;
    private readonly bool _chinese;
    private readonly Currency _currency;
    private readonly IReadOnlyList<ReconciledClaim> _reconciled;

    /// <summary>Starts with a statement.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="hash">Its hash; empty for a draft.</param>
    /// <param name="period">The state of its period; null for a draft.</param>
    /// <param name="chinese">Chinese, else English.</param>
    /// <param name="reconciled">Reconciliations of the period, which a settlement note lists.</param>
    public StatementSheet(
        StatementDocument statement, string hash, SettledPeriod? period, bool chinese,
        IReadOnlyList<ReconciledClaim>? reconciled = null)
    {
        _statement = statement;
        _hash = hash;
        _period = period;
        _chinese = chinese;
        _currency = Currency.Parse(statement.Currency);
        _reconciled = reconciled ?? [];
    }

    /// <summary>The document.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="side">For whom: then it says whether the amount is payable (应付) or receivable (应收).</param>
    public Sheet Make(SheetKind kind, AgreementSide side = AgreementSide.None) => new()
    {
        Language = _chinese ? "zh-CN" : "en",
        Title = TitleOf(kind, side),
        Subtitle = $"{_statement.Agreement} · {_statement.Period}",
        Head = Head(),
        Tables = kind == SheetKind.Statement
            ? [Quantities(), Lines(corrects: false), .. Late(), Amounts(), Paid()]
            : [Amounts(), Agreed(), Paid(), .. Disputes(), .. Reconciled(), Signed()],
        Notes = Notes(),
        Signatures =
        [
            $"{T("付款方", "Payer")}: {_statement.Payer.Title}", $"{T("收款方", "Payee")}: {_statement.Payee.Title}",
        ],
        SignatureLine = T(
            "签字（盖章）：                                日期：",
            "Signature, seal:                                Date:"),
        Foot = _hash.Length == 0 ? T("草稿，未冻结", "Draft, not frozen") : $"SHA-256 {_hash}",
    };

    private string T(string chinese, string english) => _chinese ? chinese : english;

    private string TitleOf(SheetKind kind, AgreementSide side)
    {
        string title = kind == SheetKind.Statement ? T("对账单", "Statement of account") : T("结算单", "Settlement note");
        string draft = _period is null ? T("（草稿）", " (draft)") : "";
        string view = side switch
        {
            AgreementSide.Payer => T("（应付）", " – payable"),
            AgreementSide.Payee => T("（应收）", " – receivable"),
            _ => "",
        };
        return title + view + draft;
    }

    private List<SheetFact> Head()
    {
        StatementDocument s = _statement;
        List<SheetFact> head =
        [
            new(T("合约", "Agreement"), s.Agreement),
            new(T("账期", "Period"), $"{s.Period}  [{Local(s.From)}, {Local(s.To)})  {s.Zone}"),
            new(T("付款方", "Payer"), Name(s.Payer)),
            new(T("收款方", "Payee"), Name(s.Payee)),
            new(T("币种", "Currency"), s.Currency),
            new(T("结算周期", "Cycle"), Cycle(s.Terms.Cycle)),
            new(T("异议期/付款期", "Dispute window / payment term"),
                $"{Plain(s.Terms.DisputeDays)} / {Plain(s.Terms.PaymentDays)} {T("天", "days")}"),
        ];
        if (_period is not null)
        {
            head.Add(new(T("状态", "State"), State(_period.State)));
            head.Add(new(T("冻结", "Frozen"), $"{Local(_period.Frozen.Time.ToString())}, {_period.Frozen.By}, "
                + $"{T("帧", "frame")} {Plain(_period.Frozen.Seq)}"));
        }

        return head;
    }

    private SheetTable Quantities() => new(
        T("用量", "Quantities"),
        [
            new(T("计量项", "Meter")), new(T("原始", "Raw"), true), new(T("计费", "Billable"), true),
            new(T("其中词元包", "By packs"), true), new(T("标准词元", "Standard tokens"), true),
            new(T("误差", "Error ±"), true),
        ],
        [.. _statement.Quantities.Select(q => (string[])
            [
                q.Meter, Table.Group(q.Raw), Table.Group(q.Billable), Table.Group(q.ByPack),
                Or(Table.Group(q.Standard)), Or(Table.Group(q.StandardError)),
            ])]);

    private SheetTable Lines(bool corrects)
    {
        DocumentLine[] lines = [.. _statement.Lines.Where(l => l.Corrects.Length > 0 == corrects)];
        Amount sum = lines.Aggregate(Amount.Zero, (all, line) => all + Amount.Parse(line.Amount));
        List<SheetColumn> columns =
        [
            new(T("类别", "Kind")), new(T("模型", "Model")), new(T("计量项", "Meter")), new(T("价目及版本", "Price book")),
            new(T("单价", "Price"), true), new(T("单位", "Per")), new(T("数量", "Quantity"), true),
            new(T("词元包", "By packs"), true), new(T("次数", "Calls"), true), new(T("金额", "Amount"), true),
        ];
        if (corrects)
        {
            columns.Insert(0, new(T("更正账期", "Corrects")));
        }

        string[] Row(DocumentLine l) =>
        [
            .. corrects ? (string[])[l.Corrects] : [], Kind(l.Kind), l.Model, l.Meter,
            l.BookVersion == 0 ? l.Book : $"{l.Book} v{Plain(l.BookVersion)}", l.Price,
            l.Tiers.Length > 0 ? l.Tiers : Per(l.Per), Table.Group(l.Quantity), Table.Group(l.ByPack),
            l.Calls == 0 ? "" : Plain(l.Calls), Table.Group(l.Amount),
        ];
        string[] total = [.. Enumerable.Repeat("", columns.Count)];
        total[0] = T("合计", "Sum");
        total[^1] = Table.Group(sum.ToString());
        return new SheetTable(
            corrects ? T("对以前账期的更正", "Corrections of earlier periods") : T("本期明细", "Lines of the period"), columns,
            [.. lines.Select(Row)], total);
    }

    private IEnumerable<SheetTable> Late()
    {
        if (_statement.Late.Count == 0)
        {
            yield break;
        }

        yield return Lines(corrects: true);
        yield return new SheetTable(
            T("更正的来源", "Where the corrections stand"),
            [
                new(T("更正账期", "Corrects")), new(T("迟到记录", "Late records"), true),
                new(T("更正记录", "Corrected records"), true), new(T("日志帧", "Frames of the journal"), true),
                new(T("金额", "Amount"), true),
            ],
            [.. _statement.Late.Select(l => (string[])
                [
                    l.Period, Plain(l.Records), Plain(l.Corrections), $"{Plain(l.FirstSeq)}–{Plain(l.LastSeq)}",
                    Table.Group(l.Amount),
                ])]);
    }

    private SheetTable Amounts()
    {
        StatementDocument s = _statement;
        List<string[]> rows =
        [
            [T("明细合计（精确）", "Sum of the lines, exact"), Table.Group(s.Exact)],
            [T("精度差异（舍入）", "Rounding difference"), s.Rounding],
            [T("结算价款", "Price"), Money(s.Total)],
        ];
        if (s.Tax.Percent.Length > 0)
        {
            string mode = s.Tax.Mode == "included" ? T("价内", "included") : T("价外", "added");
            rows.Add([T("不含税金额", "Net"), Money(s.Tax.Net)]);
            rows.Add([$"{T("税额", "Tax")} {s.Tax.Percent}% ({mode})", Money(s.Tax.Tax)]);
        }

        rows.Add([T("价税合计", "Gross"), Money(s.Tax.Gross)]);
        rows.Add([T("价税合计（大写）", "Gross in capitals"), Capitals(s.Tax.Gross)]);
        return new SheetTable(
            T("金额", "Amounts"), [new(T("项目", "Item")), new($"{T("金额", "Amount")} {s.Currency}", true)], rows);
    }

    private SheetTable Paid() => new(
        T("资金来源", "Who paid"),
        [
            new(T("账户", "Account")), new(T("类别", "Kind")), new(T("精确金额", "Exact"), true),
            new(T("金额", "Amount"), true),
        ],
        [
            .. _statement.Paid.Select(p => (string[])
                [p.Account, Funding(p.Kind), Table.Group(p.Exact), Money(p.Amount)]),
            .. _statement.Packs.Select(p => (string[])
                [p.Account, Funding("pack"), $"{Table.Group(p.Tokens)} {T("词元", "tokens")}", ""]),
        ],
        [T("本期应付", "Due on this statement"), "", "", Money(_statement.Due)]);

    private SheetTable Agreed()
    {
        Amount due = Amount.Parse(_statement.Due);
        Amount held = _period?.Held ?? default;
        Amount granted = _period?.Granted ?? default;
        List<string[]> rows =
        [
            [T("本期应付", "Due on this statement"), Money(_statement.Due)],
            [T("争议暂扣", "Held for open disputes"), Money((-held).ToString())],
            [T("争议核减", "Granted in disputes"), Money((-granted).ToString())],
        ];
        Amount reconciled = SumOf(c => c.Owed);
        if (_reconciled.Count > 0)
        {
            rows.Add([T("对账差额", "Differences from reconciliations"), Money(reconciled.ToString())]);
        }

        rows.Add([T("本期净额", "Net of the period"), Money((due - held - granted + reconciled).ToString())]);
        if (SumOf(c => c.Held) is { IsZero: false } inDispute)
        {
            rows.Add([T("对账暂扣（未计入净额）", "Held for reconciliations, beside the net"),
                Money(inDispute.ToString())]);
        }

        if (_period?.State == PeriodState.Final)
        {
            rows.Add([T("结转下期", "Carried over"), Money(_period.Carried.ToString())]);
            rows.Add([T("应结算金额（含结转与对账差额）", "To be paid, with what was carried over or reconciled"),
                Money(_period.Payable.ToString())]);
            rows.Add([T("应结算金额（大写）", "In capitals"), Capitals(_period.Payable.ToString())]);
            rows.Add([T("付款期限", "To be paid before"), Local(_period.PayUntil.ToString())]);
        }

        return new SheetTable(
            T("结算", "Settlement"), [new(T("项目", "Item")), new($"{T("金额", "Amount")} {_statement.Currency}", true)],
            rows);
    }

    private IEnumerable<SheetTable> Disputes() => _period is not { Disputes.Count: > 0 } ? [] :
    [
        new SheetTable(
            T("异议", "Disputes"),
            [
                new(T("编号", "Id")), new(T("提出方", "Side")), new(T("提出人", "By")), new(T("理由", "Reason")),
                new(T("金额", "Amount"), true), new(T("核减", "Granted"), true), new(T("状态", "State")),
            ],
            [.. _period.Disputes.Select(d => (string[])
                [
                    d.Id, SideName(d.Side), d.By, d.Reason, Money(d.Amount.ToString()),
                    d.Resolved is null ? "" : Money(d.Granted.ToString()),
                    d.Resolved is null ? T("处理中", "open") : $"{T("已处理", "resolved")}, {d.Resolved.By}",
                ])]),
    ];

    private IEnumerable<SheetTable> Reconciled() => _reconciled.Count == 0 ? [] :
    [
        new SheetTable(
            T("对账", "Reconciliations"),
            [
                new(T("编号", "Id")), new(T("对方账单期间", "Period of their bill")), new(T("决定", "Decision")),
                new(T("签署人", "By")), new(T("差额", "Difference"), true), new(T("计入应付", "Owed"), true),
                new(T("暂扣", "Held"), true),
            ],
            [.. _reconciled.Select(c => (string[])
                [
                    c.Entry.Id, $"[{Local(c.Entry.From)}, {Local(c.Entry.To)})", Decision(c.Decision),
                    string.Join(", ", c.SignedBy), Money(c.Difference.ToString()), Money(c.Owed.ToString()),
                    Money(c.Held.ToString()),
                ])]),
    ];

    private Amount SumOf(Func<ReconciledClaim, Amount> of) =>
        _reconciled.Aggregate(Amount.Zero, (sum, claim) => sum + of(claim));

    private SheetTable Signed() => new(
        T("确认", "Signatures"),
        [new(T("签署人", "By")), new(T("代表", "For")), new(T("时间", "Time"))],
        [.. (_period?.Signatures ?? []).Select(s => (string[])[s.By, SideName(s.Side), Local(s.Time.ToString())])]);

    private List<string> Notes()
    {
        StatementDocument s = _statement;
        List<string> notes =
        [
            T(
                $"口径：按事件时间归期；冻结后到达或更正的，记入下一期并注明所更正的账期。本期记录 {Count(s.Records)} 条，计费 "
                    + $"{Count(s.CallsBilled)} 条，更正 {Count(s.Corrections)} 条；数据截至第 {Plain(s.FrozenSeq)} 帧之前。",
                $"Scope: by event time; what came or was corrected after the freeze is booked in the next period and "
                    + $"names the one it corrects. {Count(s.Records)} records, {Count(s.CallsBilled)} billed, "
                    + $"{Count(s.Corrections)} corrections; all frames of the journal before {Plain(s.FrozenSeq)}."),
            T(
                "明细金额精确到小数点后 12 位，只在合计时舍入到最小货币单位（四舍六入五成双），差异单列；税额四舍五入。",
                "Amounts of lines are exact to 10⁻¹²; the sum alone is rounded to the minor unit, half to even, with "
                    + "its difference as a line; tax is rounded half up."),
        ];
        if (s.StandardRule.Length > 0)
        {
            notes.Add(T(
                $"标准词元按规则 {s.StandardRule} 由各模型合计数换算，仅供统计，不作结算依据。",
                $"Standard tokens are converted by rule {s.StandardRule} from the sums of each model; they are for "
                    + "comparison, not for settlement."));
        }

        AddLeftOut(notes);
        return notes;
    }

    private void AddLeftOut(List<string> notes)
    {
        StatementDocument s = _statement;
        if (s.SuspenseCharges != 0)
        {
            string waiting = string.Join(", ", s.Suspense.Select(w => $"{Table.Group(w.Quantity)} {w.Unit}"));
            notes.Add(T(
                $"未计入：{Count(s.SuspenseCharges)} 笔待定价（{waiting}），定价后记入其后账期。",
                $"Not included: {Count(s.SuspenseCharges)} charges that wait for a price ({waiting}); once priced they "
                    + "are booked later."));
        }

        if (s.KeptAside > 0)
        {
            notes.Add(T(
                $"未计入：全账本本期有 {Count(s.KeptAside)} 个编号重复而内容不同的事件，另行保存。",
                $"Not included: {Count(s.KeptAside)} events of the whole ledger kept aside as conflicts."));
        }
    }

    private string Kind(string kind) => kind switch
    {
        "usage" => T("用量", "usage"),
        "per_call" => T("按次", "per call"),
        "share" => T("分成", "share"),
        "taken_back" => T("冲回", "taken back"),
        _ => T("重计", "made anew"),
    };

    private string Per(string per) => !_chinese ? per : per switch
    {
        "1M tokens" => "百万词元",
        "call" => "次",
        _ => per,
    };

    private string Funding(string kind) => kind switch
    {
        "prepaid" => T("预付款（已付）", "prepaid (paid)"),
        "voucher" => T("代金券（已付）", "voucher (paid)"),
        "credit" => T("信用额度（另付）", "credit (owed there)"),
        "overrun" => T("超额（另付）", "overrun (owed there)"),
        "pack" => T("词元包", "token pack"),
        "cost" => T("平台成本", "cost of the platform"),
        _ => T("应收账款", "receivable"),
    };

    private string State(PeriodState state) => state switch
    {
        PeriodState.Frozen => T("已冻结", "frozen"),
        PeriodState.Split => T("对账中", "open to dispute"),
        PeriodState.Final => T("已结算", "final"),
        _ => T("草稿", "draft"),
    };

    private string SideName(AgreementSide side) =>
        side == AgreementSide.Payer ? T("付款方", "payer") : T("收款方", "payee");

    private string Decision(string decision) => decision switch
    {
        "accepted" => T("接受", "accepted"),
        "disputed" => T("异议中", "disputed"),
        _ => T("已撤回", "withdrawn"),
    };

    private string Cycle(string cycle) => cycle switch
    {
        "monthly" => T("月结", "monthly"),
        "daily" => T("日结", "daily"),
        _ => "T+1",
    };

    private static string Name(DocumentParty party) => string.Join(
        ", ", ((string[])[party.Title, party.TaxId, party.Address, party.Phone, party.Bank, party.Account])
            .Where(part => part.Length > 0));

    private string Money(string amount) => Table.Group(Fixed(amount));

    // Whole minor units with all their digits: 2.5 is 2.50.
    private string Fixed(string amount)
    {
        int digits = _currency.MinorDigits;
        int point = amount.IndexOf('.', StringComparison.Ordinal);
        int have = point < 0 ? 0 : amount.Length - point - 1;
        return have >= digits ? amount : (point < 0 ? amount + "." : amount) + new string('0', digits - have);
    }

    private string Capitals(string amount) => _currency.MinorDigits == 2
        ? CapitalAmount.Write(Amount.Parse(amount), _currency)
        : "";

    private string Local(string moment)
    {
        DateTimeZone zone = DateTimeZoneProviders.Tzdb[_statement.Zone];
        return Timestamp.TryParse(moment, out Timestamp time)
            ? LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd HH:mm:ss")
                .Format(time.ToInstant().InZone(zone).LocalDateTime)
            : moment;
    }

    private static string Or(string text) => text.Length == 0 ? "–" : text;

    private static string Count(long count) => Table.Group(Plain(count));

    private static string Plain(long value) => value.ToString(CultureInfo.InvariantCulture);
}
