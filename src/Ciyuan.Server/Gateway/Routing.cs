using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Gateway.Translation;

namespace Ciyuan.Server.Gateway;

/// <summary>In which order the upstreams of a model are tried: first those of the caller's protocol, lower priority
/// numbers first, and within one by the model's route.</summary>
internal sealed class Routing(Pricing pricing, TimeProvider time)
{
    /// <summary>Header by which a call names one upstream.</summary>
    internal const string UpstreamHeader = "x-ciyuan-upstream";

    /// <summary>Header by which a call asks for a region.</summary>
    internal const string RegionHeader = "x-ciyuan-region";

    /// <summary>The upstreams for a call, in the order in which they are tried; empty when none serves it.</summary>
    internal Candidate[] Order(Call call, GatewayPolicy policy)
    {
        string named = call.Http.Request.Headers[UpstreamHeader].ToString();
        RouteSetup route = policy.FindRoute(call.Facts.Model);
        string region = call.Http.Request.Headers[RegionHeader].ToString() is { Length: > 0 } asked
            ? asked
            : route.Region;
        Candidate[] serving =
        [
            .. policy.FindCandidates(call.Facts.Model).Where(c => Speaks(c, call.Route)
                && (named.Length == 0 || c.Upstream.Setup.Id == named)
                && (region.Length == 0 || c.Upstream.Setup.Region == region)),
        ];
        if (serving.Length < 2)
        {
            return serving;
        }

        return
        [
            .. serving.GroupBy(c => (!IsNative(c, call.Route.Protocol), c.Upstream.Setup.Priority))
                .OrderBy(g => g.Key).SelectMany(g => OrderEquals([.. g], route.By, call)),
        ];
    }

    /// <summary>Whether an upstream understands the caller, or can be spoken to in its own protocol.</summary>
    private static bool Speaks(Candidate candidate, in CallRoute route) =>
        IsNative(candidate, route.Protocol) || SpokenCall.Carries(route, candidate.Upstream.Setup.Protocol);

    /// <summary>Whether an upstream speaks a protocol itself. Such ones go first: with them nothing can be
    /// lost.</summary>
    internal static bool IsNative(Candidate candidate, UpstreamProtocol protocol) =>
        candidate.Upstream.Setup.Protocol == protocol
        || candidate.Upstream.Setup.Protocol == UpstreamProtocol.Sandbox;

    private IEnumerable<Candidate> OrderEquals(Candidate[] equals, RoutePolicy by, Call call)
    {
        switch (by)
        {
            case RoutePolicy.Price:
                return equals.OrderBy(c => PriceOf(c, call));
            case RoutePolicy.Latency:
                // One that was never asked goes first: else nothing would be known of it.
                return equals.OrderBy(c => c.Upstream.FirstByteMs);
            case RoutePolicy.Fixed:
                return equals;
            default:
                // The one that is farthest behind its share of turns; without randomness the shares are kept exactly.
                Candidate[] ordered = [.. equals.Where(c => c.Upstream.Setup.Weight > 0)
                    .OrderBy(c => (double)c.Upstream.Turns / c.Upstream.Setup.Weight)];
                ordered.FirstOrDefault()?.Upstream.TakeTurn();
                return ordered.Concat(equals.Where(c => c.Upstream.Setup.Weight == 0));
        }
    }

    // Prices in several currencies can't be compared: those of the first come first.
    private (string Currency, Int128 Pico) PriceOf(Candidate candidate, Call call)
    {
        var now = Timestamp.FromDateTimeOffset(time.GetUtcNow());
        Money? price = pricing.FindPurchase(call.Policy, call.ContextAt(candidate), now);
        return price is { } p ? (p.Currency.ToString(), p.Amount.Pico) : ("\uFFFF", Int128.MaxValue);
    }
}
