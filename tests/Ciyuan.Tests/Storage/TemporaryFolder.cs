namespace Ciyuan.Tests.Storage;

/// <summary>A folder for one test, deleted at its end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("ciyuan-test-").FullName;

    /// <summary>Copies all files as they are at this moment, as a crash would leave them.</summary>
    internal TemporaryFolder CopyAsCrashed()
    {
        var copy = new TemporaryFolder();
        foreach (string directory in Directory.GetDirectories(Path, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(directory.Replace(Path, copy.Path, StringComparison.Ordinal));
        }

        foreach (string file in Directory.GetFiles(Path, "*", SearchOption.AllDirectories))
        {
            if (!file.Contains(".lock", StringComparison.Ordinal))
            {
                CopyUnlessGone(file, file.Replace(Path, copy.Path, StringComparison.Ordinal));
            }
        }

        return copy;
    }

    private static void CopyUnlessGone(string from, string to)
    {
        try
        {
            File.Copy(from, to);
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Merged into another file, renamed, or in a folder made since the folders were listed: a crash loses it
            // too.
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
