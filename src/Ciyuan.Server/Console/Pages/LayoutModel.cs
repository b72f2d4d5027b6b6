using Ciyuan.Parties;

namespace Ciyuan.Server.Console.Pages;

/// <summary>A page in its frame.</summary>
/// <param name="Part">The component inside.</param>
/// <param name="Model">What it shows.</param>
/// <param name="Title">Title of the window.</param>
internal sealed record LayoutModel(Type Part, object Model, string Title);

/// <summary>What went wrong.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Text">Name of the text that says what, and what to do.</param>
/// <param name="Details">Sentences of the engine.</param>
internal sealed record FailureModel(int Status, string Text, IReadOnlyList<string> Details);

/// <summary>The eight rooms of the console.</summary>
/// <param name="Path">Where it begins.</param>
/// <param name="Text">Its name.</param>
/// <param name="Icon">Path of its sign, drawn with a pen of two on a field of 24.</param>
/// <param name="Roles">Who sees it.</param>
internal sealed record Room(string Path, string Text, string Icon, UserRole[] Roles)
{
    /// <summary>All rooms, in the order in which a day goes through them.</summary>
    internal static readonly Room[] All =
    [
        new("/console", "nav.today", "M4 13h6V4H4zm0 7h6v-4H4zm10 0h6v-9h-6zm0-16v4h6V4z", ConsoleRoute.All),
        new("/console/usage", "nav.usage", "M4 19h16M4 15l4-6 4 3 4-6 4 5", ConsoleRoute.All),
        new("/console/prices", "nav.prices", "M12 3v18M16.5 7.5c0-2-2-3-4.5-3s-4.5 1-4.5 3 2 3 4.5 3.5 4.5 1.5 4.5 3.5"
            + "-2 3.5-4.5 3.5-4.5-1.5-4.5-3.5", ConsoleRoute.All),
        new("/console/ledger", "nav.ledger", "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM9 9h6M9 13h6",
            ConsoleRoute.All),
        new("/console/settlement", "nav.settlement", "M5 5h14v15H5zM5 9h14M9 3v4M15 3v4M9 14l2 2 4-4",
            ConsoleRoute.All),
        new("/console/parties", "nav.parties", "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-3.5 2.5-5.5 6-5.5s6 "
            + "2 6 5.5M16 11a3 3 0 1 0-1-5.8M17 14.6c2.5.4 4 2.2 4 5.4", ConsoleRoute.All),
        new("/console/providers", "nav.providers", "M4 5h16v5H4zM4 14h16v5H4zM8 7.5h.01M8 16.5h.01",
            ConsoleRoute.Staff),
        new("/console/system", "nav.system", "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6"
            + "l2.1 2.1M16.3 16.3l2.1 2.1M18.4 5.6l-2.1 2.1M7.7 16.3l-2.1 2.1", ConsoleRoute.Staff),
    ];

    internal bool Holds(string path) => Path == "/console"
        ? path == Path
        : path == Path || path.StartsWith(Path + "/", StringComparison.Ordinal);
}
