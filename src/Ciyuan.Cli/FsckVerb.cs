using System.CommandLine;
using System.Text.Json;
using Ciyuan.Server.Render;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan fsck</c>: checks every invariant of a data folder that no process writes to.</summary>
internal static class FsckVerb
{
    internal static Command Make() => new Command("fsck", "Check the journal and everything made from it")
        .Runs((_, context, cancel) => Task.FromResult(Run(context, cancel)));

    internal static int Run(VerbContext context, CancellationToken cancel)
    {
        string check = "";
        FsckReport report = Fsck.Run(context.Data, cancel: cancel, progress: context.ShowsProgress ? Show : null);
        context.Write(Render(report));
        return report.IsClean ? Verb.Done : Verb.Refused;

        void Show(FsckProgress progress)
        {
            if (check != progress.Check)
            {
                check = progress.Check;
                VerbContext.Say($"checking {check} ({progress.Total} frames)");
            }
        }
    }

    private static Rendering Render(FsckReport report) => new(
        () =>
        {
            string verdict = report.IsClean ? "clean"
                : report.FirstBrokenFrame is { } broken ? $"broken at frame {broken}" : "broken";
            var table = new Table([new("check"), new("passed"), new("detail")])
            {
                Scope = [$"Scope: {report.Frames} frames, {report.Records} records, conflicts included"],
                Notes = [$"Result: {verdict}"],
            };
            foreach (FsckCheck check in report.Checks)
            {
                table.Add(check.Name, check.Passed ? "yes" : "NO", check.Detail);
            }

            return table;
        },
        json => WriteJson(json, report));

    private static void WriteJson(Utf8JsonWriter json, FsckReport report)
    {
        json.WriteStartObject();
        json.WriteBoolean("clean", report.IsClean);
        json.WriteNumber("frames", report.Frames);
        json.WriteNumber("records", report.Records);
        json.WritePropertyName("first_broken_frame");
        if (report.FirstBrokenFrame is { } broken)
        {
            json.WriteNumberValue(broken);
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteStartArray("checks");
        foreach (FsckCheck check in report.Checks)
        {
            json.WriteStartObject();
            json.WriteString("name", check.Name);
            json.WriteBoolean("passed", check.Passed);
            json.WriteString("detail", check.Detail);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
