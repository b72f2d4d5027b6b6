using System.Reflection;
using System.Text;

namespace Ciyuan.Tokens.Tests.Media;

/// <summary>Small files that are part of the tests; the first lines of each say where it is from.</summary>
internal static class Fixtures
{
    /// <summary>The bytes of a file in a folder named Fixtures.</summary>
    public static byte[] Bytes(string name)
    {
        Assembly assembly = Assembly.GetExecutingAssembly();
        string full = assembly.GetManifestResourceNames()
            .Single(n => n.EndsWith("Fixtures." + name, StringComparison.Ordinal));
        using Stream stream = assembly.GetManifestResourceStream(full)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The lines of a text file without its remarks.</summary>
    public static IEnumerable<string> Lines(string name) =>
        Encoding.UTF8.GetString(Bytes(name)).Split('\n').Where(l => l.Length > 0 && l[0] != '#');
}
