using System.Globalization;
using Ciyuan.Quantities;
using NodaTime;

namespace Ciyuan.Server.Exports;

/// <summary>A column: its id in the specification, and how a row fills it.</summary>
/// <param name="Id">The column's id.</param>
/// <param name="Of">The value, null for none.</param>
/// <param name="Kind">How JSON lines write it.</param>
internal sealed record FocusColumn(string Id, Func<FocusRow, string?> Of, FocusKind Kind = FocusKind.Text);

/// <summary>How a value is written in JSON lines.</summary>
internal enum FocusKind
{
    Text,
    Number,
    Object,
}

/// <summary>The columns of each data set and version, in alphabetical order, then those of our own. Which there are,
/// what each may hold, and why some are left out, is said in docs/EXPORTS.md.</summary>
internal static class FocusColumns
{
    private const string ServiceCategory = "AI and Machine Learning";

    private static readonly FocusColumn[] Shared =
    [
        Number("BilledCost", r => r.Billed),
        new("BillingAccountId", r => r.AccountId),
        new("BillingAccountName", r => r.AccountName),
        new("BillingCurrency", r => r.Currency.ToString()),
        new("BillingPeriodEnd", r => Time(r.Month.End)),
        new("BillingPeriodStart", r => Time(r.Month.Start)),
        new("ChargeCategory", r => r.Category),
        new("ChargeClass", _ => null),
        new("ChargeDescription", r => r.Description),
        new("ChargeFrequency", r => r.IsUsage ? "Usage-Based" : "One-Time"),
        new("ChargePeriodEnd", r => Time(r.End)),
        new("ChargePeriodStart", r => Time(r.Start)),
        new("CommitmentDiscountStatus", _ => null), // rules about the consumed quantity ask for it
        new("ConsumedQuantity", r => r.IsUsage ? r.Quantity : null, FocusKind.Number),
        new("ConsumedUnit", r => r.IsUsage ? r.Unit : null),
        Number("ContractedCost", r => r.Contracted),
        Number("ContractedUnitPrice", r => r.UnitPrice),
        Number("EffectiveCost", r => r.Effective),
        new("InvoiceId", r => r.Invoice?.Id),
        new("InvoiceIssuerName", r => r.InvoiceIssuer),
        Number("ListCost", r => r.Contracted),
        Number("ListUnitPrice", r => r.UnitPrice),
        new("PricingCategory", r => r.PricingCategory),
        new("PricingCurrency", r => r.BookCurrency ?? r.Currency.ToString()),
        Number("PricingCurrencyContractedUnitPrice", r => r.BookCurrency is null ? r.UnitPrice : r.BookUnitPrice),
        Number("PricingCurrencyEffectiveCost", r => r.BookEffective ?? r.Effective),
        Number("PricingCurrencyListUnitPrice", r => r.BookCurrency is null ? r.UnitPrice : r.BookUnitPrice),
        new("PricingQuantity", r => r.Quantity, FocusKind.Number),
        new("PricingUnit", r => r.Unit),
        new("RegionId", r => r.RegionId),
        new("RegionName", r => r.RegionName),
        new("ResourceId", r => r.ResourceId),
        new("ResourceName", _ => null),
        new("ResourceType", r => r.ResourceId is null ? null : "API Key"),
        new("ServiceCategory", _ => ServiceCategory),
        new("ServiceName", r => r.ServiceName),
        new("ServiceSubcategory", _ => "Generative AI"),
        new("SkuId", r => r.SkuId),
        new("SkuMeter", r => r.SkuMeter),
        new("SkuPriceDetails", r => r.SkuDetails, FocusKind.Object),
        new("SkuPriceId", r => r.SkuPriceId),
        new("SubAccountId", r => r.SubAccountId),
        new("SubAccountName", r => r.SubAccountName),
        new("SubAccountType", r => r.SubAccountId is null ? null : "Project"),
        new("Tags", r => r.Tags, FocusKind.Object),
    ];

