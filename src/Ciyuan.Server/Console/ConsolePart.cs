using Ciyuan.Quantities;
using Ciyuan.Server.Console.Data;
using Microsoft.AspNetCore.Components;

namespace Ciyuan.Server.Console;

/// <summary>A component of the console. What it shows is worked out before it is rendered; it only says how it
/// looks.</summary>
public abstract class ConsolePart : ComponentBase
{
    /// <summary>The request that it is rendered for.</summary>
    [Parameter]
    public object Of { get; set; } = null!;

    /// <summary>What it shows.</summary>
    [Parameter]
    public object Model { get; set; } = null!;

    private protected Visit Visit => (Visit)Of;

    private protected string T(string name) => Visit.T(name);

    private protected string T(string name, params object[] values) => Visit.T(name, values);

    private protected MarkupString Count(Int128 value) => Figures.Count(Visit.Language, value);

    private protected MarkupString Standard(Sums sums) => Figures.Standard(Visit.Language, sums);

    private protected MarkupString Money(Int128 pico, string currency = "") =>
        Figures.OfMoney(Visit.Language, pico, currency);

    private protected MarkupString Money(Amount amount, Currency currency) =>
        Figures.OfMoney(Visit.Language, amount.Pico, currency.ToString());

    private protected string Time(Timestamp time) => Visit.Local(time);

    private protected string Valid(Period period) => period == Period.Always ? T("valid.always")
        : period.Start == Timestamp.MinValue ? T("valid.until", Visit.Local(period.End, "uuuu-MM-dd"))
        : period.End == Timestamp.MaxValue ? T("valid.from", Visit.Local(period.Start, "uuuu-MM-dd"))
        : $"{Visit.Local(period.Start, "uuuu-MM-dd")} – {Visit.Local(period.End, "uuuu-MM-dd")}";
}
