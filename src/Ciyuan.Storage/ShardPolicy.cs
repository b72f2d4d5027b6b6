using Ciyuan.Parties;
using Ciyuan.Rating;

namespace Ciyuan.Storage;

/// <summary>What is in force after a durable frame; immutable. Another setup makes another instance.</summary>
/// <param name="Catalog">Parties, keys, agreements, upstreams.</param>
/// <param name="Books">Price books.</param>
public sealed record ShardPolicy(Catalog Catalog, PriceBooks Books);
