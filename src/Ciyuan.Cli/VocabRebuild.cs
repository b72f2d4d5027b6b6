using System.CommandLine;
using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using Ciyuan.Server.Render;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Cli;

/// <summary>
/// <c>ciyuan vocab rebuild</c>: makes the vocabularies of this program again from the packages that they come from, and
/// compares them byte for byte.
/// </summary>
internal static class VocabRebuild
{
    internal static Command Make()
    {
        var packages = new Option<string>("--packages")
        {
            Description = "Folder of the packages' .tgz files; those that are missing are fetched by npm pack",
            DefaultValueFactory = _ => "./npm-packages",
            HelpName = "DIR",
        };
        var into = new Option<string?>("--into") { Description = "Write the files there", HelpName = "DIR" };
        return new Command("rebuild", "Make the program's own vocabularies again from their origins, and compare")
        {
            packages, into,
        }.Runs((parsed, context, cancel) => RunAsync(
            context, parsed.GetValue(packages)!, parsed.GetValue(into), cancel));
    }

    private static async Task<int> RunAsync(
        VerbContext context, string packages, string? into, CancellationToken cancel)
    {
        Directory.CreateDirectory(packages);
        foreach (string package in ShippedVocabularies.Packages.Where(p => !File.Exists(Tarball(packages, p))))
        {
            await FetchAsync(package, packages, cancel);
        }

        Dictionary<string, ReadOnlyMemory<byte>> shipped =
            ShippedVocabularies.Files().ToDictionary(file => file.FileName, file => file.Image);
        List<(string File, int Bytes, string Sha256, bool Same)> made = [];
        foreach ((string name, byte[] image) in ShippedVocabularies.Rebuild((p, f) => ReadFile(Tarball(packages, p), f)))
        {
            cancel.ThrowIfCancellationRequested();
            bool same = shipped.TryGetValue(name, out ReadOnlyMemory<byte> there) && there.Span.SequenceEqual(image);
            made.Add((name, image.Length, Convert.ToHexStringLower(SHA256.HashData(image)), same));
            if (into is not null)
            {
                Directory.CreateDirectory(into);
                await File.WriteAllBytesAsync(Path.Combine(into, name), image, cancel);
            }
        }

        context.Write(Render(made));
        return made.TrueForAll(file => file.Same) && made.Count == shipped.Count ? Verb.Done : Verb.Refused;
    }

    private static Rendering Render(List<(string File, int Bytes, string Sha256, bool Same)> made) => new(
        () =>
        {
            var table = new Table([new("file"), new("bytes", IsNumber: true), new("same"), new("sha256")]);
            made.ForEach(file => table.Add(
                file.File, file.Bytes.ToString(CultureInfo.InvariantCulture), file.Same ? "yes" : "NO", file.Sha256));
            return table;
        },
        json =>
        {
            json.WriteStartArray();
            foreach ((string file, int bytes, string sha256, bool same) in made)
            {
                json.WriteStartObject();
                json.WriteString("file", file);
                json.WriteNumber("bytes", bytes);
                json.WriteBoolean("same", same);
                json.WriteString("sha256", sha256);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });

    /// <summary>The name that npm pack gives: the scope without its sign, and dashes.</summary>
    private static string Tarball(string folder, string package)
    {
        int at = package.LastIndexOf('@');
        string name = package[..at].TrimStart('@').Replace('/', '-');
        return Path.Combine(folder, $"{name}-{package[(at + 1)..]}.tgz");
    }

    private static async Task FetchAsync(string package, string folder, CancellationToken cancel)
    {
        VerbContext.Say($"fetching {package} by npm pack");
        try
        {
            using Process npm = Process.Start(new ProcessStartInfo("npm", ["pack", "--silent", package])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
            })!;
            await npm.StandardOutput.ReadToEndAsync(cancel);
            await npm.WaitForExitAsync(cancel);
            if (npm.ExitCode != 0)
            {
                throw new RefusedException($"npm pack {package} ended with exit code {npm.ExitCode}.");
            }
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new RefusedException(
                $"npm can't be started ({missing.Message}). Install Node.js, or put the packages into --packages.");
        }
    }

    private static byte[] ReadFile(string tarball, string file)
    {
        using var zip = new GZipStream(File.OpenRead(tarball), CompressionMode.Decompress);
        using var tar = new TarReader(zip);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name == $"package/{file}" && entry is { DataStream: { } data, Length: <= TokenizerJson.MaxFileBytes })
            {
                byte[] bytes = new byte[entry.Length];
                data.ReadExactly(bytes);
                return bytes;
            }
        }

        throw new RefusedException($"{tarball} holds no {file}.");
    }
}
