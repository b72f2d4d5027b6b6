using Ciyuan.Quantities;
using NodaTime;
using NodaTime.Text;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Parties;

/// <summary>A period of an agreement's calendar.</summary>
/// <param name="Name">A month such as <c>2026-10</c>, or a day such as <c>2026-10-05</c>.</param>
/// <param name="Span">Its event times.</param>
public readonly record struct SettlementPeriod(string Name, Period Span);

/// <summary>How an agreement is settled: what a <see cref="SettlementSetup"/> says, read and checked.</summary>
public sealed class SettlementTerms
{
    /// <summary>Most days between the end of a period and its freezing.</summary>
    private const int MaxFreezeDays = 60;

    /// <summary>Most days of a dispute window or a payment term.</summary>
    private const int MaxDays = 366;

    private SettlementTerms(SettlementSetup setup, DateTimeZone zone, SettlementPeriod first)
    {
        Setup = setup;
        Zone = zone;
        First = first;
    }

    /// <summary>As it was written.</summary>
    public SettlementSetup Setup { get; }

    /// <summary>Zone of days and months.</summary>
    public DateTimeZone Zone { get; }

    /// <summary>First period.</summary>
    public SettlementPeriod First { get; }

    /// <summary>Rate of tax in millionths; null when no tax is told apart.</summary>
    public int? TaxPpm { get; private init; }

    /// <summary>Amounts below this are carried over; 0 for none.</summary>
    public Amount Minimum { get; private init; }

    /// <summary>Days after the end of a period before which it is not frozen.</summary>
    public int FreezeAfterDays => Setup.FreezeAfterDays ?? (Setup.Cycle == SettlementCycle.Daily ? 0 : 1);

    /// <summary>Days of the dispute window, after that of the split.</summary>
    public int DisputeDays => Setup.DisputeDays ?? 10;

    /// <summary>Days of the payment term.</summary>
    public int PaymentDays => Setup.PaymentDays ?? 30;

    /// <summary>Reads terms; null when they have a fault.</summary>
    public static SettlementTerms? Read(SettlementSetup setup, List<string> faults)
    {
        string what = $"settlement of '{setup.Agreement}' from '{setup.Start}'";
        int before = faults.Count;
        DateTimeZone? zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(setup.Zone ?? "Asia/Shanghai");
        SettlementPeriod first = default;
        if (zone is null || !TryReadPeriod(setup.Start, setup.Cycle, zone, out first))
        {
            faults.Add($"{what}: start must be a month such as 2026-10, or a day for daily and t1; zone '{setup.Zone}' "
                + "must be an IANA zone");
        }

        if (setup.FreezeAfterDays is < 0 or > MaxFreezeDays || setup.DisputeDays is < 0 or > MaxDays
            || setup.PaymentDays is < 0 or > MaxDays || !Enum.IsDefined(setup.Cycle) || !Enum.IsDefined(setup.TaxMode))
        {
            faults.Add($"{what}: freeze_after_days is 0 to {MaxFreezeDays}, dispute_days and payment_days are 0 to "
                + $"{MaxDays}");
        }

        Amount minimum = default;
        if (setup.MinimumPayout is not null && (!Amount.TryParse(setup.MinimumPayout, out minimum)
            || minimum.IsNegative || minimum > Amount.Most))
        {
            faults.Add($"{what}: minimum_payout '{setup.MinimumPayout}' must be a decimal of 0 or more");
        }

        Int128 ppm = 0;
        if (setup.TaxPercent is not null
            && (!Amount.TryParseScaled(setup.TaxPercent, 4, out ppm) || ppm < 0 || ppm > 1_000_000))
        {
            faults.Add($"{what}: tax_percent '{setup.TaxPercent}' must be 0 to 100 with at most 4 decimals");
        }

        return faults.Count > before ? null : new SettlementTerms(setup, zone!, first)
        {
            TaxPpm = setup.TaxPercent is null ? null : (int)ppm,
            Minimum = minimum,
        };
    }

    /// <summary>Reads the name of a period of this cycle.</summary>
    public bool TryReadPeriod(string name, out SettlementPeriod period) =>
        TryReadPeriod(name, Setup.Cycle, Zone, out period);

    /// <summary>The period after one.</summary>
    public SettlementPeriod Next(SettlementPeriod period)
    {
        string name = Setup.Cycle == SettlementCycle.Monthly
            ? YearMonthPattern.Iso.Format(YearMonthPattern.Iso.Parse(period.Name).Value.PlusMonths(1))
            : LocalDatePattern.Iso.Format(LocalDatePattern.Iso.Parse(period.Name).Value.PlusDays(1));
        return TryReadPeriod(name, out SettlementPeriod next)
            ? next
            : throw new InvalidOperationException($"There is no period after {period.Name}.");
    }

    /// <summary>The start of the day in the zone that is some days after that of a moment.</summary>
    public Timestamp DaysAfter(Timestamp moment, int days)
    {
        LocalDate date = moment.ToInstant().InZone(Zone).Date.PlusDays(days);
        return Timestamp.FromInstant(date.AtStartOfDayInZone(Zone).ToInstant());
    }

    private static bool TryReadPeriod(
        string name, SettlementCycle cycle, DateTimeZone zone, out SettlementPeriod period)
    {
        int length = cycle == SettlementCycle.Monthly ? 7 : 10;
        bool known = Period.TryParse(name, zone, out Period span) && name.Length == length;
        period = known ? new SettlementPeriod(name, span) : default;
        return known;
    }
}
