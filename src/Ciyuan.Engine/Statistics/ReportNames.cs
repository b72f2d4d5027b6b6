using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>The value of each dimension, as keys and filters of reports have it.</summary>
public static class ReportNames
{
    /// <summary>Of what a record is.</summary>
    public static string Of(UsageContext context, Outcome outcome, Dimension dimension) => OrNone(dimension switch
    {
        Dimension.Party => context.Party,
        Dimension.Project => context.Project,
        Dimension.Key => context.Key,
        Dimension.Scenario => context.Scenario,
        Dimension.Model => context.Model,
        Dimension.ModelAsked => context.ModelAsked,
        Dimension.Provider => context.Provider,
        Dimension.Site => context.Site,
        Dimension.Operation => context.Operation,
        Dimension.Source => context.Source,
        _ => Of(outcome),
    });

    /// <summary>Of a count.</summary>
    public static string Of(Meter meter, EvidenceGrade grade, Dimension dimension) => dimension switch
    {
        Dimension.Class => meter.ToString(),
        Dimension.Grade => Of(grade),
        _ when !meter.IsTokens => Dimensions.None,
        Dimension.Direction => PartOf(meter, 0),
        Dimension.Modality => PartOf(meter, 1),
        _ => PartOf(meter, 2),
    };

    /// <summary>Of a charge.</summary>
    public static string Of(Rate rate, Dimension dimension) =>
        OrNone(dimension == Dimension.Agreement ? rate.Agreement : Of(rate.Side));

    /// <summary>How a call ended: <c>ok</c>, <c>failed</c>, <c>cut</c>.</summary>
    public static string Of(Outcome outcome) => outcome switch
    {
        Outcome.Ok => "ok",
        Outcome.Failed => "failed",
        _ => "cut",
    };

    /// <summary>How sure a count is: <c>exact</c>, <c>reported</c>, …</summary>
    public static string Of(EvidenceGrade grade) => grade switch
    {
        EvidenceGrade.Exact => "exact",
        EvidenceGrade.Reported => "reported",
        EvidenceGrade.Bounded => "bounded",
        EvidenceGrade.Partial => "partial",
        _ => "estimated",
    };

    /// <summary><c>income</c>, <c>cost</c> or <c>between</c>.</summary>
    public static string Of(Side side) => side switch
    {
        Side.Income => "income",
        Side.Cost => "cost",
        _ => "between",
    };

    private static string PartOf(Meter meter, int part) => meter.TokenClass.ToString().Split('.')[part];

    private static string OrNone(string value) => value.Length == 0 ? Dimensions.None : value;
}
