using System.Text;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Exports;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Usage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Tests.Exports;

public sealed class FocusExportTests : IAsyncLifetime
{
    private static readonly DateTimeZone Shanghai = DateTimeZoneProviders.Tzdb["Asia/Shanghai"];

    private SmallNetwork _network = null!;
    private ExportTerms _terms = null!;

    public async Task InitializeAsync()
    {
        _network = await SmallNetwork.MakeAsync(seed: 7, records: 1_500);
        (Catalog catalog, PriceBooks books) = await _network.TermsAsync();
        _terms = new ExportTerms(catalog, books);
    }

    public async Task DisposeAsync() => await _network.DisposeAsync();

    [Theory]
    [InlineData("cost-and-usage", "1.2", null, Bucket.Day)]
    [InlineData("cost-and-usage", "1.2", Side.Income, Bucket.Hour)]
    [InlineData("cost-and-usage", "1.4", null, Bucket.Day)]
    [InlineData("cost-and-usage", "1.4", Side.Cost, Bucket.Hour)]
    [InlineData("invoice-detail", "1.4", null, Bucket.Day)]
    [InlineData("billing-period", "1.4", null, Bucket.Day)]
    public void Write_EachDataset_KeepsTheRulesOfTheSpecification(
        string dataset, string version, Side? side, Bucket bucket)
    {
        (string[] header, List<string?[]> rows) = Csv(Ask(dataset, version) with { Side = side, Bucket = bucket });
        List<string> faults = FocusRules.FindFaults(version, dataset, header, rows);
        Assert.True(faults.Count == 0, string.Join('\n', faults.Distinct().Take(20)));
        Assert.NotEmpty(rows);
    }

    [Fact]
    public void FindFaults_BrokenFile_NamesEachFault()
    {
        (string[] header, List<string?[]> rows) = Csv(Ask("cost-and-usage", "1.2"));
        int At(string id) => Array.IndexOf(header, id);
        (string Column, string? Value)[] broken =
        [
            ("BilledCost", "1,5"), ("BilledCost", "+1"), ("BillingAccountId", null), ("BillingPeriodEnd", "2026-11-01"),
            ("ChargeCategory", "usage"), ("ContractedUnitPrice", "99"), ("PricingUnit", null), ("SkuMeter", null),
            ("BillingCurrency", "yuan"), ("SkuPriceDetails", "{\"a\":[1]}"), ("ConsumedUnit", "tokens"),
        ];
        foreach ((string column, string? value) in broken)
        {
            string?[] row = [.. rows[0]];
            row[At(column)] = value;
            Assert.Contains(FocusRules.FindFaults("1.2", "cost-and-usage", header, [row]),
                fault => fault.StartsWith(column, StringComparison.Ordinal)
                    || fault.StartsWith("ContractedCost", StringComparison.Ordinal));
        }

        Assert.Contains("ListCost: is missing", FocusRules.FindFaults("1.2", "cost-and-usage",
            [.. header.Where(h => h != "ListCost")], []));
    }

    [Fact]
    public void Write_CostAndUsage_AddsUpToTheLedgerAndTheInvoices()
    {
        (string[] header, List<string?[]> rows) = Csv(Ask("cost-and-usage", "1.4") with { Side = null });
        (string[] detailHeader, List<string?[]> details) = Csv(Ask("invoice-detail", "1.4") with { Side = null });
        foreach (Agreement agreement in _terms.Catalog.Agreements)
        {
            foreach (string month in (string[])["2026-10", "2026-11"])
            {
                Assert.True(Period.TryParse(month, Shanghai, out Period period));
                Statement statement = _network.Shard.Facts.RunStatement(
                    new StatementQuery(agreement.Id, period, Shanghai));
                string invoice = $"{agreement.Id}/{month}";
                decimal Sum(string[] head, List<string?[]> of, bool rounding) => of
                    .Where(r => r[Array.IndexOf(head, "InvoiceId")] == invoice
                        && (rounding || r[Array.IndexOf(head, "ChargeCategory")] != "Adjustment"))
                    .Sum(r => FocusRules.Decimal(r[Array.IndexOf(head, "BilledCost")]));
                Assert.Equal(FocusRules.Decimal(statement.Exact.ToString()), Sum(header, rows, false));
                Assert.Equal(FocusRules.Decimal(statement.Total.ToString()), Sum(header, rows, true));
                Assert.Equal(FocusRules.Decimal(statement.Total.ToString()), Sum(detailHeader, details, true));
            }
        }

        // Each line of an invoice is the sum of the rows that name it.
        var byDetail = rows.GroupBy(r => r[Array.IndexOf(header, "InvoiceDetailId")]!).ToDictionary(
            g => g.Key, g => g.Sum(r => FocusRules.Decimal(r[Array.IndexOf(header, "BilledCost")])));
        Assert.Equal(byDetail.Count, details.Count);
        Assert.All(details, d => Assert.Equal(byDetail[d[Array.IndexOf(detailHeader, "InvoiceDetailId")]!],
            FocusRules.Decimal(d[Array.IndexOf(detailHeader, "BilledCost")])));
    }

