using Ciyuan.Quantities;

namespace Ciyuan.Ledger;

/// <summary>An account and its balances, as they are after some frame.</summary>
/// <param name="Name">Path and currency.</param>
/// <param name="DebitsPosted">Sum of debits.</param>
/// <param name="CreditsPosted">Sum of credits.</param>
/// <param name="DebitsPending">Sum of open holds on its debit side.</param>
/// <param name="MayOwe">How far debits may exceed credits: zero for prepaid money, the limit for credit; null without a
/// limit.</param>
/// <param name="Expires">When a funding account ends; null when never.</param>
public sealed record AccountView(
    AccountName Name, Amount DebitsPosted, Amount CreditsPosted, Amount DebitsPending, Amount? MayOwe,
    Timestamp? Expires)
{
    /// <summary>Credits less debits: what is there, or (below zero) what is owed. Holds are not taken off.</summary>
    public Amount Balance => CreditsPosted - DebitsPosted;

    /// <summary>What can still be drawn; null without a limit.</summary>
    public Amount? Available => MayOwe is { } mayOwe ? CreditsPosted + mayOwe - DebitsPosted - DebitsPending : null;
}
