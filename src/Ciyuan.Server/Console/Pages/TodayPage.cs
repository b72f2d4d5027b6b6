using Ciyuan.Server.Console.Data;

namespace Ciyuan.Server.Console.Pages;

/// <summary>今日 Overview: yesterday and today in one look.</summary>
internal static class TodayPage
{
    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", ConsoleServer.Root, ConsoleRoute.All, ShowAsync),
    ];

    internal static async Task ShowAsync(Visit visit)
    {
        TodayModel model = await visit.Desk.Today.FindAsync(visit);
        if (model.IsEmpty && visit.Is(Parties.UserRole.Operator))
        {
            await visit.PageAsync<Guide>(visit.T("guide.title"), GuideModel.Of(visit));
            return;
        }

        if (visit.IsPart)
        {
            // Every open page asks for this after each news: it is made once for all who see the same.
            await visit.SendAsync(await model.Parts.GetOrAdd(
                visit.Language, _ => new(() => visit.MakePartAsync<Overview>(model))).Value);
            return;
        }

        await visit.PageAsync<Overview>(visit.T("nav.today"), model);
    }
}