    [Theory]
    [InlineData(TaxMode.Added, 1)]
    [InlineData(TaxMode.Included, 0)]
    public async Task Write_TaxOfTerms_IsARowWhereItIsAdded(TaxMode mode, int expected)
    {
        await _network.Shard.SetUpAsync(new Setup
        {
            By = "test",
            Settlement = [new("acme-usd", "2026-10", TaxPercent: "6", TaxMode: mode)],
        });
        (Catalog catalog, PriceBooks books) = await _network.TermsAsync();
        _terms = new ExportTerms(catalog, books);
        Assert.True(Period.TryParse("2026-11", Shanghai, out Period november));
        foreach (string version in (string[])["1.2", "1.4"])
        {
            (string[] header, List<string?[]> rows) = Csv(Ask("cost-and-usage", version) with
            {
                Agreements = new HashSet<string> { "acme-usd" },
                Period = november,
            });
            decimal Cost(Func<string?, bool> of) => rows.Where(r => of(r[Array.IndexOf(header, "ChargeCategory")]))
                .Sum(r => FocusRules.Decimal(r[Array.IndexOf(header, "BilledCost")]));
            Assert.Empty(FocusRules.FindFaults(version, "cost-and-usage", header, rows));
            Assert.Equal(expected, rows.Count(r => r[Array.IndexOf(header, "ChargeCategory")] == "Tax"));
            decimal tax = expected * decimal.Round(
                Cost(c => c != "Tax") * 0.06m, 2, MidpointRounding.AwayFromZero);
            Assert.Equal(tax, Cost(c => c == "Tax"));
        }
    }

    [Fact]
    public void Write_CostAndUsage_CountsTheTokensOfTheRecords()
    {
        FocusRequest request = Ask("cost-and-usage", "1.2") with { Agreements = new HashSet<string> { "acme-usd" } };
        (string[] header, List<string?[]> rows) = Csv(request);
        decimal counted = rows.Where(r => r[Array.IndexOf(header, "ConsumedUnit")] == "Tokens")
            .Where(r => r[Array.IndexOf(header, "x_Entry")] is "usage" or "pack")
            .Sum(r => FocusRules.Decimal(r[Array.IndexOf(header, "ConsumedQuantity")]));
        long used = _network.Records
            .Where(r => r.Context.Party == "acme" && r.Outcome == Outcome.Ok && r.Context.ModelAsked != "unknown"
                && request.Period.Contains(r.EventTime))
            .Sum(r => r.Counts.Where(c => c.Meter.IsTokens).Sum(c => c.Steps));
        Assert.Equal(used, counted);
        Assert.Contains(rows, r => r[Array.IndexOf(header, "x_Entry")] == "pack"
            && r[Array.IndexOf(header, "BilledCost")] == "0");
    }

    [Fact]
    public void Write_JsonLines_SayTheSameAsCsv()
    {
        FocusRequest request = Ask("cost-and-usage", "1.4");
        (string[] header, List<string?[]> rows) = Csv(request);
        string[] lines = Text(request, OutputFormat.Json).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(rows.Count, lines.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            using JsonDocument json = JsonDocument.Parse(lines[i]);
            Assert.Equal(header, json.RootElement.EnumerateObject().Select(p => p.Name));
            Assert.Equal(rows[i], json.RootElement.EnumerateObject().Select(p => p.Value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => p.Value.GetString(),
                _ => p.Value.GetRawText(),
            }));
        }
    }

    [Fact]
    public void Write_BillingPeriods_AreClosedWhenAllAgreementsAre()
    {
        (string[] header, List<string?[]> rows) = Csv(Ask("billing-period", "1.4"));
        Assert.Equal(2, rows.Count);
        Assert.Equal("2026-09-30T16:00:00Z", rows[0][Array.IndexOf(header, "BillingPeriodStart")]);
        Assert.All(rows, row => Assert.Equal("Open", row[Array.IndexOf(header, "BillingPeriodStatus")]));
    }

    [Theory]
    [InlineData("invoice-detail", "1.2")]
    [InlineData("billing-period", "1.2")]
    public void FindFault_DatasetThatTheVersionLacks_IsRefused(string dataset, string version) =>
        Assert.Contains("1.4", Ask(dataset, version).FindFault(), StringComparison.Ordinal);

    private static FocusRequest Ask(string dataset, string version)
    {
        Assert.True(Period.TryParseBound("2026-10", Shanghai, out Timestamp from));
        Assert.True(Period.TryParseBound("2026-12", Shanghai, out Timestamp to));
        FocusDataset which = Enum.Parse<FocusDataset>(dataset.Replace("-", "", StringComparison.Ordinal), true);
        FocusVersion spec = version == "1.2" ? FocusVersion.V12 : FocusVersion.V14;
        return new FocusRequest(which, spec, new Period(from, to), Shanghai);
    }

    private string Text(FocusRequest request, OutputFormat format)
    {
        using var output = new MemoryStream();
        new FocusExport(request, _network.Shard.Facts, _terms).Write(output, format);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private (string[] Header, List<string?[]> Rows) Csv(FocusRequest request)
    {
        List<string[]> all = Split(Text(request, OutputFormat.Csv));
        string[] header = all[0];
        List<string?[]> rows = all.Skip(1)
            .Select(row => Array.ConvertAll(row, cell => cell.Length == 0 ? null : cell)).ToList();
        return (header, rows);
    }

    // RFC 4180, as plainly as it can be read.
    private static List<string[]> Split(string csv)
    {
        var rows = new List<string[]>();
        var row = new List<string>();
        var cell = new StringBuilder();
        bool quoted = false;
        for (int i = 0; i < csv.Length; i++)
        {
            if (csv[i] == '"' && quoted && i + 1 < csv.Length && csv[i + 1] == '"')
            {
                cell.Append(csv[i++]);
            }
            else if (csv[i] == '"')
            {
                quoted = !quoted;
            }
            else if (csv[i] is ',' or '\r' && !quoted)
            {
                row.Add(cell.ToString());
                cell.Clear();
            }
            else if (csv[i] == '\n' && !quoted)
            {
                rows.Add([.. row]);
                row.Clear();
            }
            else
            {
                cell.Append(csv[i]);
            }
        }

        return rows;
    }
}
