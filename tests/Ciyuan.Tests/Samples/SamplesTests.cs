using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Ciyuan.Storage;
using Ciyuan.Tests.Tidy;
using Xunit;

namespace Ciyuan.Tests.Samples;

/// <summary>The samples are what their page says, and come out as a reader's own calculation does.</summary>
public sealed class SamplesTests : IAsyncLifetime
{
    private const int Rows = 2_000;
    private const long PackTokens = 500_000;
    private const decimal Funded = 120; // 20 of the voucher, 100 prepaid

    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-samples-").FullName;
    private Shard _shard = null!;

    public async Task InitializeAsync()
    {
        _shard = await Shard.OpenAsync(new ShardOptions(Path.Combine(_folder, "data")));
        Setup setup = SetupYaml.Parse(Repository.Read("samples/setup.yaml"), "test");
        SetupResult result = await _shard.SetUpAsync(setup);
        Assert.True(result.Status == SetupStatus.Done, string.Join('\n', result.Faults));
        Assert.Equal(SetupStatus.Exists, (await _shard.SetUpAsync(setup)).Status);
        await DepositAsync("acme/pack/starter-pack", Currency.Tok, PackTokens);
        await DepositAsync("acme/voucher/welcome", Currency.Usd, 20);
        await DepositAsync("acme/prepaid/main", Currency.Usd, 100);
        await DepositAsync("jinling/prepaid/main", Currency.Cny, 50);
    }

    public async Task DisposeAsync()
    {
        await _shard.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Trace_ImportedTwice_AddsItselfOnce()
    {
        ImportTally first = await ImportAsync("azure-llm-code.csv");
        ImportTally second = await ImportAsync("azure-llm-code.csv");

        Assert.Equal((Rows, 3_973_157, 59_024), (first.Posted, first.InputTokens, first.OutputTokens));
        Assert.Equal((0, 0, 0), (first.Rejected, first.InSuspense, first.Overrun));
        Assert.Equal((0, Rows), (second.Posted, second.Existing));
    }

    [Fact]
    public async Task Trace_Posted_EqualsAnIndependentCalculation()
    {
        await ImportAsync("azure-llm-code.csv");

        Dictionary<string, decimal> balances = await BalancesAsync();
        (decimal income, decimal cost) = Calculate();
        Assert.Equal(income, balances["ciyuan-net/revenue/acme-usd USD"]);
        Assert.Equal(cost, balances["azure-openai/payable/azure-openai-usd USD"]);
        Assert.Equal(Rows * 0.002m, balances["east-compute/payable/east-compute-calls USD"]);
        Assert.Equal(0, balances["acme/pack/starter-pack TOK"]);
        Assert.Equal(0, balances["acme/voucher/welcome USD"]);
        Assert.Equal(0, balances["acme/prepaid/main USD"]);
        Assert.Equal(Funded - income, balances["acme/credit/line USD"]);
        // One percent of each call, cut to 10⁻¹²: nothing is lost here, since each amount is a multiple of 10⁻¹⁰.
        Assert.Equal(income / 100, balances["codebase-guild/payable/codebase-guild-share USD"]);
    }

    [Fact]
    public async Task HandMadeUsage_Imported_ShowsEachForm()
    {
        ImportTally tally = await ImportAsync("usage.jsonl");

        Assert.Equal((20, 19, 1), (tally.Read, tally.Posted, tally.Existing));
        Assert.Equal((0, 0, 1), (tally.Rejected, tally.Conflicts, tally.InSuspense));
        Dictionary<string, decimal> balances = await BalancesAsync();
        Assert.Equal(490, -balances["ledger/suspense/income TOK"]); // 400 + 90 tokens of a model without a price
        Assert.True(balances["jinling/prepaid/main CNY"] is > 0 and < 50);
    }

    [Fact]
    public async Task EverySample_Posted_LeavesEachCurrencyAtZero()
    {
        await ImportAsync("azure-llm-code.csv");
        await ImportAsync("usage.jsonl");

        IReadOnlyList<AccountView> accounts = await _shard.BalancesAsync();
        Assert.All(
            accounts.GroupBy(a => a.Name.Currency),
            currency => Assert.Equal(Amount.Zero, currency.Aggregate(Amount.Zero, (sum, a) => sum + a.Balance)));
    }

    [Fact]
    public void CloudEvents_EachOfTheBatch_IsARecord()
    {
        byte[] batch = File.ReadAllBytes(Path.Combine(Repository.Root, "samples/cloudevents.json"));
        var elements = new List<Range>();
        Assert.True(JsonBatch.TrySplit(batch, 10, elements, out IngestFault fault), fault.ToString());
        Assert.Equal(3, elements.Count);

        var events = new CloudEvents();
        Assert.All(elements, element => Assert.True(
            events.TryParse(batch.AsSpan(element), null, out _, out IngestFault fault), fault.ToString()));
    }

    // As a reader would: packs first, token by token in the order of the trace, the rest at the prices of setup.yaml.
    private static (decimal Income, decimal Cost) Calculate()
    {
        long pack = PackTokens;
        decimal income = 0;
        decimal cost = 0;
        string[] rows = Repository.Lines("samples/azure-llm-code.csv")[1..];
        Assert.Equal(Rows, rows.Length);
        foreach (string row in rows)
        {
            long[] tokens = [.. row.Split(',')[1..].Select(t => long.Parse(t, CultureInfo.InvariantCulture))];
            cost += ((tokens[0] * 30m) + (tokens[1] * 60m)) / 1_000_000;
            for (int i = 0; i < 2; i++)
            {
                long covered = Math.Min(pack, tokens[i]);
                pack -= covered;
                income += (tokens[i] - covered) * (i == 0 ? 36m : 72m) / 1_000_000;
            }
        }

        return (income, cost);
    }

    private async Task DepositAsync(string account, Currency currency, long units)
    {
        string party = account.Split('/')[0];
        var transfer = new PostTransfer($"{party}/cash/bank", account, currency, Amount.FromUnits(units));
        GroupReply reply = await _shard.PostAsync(new LedgerGroup("test", account, Timestamp.MinValue, [transfer]));
        Assert.Equal(LedgerStatus.Done, reply.Status);
    }

    private async Task<ImportTally> ImportAsync(string sample)
    {
        bool csv = sample.EndsWith(".csv", StringComparison.Ordinal);
        var options = new ImportOptions
        {
            Format = csv ? ImportFormat.Csv : ImportFormat.Jsonl,
            Mapping = csv ? CsvMapping.FromPreset("azure-llm") : null,
            Rejects = Path.Combine(_folder, "rejects.jsonl"),
        };
        var import = new UsageImport(options, (records, cancel) => _shard.RecordAsync(records, cancel));
        await import.RunAsync([Path.Combine(Repository.Root, "samples", sample)], CancellationToken.None);
        return import.Tally;
    }

    private async Task<Dictionary<string, decimal>> BalancesAsync() => (await _shard.BalancesAsync()).ToDictionary(
        a => a.Name.ToString(), a => decimal.Parse(a.Balance.ToString(), CultureInfo.InvariantCulture));
}
