using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>Where cached tokens stand in what a provider or relay reports.</summary>
public enum CachePlace
{
    /// <summary>As the provider's convention has it; contradicting totals decide otherwise, and lower the
    /// grade.</summary>
    ByConvention,

    /// <summary>Within the stated input, whatever the convention says.</summary>
    Within,

    /// <summary>Beside the stated input: a relay has already subtracted it.</summary>
    Beside,
}

/// <summary>What is known about a response beyond its bytes.</summary>
/// <param name="Cache">Where cached tokens stand.</param>
public readonly record struct ReadingOptions(CachePlace Cache = CachePlace.ByConvention);

/// <summary>What the provider itself says that the call costs. Never what is charged: to be compared.</summary>
/// <param name="Amount">The amount, exact.</param>
/// <param name="Currency">Its currency.</param>
public readonly record struct StatedCost(Amount Amount, Currency Currency);

/// <summary>
/// What a provider's response says that it used: disjoint counts, and all that was odd about them. Counts are empty
/// when the reading is refused.
/// </summary>
public sealed class UsageReading
{
    /// <summary>The counts, sorted by meter, each at most once, graded.</summary>
    public required Count[] Counts { get; init; }

    /// <summary>All that was odd, in the order in which it was found.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>The worst grade of the counts; <see cref="EvidenceGrade.Reported"/> at best, since nothing was
    /// recounted.</summary>
    public required EvidenceGrade Grade { get; init; }

    /// <summary>Why nothing is counted; null when the reading stands.</summary>
    public Finding? Refusal => Findings.FirstOrDefault(f => f.Weight == FindingWeight.Refuses);

    /// <summary>The model as the provider names it; empty when it does not.</summary>
    public string Model { get; init; } = "";

    /// <summary>The provider's id of the response; empty when there is none.</summary>
    public string ResponseId { get; init; } = "";

    /// <summary>When the provider says the response was made; null when it does not.</summary>
    public Timestamp? Created { get; init; }

    /// <summary>How the call ended.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>What the provider says it costs; null when it does not.</summary>
    public StatedCost? StatedCost { get; init; }

    /// <summary>
    /// Well-known tags, sorted by name: <c>service_tier</c>, <c>traffic_type</c>, <c>speed</c>, <c>inference_geo</c>,
    /// <c>thinking</c>, <c>cache_type</c>, <c>finish</c>, … Rules of prices go by them.
    /// </summary>
    public required Tag[] Tags { get; init; }

    /// <summary>Usage within the same response that belongs to another model (an advisor, say), each a record of its
    /// own.</summary>
    public IReadOnlyList<UsageReading> Others { get; init; } = [];

    /// <summary>Steps of a meter; 0 when it was not counted.</summary>
    public long this[Meter meter]
    {
        get
        {
            foreach (Count count in Counts)
            {
                if (count.Meter == meter)
                {
                    return count.Steps;
                }
            }

            return 0;
        }
    }

    /// <summary>Sum over the token classes of one direction.</summary>
    public long Tokens(Direction direction)
    {
        long sum = 0;
        foreach (Count count in Counts)
        {
            sum += count.Meter.IsTokens && count.Meter.TokenClass.Direction == direction ? count.Steps : 0;
        }

        return sum;
    }
}
