using System.Globalization;

namespace Ciyuan.Storage;

/// <summary>A copy of the journal beside the running writer. It is all that a ledger needs: everything else is made
/// again from it.</summary>
public static class Backup
{
    /// <summary>Folder of the copies, in the data folder. Keep them elsewhere too: a disk is lost as a whole.</summary>
    public const string Folder = "backups";

    /// <summary>Makes a copy, whole and consistent, and named by the last frame that it surely has.</summary>
    /// <returns>Its path. A copy of that name that is there already is left as it is.</returns>
    public static string Make(string folder, long durableSeq)
    {
        string backups = Directory.CreateDirectory(Path.Combine(folder, Folder)).FullName;
        string path = Path.Combine(
            backups, string.Create(CultureInfo.InvariantCulture, $"journal-{durableSeq:D12}.db"));
        string making = path + ".part";
        if (!File.Exists(path))
        {
            File.Delete(making);
            using (Database database = Database.Open(DataFolder.JournalPath(Path.GetFullPath(folder)), write: false))
            {
                database.Execute($"VACUUM INTO '{making.Replace("'", "''", StringComparison.Ordinal)}'");
            }

            File.Move(making, path);
        }

        return path;
    }
}
