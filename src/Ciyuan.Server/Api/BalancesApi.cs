using System.ComponentModel;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>Balances now, or at any moment.</summary>
internal sealed class BalancesApi(Shard shard, ShardOptions folder, ReadGate gate)
{
    /// <summary>GET /v1/balances</summary>
    internal async Task<IResult> GetAsync(
        [Description("Accounts that are shown: a path that may have *; all when left out.")] string? match,
        [Description("The moment, itself included: RFC 3339, or the first moment of a day, month or year in UTC. Now "
            + "when "
            + "left out.")] string? at,
        [Description("What places a posting before or after the moment: recorded (when left out) or "
            + "event.")] string? by,
        [Description("json (when left out) or csv.")] string? format)
    {
        string pattern = string.IsNullOrEmpty(match) ? "*" : match;
        if (by is not (null or "" or "recorded" or "event"))
        {
            return Problems.Malformed("by: recorded or event");
        }

        if (string.IsNullOrEmpty(at))
        {
            long seq = shard.DurableSeq;
            IReadOnlyList<AccountView> views = await shard.BalancesAsync();
            return gate.Run(
                format, () => BalanceRendering.Render(BalanceSheet.Now(views, pattern, Matching(pattern), seq)));
        }

        TimeBasis basis = by == "event" ? TimeBasis.Event : TimeBasis.Recorded;
        return Period.TryParseBound(at, NodaTime.DateTimeZone.Utc, out Timestamp moment)
            ? gate.Run(format, () => RenderAt(moment, basis, pattern))
            : Problems.Malformed("at: write RFC 3339, such as 2026-11-01T08:00:00+08:00, or a day, month or year");
    }

    // From the frames themselves, by a connection of its own: the writer isn't held up.
    private Rendering RenderAt(Timestamp moment, TimeBasis basis, string pattern)
    {
        (long seq, IReadOnlyDictionary<AccountName, AccountTotals> totals) =
            Balances.At(folder.Folder, moment, basis, folder.Shard);
        return BalanceRendering.Render(
            BalanceSheet.Then(moment, basis, totals, pattern, Matching(pattern), seq));
    }

    private static Func<string, bool> Matching(string pattern) => new Filter(Dimension.Party, [pattern]).Matches;
}
