using System.Globalization;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Storage;

/// <summary>A small platform with two customers, and records of their use.</summary>
internal static class Samples
{
    private static readonly UsageContext Acme =
        new("gateway", "acme", "", "", "", "deepseek-v3", "deepseek-v3", "deepseek", "", "chat");

    private static readonly Timestamp Start = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddYears(56));

    internal static Setup Platform { get; } = new()
    {
        By = "test",
        Parties =
        [
            new PartySetup("net", "Network", [Role.Platform]),
            new PartySetup("acme", "Acme", [Role.Consumer]),
            new PartySetup("deepseek", "DeepSeek", [Role.Provider]),
        ],
        Books =
        [
            new BookSetup("list", 1, "CNY", "", "", "test", [Price("*", "2", "8")]),
            new BookSetup("cost", 1, "CNY", "", "", "test", [Price("*", "1", "4")]),
        ],
        Agreements =
        [
            new AgreementSetup("sale", "acme", "net", Book: "list"),
            new AgreementSetup("supply", "net", "deepseek", Book: "cost"),
        ],
        Funding = [new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY")],
    };

    internal static ShardOptions Options(string folder) => new(folder)
    {
        NewIdKey = () => [.. Enumerable.Range(0, 16).Select(i => (byte)i)],
        IdGeneration = 64,
        SnapshotEveryRecords = 500,
    };

    internal static UsageRecord Record(int number, long input = 100) => new()
    {
        Id = number.ToString(CultureInfo.InvariantCulture),
        Context = Acme,
        EventTime = Start.PlusNanoseconds(number * Timestamp.PerSecond),
        Counts =
        [
            new Count(TokenClass.InputText, EvidenceGrade.Reported, input),
            new Count(TokenClass.OutputText, EvidenceGrade.Reported, 10),
        ],
    };

    internal static UsageRecord[] Records(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(n => Record(n))];

    private static PriceSetup Price(string model, string input, string output) =>
        new(model, new Dictionary<string, string> { ["input"] = input, ["output"] = output });
}
