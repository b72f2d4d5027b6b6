using System.Globalization;
using System.Runtime.InteropServices;

namespace Ciyuan.Cli;

/// <summary>
/// What `serve` asks of the runtime, other than verbs that end after seconds (bench/README.md has what each brings).
/// The runtime reads most of it from its environment, at its start alone, so the process replaces itself once. What
/// the environment says already stands.
/// </summary>
internal static partial class ServerRuntime
{
    private static readonly (string Name, string Value)[] Settings =
    [
        // What arrives is read on where it arrives: switching threads takes as long as much of the work does.
        // What goes on there must not block.
        ("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1"),
        // One core is left to the threads of engine and journal.
        ("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT",
            Math.Max(1, Environment.ProcessorCount - 1).ToString(CultureInfo.InvariantCulture)),
        // 16 MiB are given out between two collections: each stops all threads, and calls leave next to nothing.
        ("DOTNET_GCgen0size", "0x1000000"),
        // Code that runs for days is worth measuring while it runs.
        ("DOTNET_TieredPGO", "1"),
    ];

    /// <summary>Starts the process anew with the settings, in place: the same id, arguments, files and environment.
    /// Returns when they hold already, or where that can't be done; then it goes on with those that can be had
    /// late.</summary>
    internal static unsafe void Apply()
    {
        (string Name, string Value)[] missing =
            [.. Settings.Where(s => Environment.GetEnvironmentVariable(s.Name) is null)];
        foreach ((string name, string value) in missing)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        if (missing.Length == 0 || !OperatingSystem.IsLinux() || Environment.ProcessPath is not { } program)
        {
            return;
        }

        CloseDiagnosticPort();
        byte[] line = File.ReadAllBytes("/proc/self/cmdline"); // each argument ends in a zero
        Array.ForEach(missing, s => _ = SetVariable(s.Name, s.Value, 1));
        var arguments = new nint[line.Count((byte)0) + 1];
        fixed (byte* bytes = line)
        fixed (nint* list = arguments)
        {
            int start = 0;
            for (int i = 0; i < arguments.Length - 1; i++)
            {
                list[i] = (nint)(bytes + start);
                start += line.AsSpan(start).IndexOf((byte)0) + 1;
            }

            _ = Execute(program, list);
        }
    }

    // Its name is made of the process's id and start, which stay: where the file is there already, the new runtime
    // can't listen, and the tools that trace and dump .NET processes find nobody.
    private static void CloseDiagnosticPort()
    {
        string name = string.Create(
            CultureInfo.InvariantCulture, $"dotnet-diagnostic-{Environment.ProcessId}-*-socket");
        foreach (string port in Directory.EnumerateFiles(Path.GetTempPath(), name))
        {
            File.Delete(port);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Execute(string path, nint* arguments);
}
