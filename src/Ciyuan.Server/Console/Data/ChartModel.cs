using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ciyuan.Server.Console.Data;

/// <summary>A line, a band or a bar of a chart.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Values">A value for each label.</param>
/// <param name="Dashed">Drawn as what was before.</param>
/// <param name="Link">Where pointing at it leads; empty: nowhere.</param>
internal sealed record ChartSeries(string Name, double[] Values, bool Dashed = false, string Link = "");

/// <summary>What a chart shows. It is drawn from figures that stand in the page too, so nobody needs the
/// picture.</summary>
/// <param name="Kind"><c>line</c>, <c>stack</c>, <c>share</c> or <c>heat</c>.</param>
/// <param name="Title">What it is, for those who don't see it.</param>
/// <param name="Unit">Unit of the values.</param>
/// <param name="Labels">Places of the first axis.</param>
/// <param name="Series">The series; of a heat map, a row for each.</param>
internal sealed record ChartModel(
    string Kind, string Title, string Unit, IReadOnlyList<string> Labels, IReadOnlyList<ChartSeries> Series)
{
    /// <summary>As the page's script reads it; safe within a page, since signs of HTML are escaped.</summary>
    internal string Json => JsonSerializer.Serialize(this, ChartJson.Default.ChartModel);
}

/// <summary>How charts are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ChartModel))]
internal sealed partial class ChartJson : JsonSerializerContext;
