using Ciyuan.Counting;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>A response that is looked at without being recorded.</summary>
/// <param name="Reading">Its usage.</param>
/// <param name="Time">When it was processed, as the envelope or the response says; null when neither does.</param>
/// <param name="Provider">The provider; empty when nobody says.</param>
/// <param name="ModelAsked">The model as asked; empty when nobody says.</param>
/// <param name="Labels">The tags of its envelope, sorted by name.</param>
public sealed record RatedResponse(
    UsageReading Reading, Timestamp? Time, string Provider, string ModelAsked, IReadOnlyList<Tag> Labels)
{
    /// <summary>The tags that a record of a reading of it has: those of its envelope, and those of the
    /// reading.</summary>
    public Tag[] TagsOf(UsageReading reading) =>
        [.. Labels.Concat(reading.Tags).DistinctBy(t => t.Name).OrderBy(t => t.Name, StringComparer.Ordinal)];
}
