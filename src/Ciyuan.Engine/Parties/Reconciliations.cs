using Ciyuan.Quantities;

namespace Ciyuan.Parties;

/// <summary>A sum of differences of one class.</summary>
/// <param name="Class">Its name, such as <c>price</c>.</param>
/// <param name="Amount">Theirs less ours, as a decimal.</param>
public sealed record VarianceSetup(string Class, string Amount);

/// <summary>The result of a reconciliation, as a person signs it. All of it must be the same for the second
/// person.</summary>
/// <param name="Id">Unique, 1 to 256 characters.</param>
/// <param name="Agreement">The agreement.</param>
/// <param name="From">First moment of the period.</param>
/// <param name="To">First moment after it.</param>
/// <param name="Bill">SHA-256 of the other side's file.</param>
/// <param name="Result">SHA-256 over the differences.</param>
/// <param name="Currency">Currency of the amounts.</param>
/// <param name="Here">Our sum.</param>
/// <param name="There">Theirs.</param>
/// <param name="Decision"><c>accepted</c> or <c>disputed</c>; with the id of a dispute and <see cref="End"/>, how it
/// ended: <c>accepted</c> or <c>withdrawn</c>.</param>
/// <param name="Differences">What lies between, by class.</param>
public sealed record ReconciliationSetup(
    string Id, string Agreement, string From, string To, string Bill, string Result, string Currency, string Here,
    string There, string Decision, IReadOnlyList<VarianceSetup> Differences)
{
    /// <summary>Behind the id of a dispute: the entry that ends it.</summary>
    public const string End = "/end";

    /// <summary>The id of the dispute that this ends; null when it ends none.</summary>
    public string? Ends => Id.EndsWith(End, StringComparison.Ordinal) ? Id[..^End.Length] : null;

    /// <inheritdoc/>
    public bool Equals(ReconciliationSetup? other) => other is not null && Text() == other.Text();

    /// <inheritdoc/>
    public override int GetHashCode() => Text().GetHashCode(StringComparison.Ordinal);

    private string Text() => string.Join('|',
        [Id, Agreement, From, To, Bill, Result, Currency, Here, There, Decision,
            .. Differences.Select(d => $"{d.Class}={d.Amount}")]);
}

/// <summary>A result with those who signed it.</summary>
/// <param name="Entry">The result.</param>
/// <param name="By">Who signed, in order; one or two.</param>
public sealed record SignedReconciliation(ReconciliationSetup Entry, IReadOnlyList<string> By)
{
    /// <summary>Whether two people have signed.</summary>
    public bool IsComplete => By.Count == Reconciliations.Signers;
}

/// <summary>The reconciliations that were signed, by one person or by both. Immutable.</summary>
public sealed class Reconciliations
{
    /// <summary>How many different people must sign.</summary>
    public const int Signers = 2;

    private const int MostIdLength = 256; // it is that of a ledger group, too

    private readonly SortedDictionary<string, SignedReconciliation> _signed = new(StringComparer.Ordinal);

    /// <summary>None.</summary>
    public static Reconciliations Empty { get; } = new();

    /// <summary>All, by id in ordinal order.</summary>
    public IReadOnlyCollection<SignedReconciliation> All => _signed.Values;

    /// <summary>The one with an id, or null.</summary>
    public SignedReconciliation? Find(string id) => _signed.GetValueOrDefault(id);

    /// <summary>These and the signatures of a setup.</summary>
    internal Reconciliations With(Setup setup, Catalog catalog, List<string> faults, ref bool changed)
    {
        if (setup.Reconciliations is null)
        {
            return this;
        }

        var next = new Reconciliations();
        foreach ((string id, SignedReconciliation signed) in _signed)
        {
            next._signed.Add(id, signed);
        }

        foreach (ReconciliationSetup entry in setup.Reconciliations)
        {
            next.Sign(entry, setup.By, catalog, faults, ref changed);
        }

        return next;
    }

