using System.Globalization;
using System.Text;

namespace Ciyuan.Quantities;

/// <summary>
/// Amounts in Chinese capitals (大写金额), as notes and invoices have them: after the rules for filling in notes of the
/// People's Bank (银发〔1997〕393号). 1409.50 is 人民币壹仟肆佰零玖元伍角.
/// </summary>
/// <remarks>
/// The rules leave some freedom; it is used so that every amount has one form, which is the first of each of their
/// examples: 零 stands once for zeros between other digits, also where 元 or 角 is zero and something follows, but not for
/// zeros before a 仟. 整 stands where neither 角 nor 分 follow. 亿 multiplies all that stands before it, so 10¹² is 壹万亿 and
/// 10¹⁶ is 壹亿亿.
/// </remarks>
public static class CapitalAmount
{
    private const string Digits = "零壹贰叁肆伍陆柒捌玖";
    private static readonly string[] Places = ["", "拾", "佰", "仟"];

    /// <summary>The amount in capitals, with the currency before it.</summary>
    /// <param name="amount">Any amount of whole fen (hundredths); an amount below zero begins with 负.</param>
    /// <param name="currency">Told as 人民币, 美元 and so on; others by their code.</param>
    /// <exception cref="ArgumentException">There is a part smaller than a hundredth.</exception>
    public static string Write(Amount amount, Currency currency)
    {
        const long Fen = Amount.PicoPerUnit / 100;
        if (amount.Pico % Fen != 0)
        {
            throw new ArgumentException(
                $"{amount} has a part smaller than a hundredth: round it first.", nameof(amount));
        }

        UInt128 fen = amount.IsNegative ? (UInt128)(-(amount.Pico / Fen)) : (UInt128)(amount.Pico / Fen);
        UInt128 units = fen / 100;
        int jiao = (int)(fen % 100 / 10);
        int rest = (int)(fen % 10);
        var text = new StringBuilder(NameOf(currency)).Append(amount.IsNegative ? "负" : "");
        AppendUnits(text, units);
        text.Append(fen == 0 ? "零元" : units == 0 ? "" : "元");
        if (jiao + rest == 0)
        {
            return text.Append('整').ToString();
        }

        bool gap = units > 0 && (jiao == 0 || units % 10 == 0);
        text.Append(gap ? "零" : "");
        text.Append(jiao > 0 ? $"{Digits[jiao]}角" : "").Append(rest > 0 ? $"{Digits[rest]}分" : "");
        return text.ToString();
    }

    private static string NameOf(Currency currency) => currency.ToString() switch
    {
        "CNY" => "人民币",
        "USD" => "美元",
        "EUR" => "欧元",
        "HKD" => "港元",
        "GBP" => "英镑",
        string code => code,
    };

    private static void AppendUnits(StringBuilder text, UInt128 units)
    {
        const int Yi = 100_000_000;
        if (units >= Yi)
        {
            AppendUnits(text, units / Yi);
            text.Append('亿');
        }

        int low = (int)(units % Yi);
        int high = low / 10_000;
        text.Append(units >= Yi && low is > 0 and < 10_000_000 ? "零" : "");
        if (high > 0)
        {
            AppendGroup(text, high);
            text.Append('万').Append(low % 10_000 is > 0 and < 1_000 ? "零" : "");
        }

        AppendGroup(text, low % 10_000);
    }

    private static void AppendGroup(StringBuilder text, int group)
    {
        string digits = group.ToString("D4", CultureInfo.InvariantCulture);
        bool begun = false;
        bool gap = false;
        for (int i = 0; i < 4; i++)
        {
            int digit = digits[i] - '0';
            if (digit == 0)
            {
                gap = begun;
                continue;
            }

            text.Append(gap ? "零" : "").Append(Digits[digit]).Append(Places[3 - i]);
            (gap, begun) = (false, true);
        }
    }
}
