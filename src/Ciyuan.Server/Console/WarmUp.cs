using Ciyuan.Parties;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Console.Pages;
using Microsoft.AspNetCore.Http;
using NodaTime;

namespace Ciyuan.Server.Console;

/// <summary>Looks at Today and Usage as staff do, before somebody does: the code is compiled then, and the sums of
/// sealed segments are kept.</summary>
internal static class WarmUp
{
    internal static async Task RunAsync(Desk desk)
    {
        try
        {
            await Look(desk, ConsoleServer.Root, TodayPage.ShowAsync);
            await Look(desk, UsagePages.Path, UsagePages.ShowAsync);
        }
        catch (Exception)
        {
            // Whoever looks first meets the same fault, and is told what to do.
        }
    }

    /// <summary>How long the day of the usual zone lasts yet, and a second.</summary>
    internal static TimeSpan UntilTomorrow(Desk desk)
    {
        DateTimeZone zone = DateTimeZoneProviders.Tzdb[Visit.DefaultZone];
        Instant now = Instant.FromDateTimeOffset(desk.Time.GetUtcNow());
        Instant tomorrow = zone.AtStartOfDay(now.InZone(zone).Date.PlusDays(1)).ToInstant();
        return (tomorrow - now).ToTimeSpan() + TimeSpan.FromSeconds(1);
    }

    private static Task Look(Desk desk, string path, Func<Visit, Task> page)
    {
        var http = new DefaultHttpContext();
        http.Request.Path = path;
        return page(new Visit(http, desk) { User = new UserSetup("nobody", UserRole.Auditor) });
    }
}
