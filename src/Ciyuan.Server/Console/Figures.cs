using System.Globalization;
using System.Net;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Data;
using Ciyuan.Usage;
using Microsoft.AspNetCore.Components;

namespace Ciyuan.Server.Console;

/// <summary>Figures as people read them: shortened with a unit (万 and 亿, K M B), exact when pointed at.</summary>
internal static class Figures
{
    private const string Minus = "\u2212"; // as wide as a digit

    /// <summary>A count, shortened beyond four digits.</summary>
    internal static string Short(Language language, Int128 value)
    {
        Int128 size = Int128.Abs(value);
        (Int128 per, string unit)[] units = language == Language.Chinese
            ? [(1_000_000_000_000, " 万亿"), (100_000_000, " 亿"), (10_000, " 万")]
            : [(1_000_000_000_000, " T"), (1_000_000_000, " B"), (1_000_000, " M"), (10_000, " K")];
        foreach ((Int128 per, string unit) in units)
        {
            if (size >= per)
            {
                Int128 divisor = unit == " K" ? 1_000 : per;
                return Signed(value, ThreeDigits((decimal)size / (decimal)divisor) + unit);
            }
        }

        return Signed(value, Group(size.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>A count in full, in groups of three.</summary>
    internal static string Exact(Int128 value) =>
        Signed(value, Group(Int128.Abs(value).ToString(CultureInfo.InvariantCulture)));

    /// <summary>An amount of 10⁻¹² units: two decimals, more where it is small, shortened where it is large.</summary>
    internal static string Money(Language language, Int128 pico)
    {
        Int128 size = Int128.Abs(pico);
        Int128 whole = size / Amount.PicoPerUnit;
        if (whole >= (language == Language.Chinese ? 1_000_000 : 10_000_000))
        {
            return Short(language, Int128.IsNegative(pico) ? -whole : whole);
        }

        int decimals = size == 0 || size >= Amount.PicoPerUnit / 10 ? 2 : size >= Amount.PicoPerUnit / 1_000 ? 4 : 6;
        decimal rounded = decimal.Round((decimal)size / Amount.PicoPerUnit, decimals, MidpointRounding.ToEven);
        string text = rounded.ToString("F" + decimals, CultureInfo.InvariantCulture);
        return Signed(pico, Group(text));
    }

    /// <summary>An amount to its last digit.</summary>
    internal static string ExactMoney(Int128 pico)
    {
        string text = new Amount(Int128.Abs(pico)).ToString();
        return Signed(pico, Group(text));
    }

    /// <summary>An amount to its last digit, with all digits of the minor unit: 1.30 and not 1.3.</summary>
    internal static string ExactMoney(Amount amount, Currency currency)
    {
        string text = ExactMoney(amount.Pico);
        int point = text.IndexOf('.', StringComparison.Ordinal);
        int missing = currency.MinorDigits - (point < 0 ? 0 : text.Length - point - 1);
        return missing <= 0 ? $"{text} {currency}"
            : $"{text}{(point < 0 ? "." : "")}{new string('0', missing)} {currency}";
    }

    /// <summary>A count with its exact value on hover.</summary>
    internal static MarkupString Count(Language language, Int128 value) =>
        Html(Short(language, value), Exact(value));

    /// <summary>Standard tokens, with the exact value, the error and the rule on hover.</summary>
    internal static MarkupString Standard(Language language, Sums sums) => Html(
        Short(language, sums.Standard),
        $"{Exact(sums.Standard)} \u00b1 {Exact(sums.StandardError)} ({StandardColumn.Ratios.Rule})");

    /// <summary>An amount with its exact value on hover.</summary>
    internal static MarkupString OfMoney(Language language, Int128 pico, string currency) =>
        Html(WithUnit(language, pico, currency), ExactMoney(pico) + " " + currency);

    /// <summary>An amount whose currency stands beside it: counted units in full, without decimals.</summary>
    internal static MarkupString Beside(Language language, Int128 pico, string currency) => Html(
        IsCounted(pico, currency) ? Exact(pico / Amount.PicoPerUnit) : Money(language, pico),
        ExactMoney(pico) + " " + currency);

    /// <summary>An amount with its currency; whole tokens and other counted units as counts are.</summary>
    internal static string WithUnit(Language language, Int128 pico, string currency)
    {
        string figure = IsCounted(pico, currency) ? Short(language, pico / Amount.PicoPerUnit) : Money(language, pico);
        string unit = currency == Currency.Tok.ToString() ? Texts.Get(language, "unit.tokens") : currency;
        return currency.Length > 0 ? $"{figure}\u00a0{unit}" : figure;
    }

    private static bool IsCounted(Int128 pico, string currency) => pico % Amount.PicoPerUnit == 0
        && Meter.OtherUnits.Select(unit => unit.Currency).Append(Currency.Tok).Any(unit => unit.ToString() == currency);

    /// <summary>A share in percent, of one decimal.</summary>
    internal static string Percent(decimal share) =>
        (share < 0 ? Minus : "") + Math.Abs(decimal.Round(share * 100, 1)).ToString(CultureInfo.InvariantCulture) + "%";

    /// <summary>How a figure changed from another, in percent; null when there was none before.</summary>
    internal static decimal? Change(Int128 now, Int128 before) =>
        before == 0 ? null : (decimal)(now - before) / (decimal)Int128.Abs(before);

    /// <summary>A change as a mark with a sign; without judging whether more is better.</summary>
    internal static MarkupString Delta(Int128 now, Int128 before, string none)
    {
        if (Change(now, before) is not { } change)
        {
            return new MarkupString($"<span class=\"delta\">{WebUtility.HtmlEncode(none)}</span>");
        }

        string sign = change > 0 ? "▲" : change < 0 ? "▼" : "＝";
        string text = Math.Abs(change) >= 10 ? "&gt;999%" : Percent(Math.Abs(change));
        return new MarkupString($"<span class=\"delta\">{sign} {text}</span>");
    }

    private static MarkupString Html(string shown, string exact) => new(
        $"<span class=\"num\" title=\"{WebUtility.HtmlEncode(exact)}\">{WebUtility.HtmlEncode(shown)}</span>");

    private static string ThreeDigits(decimal value) => value switch
    {
        >= 1000 => Group(decimal.Round(value).ToString("F0", CultureInfo.InvariantCulture)),
        >= 100 => value.ToString("F1", CultureInfo.InvariantCulture),
        _ => value.ToString("F2", CultureInfo.InvariantCulture),
    };

    private static string Signed(Int128 value, string size) => Int128.IsNegative(value) ? Minus + size : size;

    private static string Group(string figure) => Render.Table.Group(figure);
}
