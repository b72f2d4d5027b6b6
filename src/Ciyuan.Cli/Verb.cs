using System.CommandLine;
using Ciyuan.Journal;
using Ciyuan.Server;
using Ciyuan.Server.Ingest;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Cli;

/// <summary>The command line asks for something that makes no sense; the message says what would.</summary>
internal sealed class WrongUsageException(string message) : Exception(message);

/// <summary>What was asked for is refused; the message says why and what to do.</summary>
internal sealed class RefusedException(string message) : Exception(message);

/// <summary>What the verbs have in common: exit codes, and sentences instead of stack traces.</summary>
internal static class Verb
{
    /// <summary>Done.</summary>
    internal const int Done = 0;

    /// <summary>Refused, or a check failed.</summary>
    internal const int Refused = 1;

    /// <summary>Wrong usage.</summary>
    internal const int WrongUsage = 2;

    /// <summary>Gives a command its action.</summary>
    internal static Command Runs(this Command command, Func<ParseResult, VerbContext, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parsed, cancel) =>
        {
            try
            {
                return await run(parsed, GlobalOptions.Read(parsed), cancel);
            }
            catch (WrongUsageException wrong)
            {
                VerbContext.Say(wrong.Message);
                return WrongUsage;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                VerbContext.Say("stopped.");
                return Refused;
            }
            catch (Exception problem) when (IsExpected(problem))
            {
                VerbContext.Say(problem.Message);
                return Refused;
            }
        });
        return command;
    }

    /// <summary>Opens the data folder for writing.</summary>
    internal static Task<Shard> OpenAsync(VerbContext context, CancellationToken cancel) =>
        Shard.OpenAsync(new ShardOptions(context.Data) { Log = VerbContext.Say }, cancel);

    /// <summary>Reads a text file.</summary>
    internal static string ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path} can't be read: {problem.Message}");
        }
    }

    /// <summary>Reads a whole file.</summary>
    internal static async Task<byte[]> ReadBytesAsync(string path, CancellationToken cancel)
    {
        try
        {
            return await File.ReadAllBytesAsync(path, cancel);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path} can't be read: {problem.Message}");
        }
    }

    // Whatever is not listed is a mistake of ours: it ends the process with its stack.
    private static bool IsExpected(Exception problem) => problem is RefusedException or YamlFileException
        or ImportException or JournalException or ReportTooLargeException or ServerRefusedException
        or VocabularyException
        or IOException or UnauthorizedAccessException;
}