    private void Sign(
        ReconciliationSetup entry, string by, Catalog catalog, List<string> faults, ref bool changed)
    {
        string what = $"reconciliation '{entry.Id}'";
        if ((FindFault(entry, by, catalog) ?? FindEndFault(entry) ?? FindOtherBill(entry)) is { } fault)
        {
            faults.Add($"{what}: {fault}");
        }
        else if (!_signed.TryGetValue(entry.Id, out SignedReconciliation? signed))
        {
            _signed.Add(entry.Id, new SignedReconciliation(entry, [by]));
            changed = true;
        }
        else if (!signed.Entry.Equals(entry))
        {
            faults.Add($"{what}: {signed.By[0]} signed another result: here {signed.Entry.Here}, there "
                + $"{signed.Entry.There}, {signed.Entry.Decision}; both must find and decide the same");
        }
        else if (!signed.By.Contains(by) && signed.IsComplete)
        {
            faults.Add($"{what}: is signed by {string.Join(" and ", signed.By)} already");
        }
        else if (!signed.By.Contains(by))
        {
            _signed[entry.Id] = signed with { By = [.. signed.By, by] };
            changed = true;
        }
    }

    // What ends a dispute is about the same bill and differences, which two people have disputed.
    private string? FindEndFault(ReconciliationSetup entry)
    {
        if (entry.Ends is not { } id)
        {
            return null;
        }

        SignedReconciliation? dispute = _signed.GetValueOrDefault(id);
        return dispute is { IsComplete: true, Entry.Decision: "disputed" }
            && dispute.Entry.Equals(entry with { Id = id, Decision = "disputed" })
                ? null
                : $"there is no dispute '{id}' with these differences that two people have signed";
    }

    // Each bill is compared with all that is recorded: a second one of the same time would be owed on top.
    private string? FindOtherBill(ReconciliationSetup entry)
    {
        if (entry.Ends is not null || entry.Differences.Count == 0 || Find(entry.Id) is { IsComplete: true })
        {
            return null;
        }

        SignedReconciliation? other =
            _signed.Values.FirstOrDefault(s => s.Entry.Id != entry.Id && IsPosted(s) && AreOfOneTime(s.Entry, entry));
        return other is null
            ? null
            : $"two people have signed '{other.Entry.Id}', another bill of this time, and both would be owed; end it "
                + "as withdrawn if it is disputed, else post what changes as a ledger group";
    }

    private bool IsPosted(SignedReconciliation signed) =>
        signed is { IsComplete: true, Entry: { Ends: null, Differences.Count: > 0 } }
        && Find(signed.Entry.Id + ReconciliationSetup.End) is not { IsComplete: true, Entry.Decision: "withdrawn" };

    private static bool AreOfOneTime(ReconciliationSetup a, ReconciliationSetup b) => a.Agreement == b.Agreement
        && Timestamp.TryParse(a.From, out Timestamp fromA) && Timestamp.TryParse(a.To, out Timestamp toA)
        && Timestamp.TryParse(b.From, out Timestamp fromB) && Timestamp.TryParse(b.To, out Timestamp toB)
        && fromA < toB && fromB < toA;

    private static string? FindFault(ReconciliationSetup entry, string by, Catalog catalog)
    {
        if (by.Length == 0)
        {
            return "say who signs";
        }

        if (entry.Id.Length is 0 or > MostIdLength)
        {
            return $"an id has 1 to {MostIdLength} characters";
        }

        if (catalog.FindAgreement(entry.Agreement) is not { } agreement)
        {
            return $"there is no agreement '{entry.Agreement}'";
        }

        if (agreement.Currency.ToString() != entry.Currency)
        {
            return $"needs the agreement's currency {agreement.Currency}";
        }

        if (entry.Decision != "accepted" && entry.Decision != (entry.Ends is null ? "disputed" : "withdrawn"))
        {
            return "needs a decision: accepted or disputed; at the end of a dispute accepted or withdrawn";
        }

        Amount sum = Amount.Zero;
        bool areAmounts = Amount.TryParse(entry.Here, out Amount here) & Amount.TryParse(entry.There, out Amount there);
        foreach (VarianceSetup variance in entry.Differences)
        {
            areAmounts &= Amount.TryParse(variance.Amount, out Amount amount) & Catalog.IsName(variance.Class);
            sum += amount;
        }

        return areAmounts && sum == there - here ? null : "the differences must add up to theirs less ours";
    }
}
