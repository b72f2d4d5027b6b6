namespace Ciyuan.Tokens.Tests.Media;

/// <summary>Reference data that lies beside the checkout, where it does.</summary>
internal static class SharedData
{
    /// <summary>The path of a file of the shared data; null when the folder is missing.</summary>
    public static string? Find(string name)
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string path = Path.Combine(at.FullName, "shared", "data", name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
