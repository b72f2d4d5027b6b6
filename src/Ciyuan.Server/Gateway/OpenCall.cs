using System.Text.Json;
using System.Text.Json.Serialization;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// A call as its hold describes it, so that what a crash left open can be recorded at the next start: no call that got
/// an answer is without a record, and no hold is left over.
/// </summary>
/// <param name="Key">The key.</param>
/// <param name="Project">Its project.</param>
/// <param name="Model">The model as asked.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Scenario">The scenario; empty: none.</param>
/// <param name="Input">Tokens of the input, as estimated.</param>
internal sealed record OpenCall(
    string Key, string Project, string Model, string Operation, string Scenario, long Input)
{
    /// <summary>Stands between a call's id and the number of a try, in the id of that try's hold.</summary>
    internal const char TryMark = '-';

    /// <summary>What the memo of a call's hold says.</summary>
    internal static string Describe(Call call) => JsonSerializer.Serialize(
        new OpenCall(
            call.Caller.Key.Id, call.Caller.Key.Project, call.Facts.Model, call.Route.Operation, call.Scenario,
            call.Facts.EstimatedInput),
        OpenCallJson.Default.OpenCall);

    /// <summary>
    /// Records the calls that a former run left open: as failed, with the input as estimated, since how far the answer
    /// went is not known. An agreement bills them only if it says that it bills failed calls.
    /// </summary>
    /// <returns>How many there were.</returns>
    internal static async Task<int> RecordAllAsync(
        Shard shard, TimeProvider time, GatewayLimits limits, CancellationToken cancel)
    {
        var now = Timestamp.FromDateTimeOffset(time.GetUtcNow());
        // Twice the life of a hold, for clocks that were set back.
        Timestamp since = now.PlusNanoseconds(-2 * (long)limits.HoldTime.TotalSeconds * Timestamp.PerSecond);
        IReadOnlyList<LedgerGroup> open = await shard.OpenHoldsAsync(GatewayRecorder.Source, since, cancel);
        UsageRecord[] records = [.. open.Select(ToRecord)];
        foreach (UsageRecord[] some in records.Chunk(1_000))
        {
            _ = await shard.RecordAsync(some, cancel);
        }

        return records.Length;
    }

    private static UsageRecord ToRecord(LedgerGroup group)
    {
        PlaceHold hold = group.Operations.OfType<PlaceHold>().First();
        OpenCall call = JsonSerializer.Deserialize(group.Memo, OpenCallJson.Default.OpenCall)!;
        Meter input = new TokenClass(Direction.Input, Modality.Text, TokenKind.Fresh);
        return new UsageRecord
        {
            Id = hold.Hold.Split(TryMark)[0],
            Context = new UsageContext(
                GatewayRecorder.Source, hold.Party, call.Project, call.Key, call.Scenario, call.Model,
                Operation: call.Operation),
            EventTime = group.EventTime,
            Outcome = Outcome.Failed,
            Counts = [new Count(input, EvidenceGrade.Estimated, call.Input)],
            Tags = [new Tag("end", "server_stopped")],
            Hold = hold.Hold,
        };
    }
}

/// <summary>How an open call is written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(OpenCall))]
internal sealed partial class OpenCallJson : JsonSerializerContext;
