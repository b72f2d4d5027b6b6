namespace Ciyuan.Rating;

/// <summary>How a charge's amount is made. Numbers are stored: never change or reuse one.</summary>
public enum RateMethod : byte
{
    /// <summary>Price per class from a price book.</summary>
    Prices = 0,

    /// <summary>A fixed amount for each call.</summary>
    PerCall = 1,

    /// <summary>A share of another charge of the same record.</summary>
    Share = 2,

    /// <summary>Not rated: the quantities wait in a suspense account until there is a price.</summary>
    Suspense = 3,

    /// <summary>Price per class from a price book, with more to it: see <see cref="RateFormula"/>.</summary>
    Formula = 4,
}

/// <summary>Whose side of the platform a charge is on. Numbers are stored: never change or reuse one.</summary>
public enum Side : byte
{
    /// <summary>Owed to the platform: its income.</summary>
    Income = 0,

    /// <summary>Owed by the platform: its cost.</summary>
    Cost = 1,

    /// <summary>Between two other parties.</summary>
    Between = 2,
}

/// <summary>Why a charge is in suspense. Numbers are stored: never change or reuse one.</summary>
public enum SuspenseReason : byte
{
    /// <summary>Not in suspense.</summary>
    None = 0,

    /// <summary>No agreement in which the record's consumer pays covers the record.</summary>
    NoAgreement = 1,

    /// <summary>The agreement's book has no version in force at the event time.</summary>
    NoBookVersion = 2,

    /// <summary>The book has no price for the model.</summary>
    NoModelPrice = 3,

    /// <summary>The book prices the model, but not every class or unit that was counted.</summary>
    NoClassPrice = 4,

    /// <summary>The charge that this one is a share of is itself in suspense.</summary>
    NoBase = 5,

    /// <summary>The provider named in the record has no agreement that covers it.</summary>
    NoProviderAgreement = 6,

    /// <summary>The amount is beyond the largest that a charge may have
    /// (<see cref="Quantities.Amount.Most"/>).</summary>
    Overflow = 7,

    /// <summary>The agreements that share one amount ask for more than all of it.</summary>
    SharesExceedBase = 8,

    /// <summary>A rule asks for the kind of a day in a year that its calendar does not cover.</summary>
    CalendarUnknown = 9,

    /// <summary>There is no exchange rate at or before the moment.</summary>
    ExchangeUnknown = 10,

    /// <summary>The price, with its factors and exchange rates, is a fraction too fine to be kept exactly
    /// (<see cref="Rate.MaxDivisor"/>).</summary>
    PriceTooFine = 11,
}
