using System.Globalization;
using Ciyuan.Reconciling;

namespace Ciyuan.Server.Reconciling;

/// <summary>The language of sentences for people.</summary>
public enum ReportLanguage
{
    /// <summary>English.</summary>
    En,

    /// <summary>Chinese (中文).</summary>
    Zh,
}

/// <summary>Says in words what differences are. Names in files and JSON are English and never change.</summary>
public static class ReconciliationWords
{
    private static readonly (DifferenceClass Class, string Name, string NameZh, string Why, string WhyZh)[] Classes =
    [
        (DifferenceClass.MissingHere, "missing_here", "我方缺失",
            "billed there, not charged here: calls that were not recorded, or that the agreement does not charge",
            "对方计费而我方无计费：调用未被记录，或合约不计费"),
        (DifferenceClass.MissingThere, "missing_there", "对方缺失",
            "charged here, not billed there", "我方已计费，对方账单未列"),
        (DifferenceClass.Count, "count", "数量差异",
            "the same usage with another quantity, at our price", "同一用量数量不同，按我方单价计"),
        (DifferenceClass.TokenClass, "class", "类别差异",
            "as many tokens, in other classes (such as cached counted as fresh), at our prices",
            "词元总数相同而类别不同（如缓存命中计为新输入），按我方单价计"),
        (DifferenceClass.Price, "price", "价格差异", "the same quantity at another price", "数量相同而单价不同"),
        (DifferenceClass.ZoneShift, "zone_shift", "时区差异",
            "the same usage in another day or period, as the bill keeps another time zone",
            "同一用量因时区不同落入另一日或另一账期"),
        (DifferenceClass.Rounding, "rounding", "舍入差异",
            "within what rounding each line can bring about", "在逐行舍入可造成的范围内"),
        (DifferenceClass.Duplicate, "duplicate", "重复计费", "billed again under the same id", "同一编号重复计费"),
    ];

    /// <summary>Stable name of a class, in files and account paths.</summary>
    public static string Name(this DifferenceClass of) => Find(of).Name;

    /// <summary>Name of a class for people.</summary>
    public static string Title(this DifferenceClass of, ReportLanguage language) =>
        language == ReportLanguage.Zh ? Find(of).NameZh : Find(of).Name;

    /// <summary>What a class means, for people.</summary>
    public static string Explain(this DifferenceClass of, ReportLanguage language) =>
        language == ReportLanguage.Zh ? Find(of).WhyZh : Find(of).Why;

    /// <summary>A sentence about one difference.</summary>
    public static string Explain(this Difference d, string currency, ReportLanguage language)
    {
        bool zh = language == ReportLanguage.Zh;
        string none = zh ? "无" : "none";
        string here = d.Here is { } h ? $"{Quantity(h)} / {h.Amount} {currency}" : none;
        string there = d.There is { } t ? $"{Quantity(t)} / {t.Amount?.ToString() ?? "–"} {currency}" : none;
        string remark = d.Remark switch
        {
            DifferenceRemark.NotCharged => zh ? "；调用已记录但不计费" : "; the call is recorded, and not charged",
            DifferenceRemark.OtherPeriod => zh ? "；我方计入相邻账期" : "; charged here in the period beside",
            _ => "",
        };
        return zh ? $"{d.Class.Title(language)}：我方 {here}，对方 {there}{remark}"
            : $"{d.Class.Name()}: here {here}, there {there}{remark}";
    }

    /// <summary>What the comparison covers, and what came of it.</summary>
    public static IReadOnlyList<string> Scope(BillComparison c, string bill, string currency, ReportLanguage language)
    {
        string zone = c.Question.Zone.Id;
        string shift = (c.ShiftMinutes / 60m).ToString("+0.##;-0.##", CultureInfo.InvariantCulture);
        if (language == ReportLanguage.Zh)
        {
            return
            [
                $"对账：合约 {c.Question.Agreement}，账单 {bill}，账期 {c.Question.Period}（{zone}），"
                    + (c.IsById ? "按编号匹配" : "按日 × 模型 × 类别匹配"),
                $"对方 {c.AmountThere}，我方 {c.AmountHere}，差额 {c.Differences.Delta} {currency}；"
                    + $"匹配 {c.Matched}，账单 {c.LinesThere} 行，逐行容差 {c.Question.Tolerance.PerLine}",
                .. c.ShiftMinutes == 0 ? Array.Empty<string>() : [$"对方时间比所称时区偏移 {shift} 小时"],
            ];
        }

        return
        [
            $"Reconciliation of agreement {c.Question.Agreement} with {bill}, {c.Question.Period} ({zone}), "
                + (c.IsById ? "matched by id" : "matched by day × model × class"),
            $"There {c.AmountThere}, here {c.AmountHere}, difference {c.Differences.Delta} {currency}; "
                + $"matched {c.Matched}, {c.LinesThere} lines, tolerance of a line {c.Question.Tolerance.PerLine}",
            .. c.ShiftMinutes == 0 ? Array.Empty<string>()
                : [$"Their clock is {shift} h from the zone that was said"],
        ];
    }

    private static string Quantity(SideSum sum) => sum.Steps is { } steps
        ? steps.ToString(CultureInfo.InvariantCulture) : "–";

    private static (DifferenceClass Class, string Name, string NameZh, string Why, string WhyZh) Find(
        DifferenceClass of) => Array.Find(Classes, c => c.Class == of);
}
