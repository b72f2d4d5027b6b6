using Ciyuan.Parties;

namespace Ciyuan.Server.Console;

/// <summary>An address of the console, who may ask it, and what answers.</summary>
/// <param name="Method">GET or POST.</param>
/// <param name="Path">The path; with a <c>*</c> at its end, any part behind it.</param>
/// <param name="Roles">Who may; empty: anybody, signed in or not.</param>
/// <param name="RunAsync">Answers.</param>
internal sealed record ConsoleRoute(string Method, string Path, UserRole[] Roles, Func<Visit, Task> RunAsync)
{
    /// <summary>Most bytes of a form.</summary>
    internal long FormBytes { get; init; } = 1024 * 1024;

    /// <summary>Everybody who is signed in.</summary>
    internal static readonly UserRole[] All = Enum.GetValues<UserRole>();

    /// <summary>Who works for the platform.</summary>
    internal static readonly UserRole[] Staff = [UserRole.Operator, UserRole.Finance, UserRole.Auditor];

    /// <summary>Who posts money.</summary>
    internal static readonly UserRole[] Money = [UserRole.Operator, UserRole.Finance];

    /// <summary>Who changes everything.</summary>
    internal static readonly UserRole[] Operators = [UserRole.Operator];

    /// <summary>Nobody in particular: signing in.</summary>
    internal static readonly UserRole[] Anybody = [];

    internal bool Fits(string path) => Path.EndsWith('*')
        ? path.Length >= Path.Length && path.AsSpan().StartsWith(Path.AsSpan(0, Path.Length - 1))
        : path == Path;
}