    private static readonly FocusColumn[] Own =
    [
        new("x_Agreement", r => r.Agreement),
        new("x_Consumer", r => r.Consumer),
        new("x_Entry", r => r.Entry),
        new("x_Model", r => r.Model),
    ];

    private static readonly FocusColumn[] CostAndUsage12 =
    [
        .. Sorted([.. Shared, new("ProviderName", r => r.Provider), new("PublisherName", r => r.Publisher)]), .. Own,
    ];

    private static readonly FocusColumn[] CostAndUsage14 =
    [
        .. Sorted([.. Shared, new("HostProviderName", r => r.Host), new("InvoiceDetailId", r => r.DetailId),
            new("ServiceProviderName", r => r.Provider)]),
        .. Own,
    ];

    private static readonly FocusColumn[] InvoiceDetail =
    [
        Number("BilledCost", r => r.Billed),
        new("BillingAccountId", r => r.AccountId),
        new("BillingCurrency", r => r.Currency.ToString()),
        new("BillingPeriodEnd", r => Time(r.Month.End)),
        new("BillingPeriodStart", r => Time(r.Month.Start)),
        new("ChargeCategory", r => r.Category),
        new("InvoiceDetailCreated", r => Time(r.Updated)),
        new("InvoiceDetailDescription", r => r.Description),
        new("InvoiceDetailGrain", r => r.Grain, FocusKind.Object),
        new("InvoiceDetailId", r => r.DetailId),
        new("InvoiceDetailLastUpdated", r => Time(r.Updated)),
        new("InvoiceId", r => r.Invoice!.Id),
        new("InvoiceIssueDate", r => r.Invoice!.Issued is { } at ? Time(at) : null),
        new("InvoiceIssueStatus", r => r.Invoice!.IsIssued ? "Issued" : "Open"),
        new("InvoiceIssuerName", r => r.InvoiceIssuer),
        new("PaymentCurrency", r => r.Currency.ToString()),
        Number("PaymentCurrencyBilledCost", r => r.Billed),
        new("PaymentCurrencyInvoiceDetailId", r => r.DetailId),
        new("PaymentDueDate", r => r.Invoice!.Due is { } due ? Time(due) : null),
        new("PaymentTerms", r => r.Invoice!.Terms),
        new("ReferenceInvoiceId", r => r.Invoice!.Id),
        new("x_Agreement", r => r.Agreement),
        new("x_Quantity", r => r.Quantity, FocusKind.Number),
        new("x_Unit", r => r.Unit),
        Number("x_UnitPrice", r => r.UnitPrice),
    ];

    private static readonly FocusColumn[] BillingPeriod =
    [
        new("BillingPeriodCreated", r => Time(r.Month.Start)),
        new("BillingPeriodEnd", r => Time(r.Month.End)),
        new("BillingPeriodLastUpdated", r => Time(r.Updated)),
        new("BillingPeriodStart", r => Time(r.Month.Start)),
        new("BillingPeriodStatus", r => r.Entry),
        new("InvoiceIssuerName", r => r.InvoiceIssuer),
    ];

    internal static IReadOnlyList<FocusColumn> Of(FocusDataset dataset, FocusVersion version) => dataset switch
    {
        FocusDataset.InvoiceDetail => InvoiceDetail,
        FocusDataset.BillingPeriod => BillingPeriod,
        _ => version == FocusVersion.V12 ? CostAndUsage12 : CostAndUsage14,
    };

    // A moment to the second in UTC; what is finer belongs to no period.
    private static string Time(Timestamp moment) =>
        moment.ToInstant().ToString("uuuu'-'MM'-'dd'T'HH':'mm':'ss'Z'", CultureInfo.InvariantCulture);

    private static FocusColumn Number(string id, Func<FocusRow, Amount?> of) =>
        new(id, row => of(row)?.ToString(), FocusKind.Number);

    private static IEnumerable<FocusColumn> Sorted(IEnumerable<FocusColumn> columns) =>
        columns.OrderBy(column => column.Id, StringComparer.Ordinal);
}
