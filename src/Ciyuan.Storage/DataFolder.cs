using System.Globalization;

namespace Ciyuan.Storage;

/// <summary>
/// The files of a data folder. The journal is the truth; index, snapshots and statistics are made from it and may be
/// deleted while no process has the folder open.
/// </summary>
public sealed class DataFolder : IDisposable
{
    /// <summary>Free space below which a failed write is taken for a full disk: 4 MB, a few frames.</summary>
    private const long LowSpaceBytes = 4 << 20;

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream lockFile)
    {
        Root = path;
        _lock = lockFile;
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>The journal in a folder.</summary>
    public static string JournalPath(string folder) => Path.Combine(folder, "journal.db");

    /// <summary>The folder of a shard's id index in a folder.</summary>
    public static string IndexPath(string folder, int shard = 0) => Path.Combine(folder, "index", $"{shard}");

    /// <summary>The folder of a shard's snapshots in a folder.</summary>
    public static string SnapshotsPath(string folder, int shard = 0) => Path.Combine(folder, "snapshots", $"{shard}");

    private static string LockPath(string folder) => Path.Combine(folder, "ciyuan.lock");

    private static string OwnerPath(string folder) => Path.Combine(folder, "ciyuan.lock.owner");

    /// <summary>Takes the folder for the one writer, and makes it when it is missing. Readers need no lock.</summary>
    /// <exception cref="DataFolderInUseException">Another process has it.</exception>
    public static DataFolder Lock(string folder)
    {
        folder = Path.GetFullPath(folder);
        Make(folder);
        FileStream lockFile = TakeLock(folder);
        try
        {
            File.WriteAllText(OwnerPath(folder), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // The name of the owner is a courtesy to people; a full disk must not keep the folder shut.
        }

        return new DataFolder(folder, lockFile);
    }

    // Who paid whom for what is for nobody else's eyes: a new folder is its owner's alone.
    private static void Make(string folder)
    {
        if (OperatingSystem.IsWindows() || Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(
                folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Takes an existing folder so that no writer starts meanwhile, and writes nothing.</summary>
    /// <exception cref="DataFolderInUseException">A process has it.</exception>
    internal static DataFolder LockForReading(string folder)
    {
        folder = Path.GetFullPath(folder);
        return File.Exists(JournalPath(folder))
            ? new DataFolder(folder, TakeLock(folder))
            : throw new DirectoryNotFoundException($"{folder} has no journal.db: it is not a data folder of Ciyuan.");
    }

    /// <summary>True when hardly any space is left in a folder.</summary>
    public static bool IsNearlyFull(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace < LowSpaceBytes;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Gives the folder free.</summary>
    public void Dispose() => _lock.Dispose();

    private static FileStream TakeLock(string folder)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX) on Unix: it goes when the process ends, however it ends.
            return new FileStream(LockPath(folder), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new DataFolderInUseException(
                $"{folder} is in use by {Owner(folder)}: one process writes at a time. " +
                "Stop that process, send to its server, or choose another folder with --data.", e);
        }
    }

    private static string Owner(string folder)
    {
        try
        {
            return $"process {File.ReadAllText(OwnerPath(folder)).Trim()}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "another process";
        }
    }
}
