using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ciyuan.Storage;

/// <summary>
/// Makes files durable. A new name is durable only when its folder is synced too, which .NET can't do.
/// </summary>
internal static partial class DiskSync
{
    private const int OpenReadOnly = 0;

    /// <summary>
    /// Syncs a written file, gives it its final name, and syncs the folder: after this the file is there whole.
    /// </summary>
    internal static void Publish(SafeFileHandle written, string temporaryPath, string path)
    {
        RandomAccess.FlushToDisk(written);
        File.Move(temporaryPath, path, overwrite: true);
        SyncFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Syncs the names in a folder. Windows keeps them by itself.</summary>
    /// <exception cref="IOException">The sync failed.</exception>
    internal static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(folder, OpenReadOnly);
        bool synced = descriptor >= 0 && Sync(descriptor) == 0;
        int error = Marshal.GetLastPInvokeError();
        if (descriptor >= 0)
        {
            _ = Close(descriptor);
        }

        if (!synced)
        {
            throw new IOException($"Syncing the folder {folder} failed: {new Win32Exception(error).Message}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
