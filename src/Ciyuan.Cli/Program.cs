using System.CommandLine;
using System.Runtime.InteropServices;
using Ciyuan.Cli;

// One verb, one file. Exit 0: done; 1: refused or a check failed, with the reason; 2: wrong usage.
var root = new RootCommand(
    "Ciyuan (词元): the system of record for AI usage. It counts, prices, posts, settles and reports.");
GlobalOptions.AddTo(root);
root.Subcommands.Add(SetupVerb.Make());
root.Subcommands.Add(ImportVerb.Make());
root.Subcommands.Add(RateVerb.Make());
root.Subcommands.Add(PricesVerb.Make());
root.Subcommands.Add(ReportVerb.Make());
root.Subcommands.Add(StatementVerb.Make());
root.Subcommands.Add(SettleVerb.Make());
root.Subcommands.Add(BalanceVerb.Make());
root.Subcommands.Add(ForecastVerb.Make());
root.Subcommands.Add(ExportVerb.Make());
root.Subcommands.Add(ReconcileVerb.Make());
root.Subcommands.Add(DepositVerb.Make());
root.Subcommands.Add(RerateVerb.Make());
root.Subcommands.Add(FsckVerb.Make());
root.Subcommands.Add(KeyVerb.Make());
root.Subcommands.Add(ServeVerb.Make());
root.Subcommands.Add(TailVerb.Make());
root.Subcommands.Add(CountVerb.Make());
root.Subcommands.Add(VocabVerb.Make());
root.Subcommands.Add(DemoVerb.Make());

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (string message in parsed.Errors.Select(error => error.Message).Distinct())
    {
        Console.Error.WriteLine($"ciyuan: {message}");
    }

    Console.Error.WriteLine("Run 'ciyuan --help' or 'ciyuan VERB --help'.");
    return Verb.WrongUsage;
}

using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true; // the verb stops at a safe point and says how far it got
    stop.Cancel();
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
var invocation = new InvocationConfiguration
{
    EnableDefaultExceptionHandler = false,
    ProcessTerminationTimeout = null,
};
return await parsed.InvokeAsync(invocation, stop.Token);
