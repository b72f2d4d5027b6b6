using Ciyuan.Quantities;

namespace Ciyuan.Server.Exports;

/// <summary>A row of a FOCUS file: what its columns are made from. What is null is null in the file.</summary>
internal sealed record FocusRow
{
    // Whose invoice
    public required string InvoiceIssuer { get; init; }

    public required Period Month { get; init; }

    public string AccountId { get; init; } = "";

    public string AccountName { get; init; } = "";

    public Currency Currency { get; init; }

    public FocusInvoice? Invoice { get; init; }

    public string DetailId { get; init; } = "";

    // What is charged
    public string Category { get; init; } = "Usage";

    public string Description { get; init; } = "";

    public Timestamp Start { get; init; }

    public Timestamp End { get; init; }

    public Amount Billed { get; init; }

    public Amount Effective { get; init; }

    /// <summary>Quantity × <see cref="UnitPrice"/>, what packs paid for included.</summary>
    public Amount Contracted { get; init; }

    public bool IsUsage => Category == "Usage";

    // How much of what
    public string? Quantity { get; init; }

    public string? Unit { get; init; }

    public Amount? UnitPrice { get; init; }

    /// <summary>What the price is in the currency of the price book, where that is another.</summary>
    public string? BookCurrency { get; init; }

    public Amount? BookUnitPrice { get; init; }

    public Amount? BookEffective { get; init; }

    public string? PricingCategory { get; init; }

    public string? SkuId { get; init; }

    public string? SkuMeter { get; init; }

    public string? SkuPriceId { get; init; }

    public string? SkuDetails { get; init; }

    // By whom and for whom
    public string ServiceName { get; init; } = "";

    public string Provider { get; init; } = "";

    public string Publisher { get; init; } = "";

    public string Host { get; init; } = "";

    public string? SubAccountId { get; init; }

    public string? SubAccountName { get; init; }

    public string? ResourceId { get; init; }

    public string? RegionId { get; init; }

    public string? RegionName { get; init; }

    public string? Tags { get; init; }

    // Columns of our own
    public string Agreement { get; init; } = "";

    public string Entry { get; init; } = "";

    public string? Model { get; init; }

    public string? Consumer { get; init; }

    // When the row was made
    public Timestamp Updated { get; init; }

    public string? Grain { get; init; }
}
