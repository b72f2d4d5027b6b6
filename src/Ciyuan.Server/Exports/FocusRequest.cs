using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Statistics;
using DateTimeZone = NodaTime.DateTimeZone;

namespace Ciyuan.Server.Exports;

/// <summary>The data sets of FOCUS that can be exported.</summary>
public enum FocusDataset
{
    /// <summary>Cost and Usage: a row for each charge period and meter.</summary>
    CostAndUsage,

    /// <summary>Invoice Detail: the lines of each invoice; from version 1.4 on.</summary>
    InvoiceDetail,

    /// <summary>Billing Period: the periods and whether they are closed; from version 1.4 on.</summary>
    BillingPeriod,
}

/// <summary>Versions of the specification that can be written.</summary>
public enum FocusVersion
{
    /// <summary>1.2 of 29 May 2025.</summary>
    V12,

    /// <summary>1.4 of 4 June 2026.</summary>
    V14,
}

/// <summary>Asks for a FOCUS file.</summary>
/// <param name="Dataset">Which data set.</param>
/// <param name="Version">In which version.</param>
/// <param name="Period">Event times that count; bounded.</param>
/// <param name="Zone">Zone of the days, and of the months that are billed.</param>
public sealed record FocusRequest(FocusDataset Dataset, FocusVersion Version, Period Period, DateTimeZone Zone)
{
    /// <summary>Names of the data sets, in the order of their numbers.</summary>
    public static readonly string[] Datasets = ["cost-and-usage", "invoice-detail", "billing-period"];

    /// <summary>Charge periods: days or hours, so that none lies in two months.</summary>
    public Bucket Bucket { get; init; } = Bucket.Day;

    /// <summary>Agreements that are exported; null: all of <see cref="Side"/>.</summary>
    public IReadOnlySet<string>? Agreements { get; init; }

    /// <summary>Without agreements named: what the platform bills (income), or what it is billed (cost); null:
    /// all.</summary>
    public Side? Side { get; init; } = Rating.Side.Income;

    /// <summary>True to write the short name of whoever has a name beyond ASCII: the specification takes any Unicode,
    /// its validator of early 2026 ASCII alone.</summary>
    public bool AsciiNames { get; init; }

    /// <summary>Why it can't be answered, or null when it can.</summary>
    public string? FindFault() =>
        Period.Start == Timestamp.MinValue || Period.End == Timestamp.MaxValue
            ? "the period must have both bounds: a billing period is a month"
        : Bucket is not (Bucket.Day or Bucket.Hour) ? "charge periods are days or hours"
        : Version == FocusVersion.V12 && Dataset != FocusDataset.CostAndUsage
            ? "version 1.2 has the data set cost-and-usage alone; the others came with 1.4"
        : null;
}
