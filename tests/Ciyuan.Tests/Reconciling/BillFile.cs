using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Server.Reconciling;
using Ciyuan.Tests.Storage;
using NodaTime;

namespace Ciyuan.Tests.Reconciling;

/// <summary>A bill in a file of its own.</summary>
internal sealed class BillFile : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    internal BillFile(string text)
    {
        Path = System.IO.Path.Combine(_folder.Path, "bill");
        File.WriteAllText(Path, text);
    }

    internal string Path { get; }

    internal Bill Open(string currency = "USD", string format = "ciyuan")
    {
        BillMapping? mapping = BillMapping.Presets.Contains(format) ? BillMapping.FromPreset(format) : null;
        var bill = Bill.Open(Path, format, mapping, DateTimeZone.Utc, Currency.Parse(currency));
        bill.Measure();
        return bill;
    }

    internal List<string> Lines(string format, string currency = "USD") =>
        [.. Open(currency, format).Read().Select(Print)];

    private static string Print(BillLine l) => $"{l.Time} {l.Model} {l.Class} {l.Steps} {l.Amount}";

    public void Dispose() => _folder.Dispose();
}
