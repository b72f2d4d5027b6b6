using Ciyuan.Counting;
using Ciyuan.Quantities;

namespace Ciyuan.Server.Ingest;

/// <summary>A response that is looked at without being recorded.</summary>
/// <param name="Reading">Its usage.</param>
/// <param name="Time">When it was processed, as the envelope or the response says; null when neither does.</param>
/// <param name="Provider">The provider; empty when nobody says.</param>
/// <param name="ModelAsked">The model as asked; empty when nobody says.</param>
public sealed record RatedResponse(UsageReading Reading, Timestamp? Time, string Provider, string ModelAsked);
