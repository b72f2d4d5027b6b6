using Ciyuan.Quantities;

namespace Ciyuan.Parties;

/// <content>What is closed, how agreements are settled, and what invoices say of parties.</content>
public sealed partial class Catalog
{
    private Dictionary<string, SettlementTerms[]> _terms = new(StringComparer.Ordinal);
    private Dictionary<string, BillingSetup> _billing = new(StringComparer.Ordinal);

    /// <summary>The agreements that are settled by calendar, in ordinal order.</summary>
    public IEnumerable<string> SettledAgreements => _terms.Keys.Order(StringComparer.Ordinal);

    /// <summary>All terms of an agreement, by their first period; none when it has no calendar.</summary>
    public IReadOnlyList<SettlementTerms> TermsOf(string agreement) => _terms.GetValueOrDefault(agreement, []);

    /// <summary>The terms of an agreement for a period that starts at a moment: the latest that have begun by then;
    /// null when there are none.</summary>
    public SettlementTerms? TermsAt(string agreement, Timestamp start) =>
        TermsOf(agreement).LastOrDefault(t => t.First.Span.Start <= start);

    /// <summary>What invoices and payments say of a party.</summary>
    public BillingSetup BillingOf(string party) => _billing.GetValueOrDefault(party) ?? new BillingSetup(party);

    private void AddSettlement(Setup setup, List<string> faults, ref bool changed)
    {
        foreach (ClosingSetup closing in setup.Closings ?? [])
        {
            AddClosing(closing, faults, ref changed);
        }

        foreach (SettlementSetup settlement in setup.Settlement ?? [])
        {
            AddTerms(settlement, faults, ref changed);
        }

        foreach (BillingSetup billing in setup.Billing ?? [])
        {
            RequireParty(billing.Party, "billing", faults);
            if (billing.TaxId is { Length: 18 } id && !BillingSetup.IsSocialCreditCode(id))
            {
                faults.Add($"billing of '{billing.Party}': tax_id '{id}' has a wrong check character");
            }

            if (_billing.GetValueOrDefault(billing.Party) != billing)
            {
                _billing[billing.Party] = billing;
                changed = true;
            }
        }
    }

    private void AddTerms(SettlementSetup setup, List<string> faults, ref bool changed)
    {
        string what = $"settlement of '{setup.Agreement}' from '{setup.Start}'";
        if (FindAgreement(setup.Agreement) is null)
        {
            faults.Add($"{what}: there is no such agreement; add it first");
            return;
        }

        SettlementTerms[] known = _terms.GetValueOrDefault(setup.Agreement, []);
        SettlementTerms? same = Array.Find(known, t => t.Setup.Start == setup.Start);
        if (same is not null)
        {
            if (same.Setup != setup)
            {
                faults.Add($"{what}: is there with other terms and can't be changed; let new ones start later");
            }

            return;
        }

        if (SettlementTerms.Read(setup, faults) is not { } terms)
        {
            return;
        }

        if (known.Length > 0 && (known[0].Setup.Cycle != setup.Cycle || known[0].Zone.Id != terms.Zone.Id
            || terms.First.Span.Start < known[^1].First.Span.Start))
        {
            faults.Add($"{what}: must keep cycle and zone of the terms before it, and start after them; for another "
                + "cycle, end the agreement and add a new one");
            return;
        }

        _terms[setup.Agreement] = [.. known, terms];
        changed = true;
    }
}
