using System.Globalization;
using System.Runtime.InteropServices;
using Ciyuan.Bench;

// ciyuan-bench [import] [http] [rate] [settle] [reconcile] [rerate] [report]
//     [--records N] [--large N] [--postgres CONNECTION]
// ciyuan-bench tokens --corpus FOLDER [--peers FOLDER] [--programs FOLDER]
// Without names, all of the first line. Each figure stands beside what bounds it, measured in the same run.
if (args is ["tokens", ..])
{
    return TokensBench.Run(Text("--corpus"), Text("--peers"), Text("--programs"), CpuName());
}

if (args is ["tokens-load", string vocabulary])
{
    return TokensBench.LoadOnce(vocabulary);
}

// What bench/gateway starts: upstreams, a bare relay, a paced client, and a client of many streams.
switch (args)
{
    case ["relay", string listen, string upstream]:
        return await GatewayRelay.RunAsync(listen, upstream);
    case ["upstream", string listen, string answer]:
        return await GatewayRelay.AnswerAsync(listen, answer);
    case ["paced", string direct, string through, string rate, string seconds, string secret, string body]:
        return GatewayPaced.Run(direct, through, Whole(rate), Whole(seconds), secret, body);
    case ["events", string port]:
        return GatewayStreams.Serve(Whole(port));
    case ["streams", string server, string streams, string seconds, string secret, string process]:
        return await GatewayStreams.RunAsync(
            new Uri(server), Whole(streams), Whole(seconds), secret, Whole(process));
}

var names = args.TakeWhile(a => !a.StartsWith('-')).ToList();
long records = Option("--records", 2_000_000);
long large = Option("--large", 10_000_000);
string? postgres = args.SkipWhile(a => a != "--postgres").Skip(1).FirstOrDefault()
    ?? Environment.GetEnvironmentVariable("CIYUAN_BENCH_POSTGRES");

Console.WriteLine($"""
    machine   {Environment.ProcessorCount} cores, {CpuName()}, {RuntimeInformation.OSDescription}
    runtime   {RuntimeInformation.FrameworkDescription}, workstation garbage collector
    workload  20 consumers, 6 providers, 3 operators, 5 suppliers; token counts from samples/azure-llm-code.csv;
              four agreements a record, so 8 legs; journal in SQLite, WAL, synchronous=FULL,
              every answer after its commit

    """);

using var room = new Room();
var figures = new Figures();
if (Wanted("import"))
{
    await ImportBench.RunAsync(room, figures, records, postgres);
}

if (Wanted("http"))
{
    await HttpBench.RunAsync(room, figures, Math.Min(records, 1_000_000));
}

if (Wanted("rate"))
{
    RateBench.Run(room, figures);
}

if (Wanted("settle"))
{
    await SettleBench.RunAsync(room, figures, Math.Min(records, 1_000_000));
}

if (Wanted("reconcile"))
{
    await ReconcileBench.RunAsync(room, figures, Math.Min(records, 1_000_000));
}

if (Wanted("rerate") || Wanted("report"))
{
    await LargeBench.RunAsync(room, figures, large, Wanted("rerate"), Wanted("report"));
}

figures.Print();
return figures.AllMet ? 0 : 1;

bool Wanted(string name) => names.Count == 0 || names.Contains(name);

string? Text(string name) => args.SkipWhile(a => a != name).Skip(1).FirstOrDefault();

static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);

long Option(string name, long otherwise)
{
    string? text = args.SkipWhile(a => a != name).Skip(1).FirstOrDefault();
    return text is null ? otherwise : long.Parse(text, CultureInfo.InvariantCulture);
}

static string CpuName() => File.Exists("/proc/cpuinfo")
    ? File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown"
    : "unknown";
