using Microsoft.Playwright;

namespace Ciyuan.ConsoleTests;

/// <summary>One browser, and one server with the records, for all that only look: starting them takes longer than a
/// page.</summary>
public sealed class Stage : IAsyncLifetime
{
    internal const string Skipped = $"SKIPPED: {Chromium} is not there; install Debian's chromium to run this test.";

    private const string Chromium = "/usr/bin/chromium";
    private const int ManyRecords = 100_000;
    private const int SomeRecords = 6_000;

    private IPlaywright? _playwright;

    /// <summary>Every page as every user, over many records; else a sample.</summary>
    internal static bool IsFull { get; } = Environment.GetEnvironmentVariable("CIYUAN_BROWSER") == "full";

    /// <summary>The browser; null where it is not installed.</summary>
    internal IBrowser? Browser { get; private set; }

    internal ConsoleSite Site { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (File.Exists(Chromium))
        {
            Site = await ConsoleSite.StartAsync(IsFull ? ManyRecords : SomeRecords);
            await ClosedMonth.MakeAsync(Site);
            Assertions.SetDefaultExpectTimeout(30_000); // as long as the steps themselves: a busy machine is no fault
            _playwright = await Playwright.CreateAsync();
            Browser = await _playwright.Chromium.LaunchAsync(
                new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = ["--no-sandbox"] });
        }
    }

    public async Task DisposeAsync()
    {
        if (Browser is not null)
        {
            await Browser.DisposeAsync();
            _playwright!.Dispose();
            await Site.DisposeAsync();
        }
    }
}
