using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Console;

/// <summary>Scripts and looks, embedded in the program. Each has its hash in its address, so a browser keeps it for
/// good.</summary>
internal static class ConsoleAssets
{
    /// <summary>Where they are.</summary>
    internal const string Prefix = "/console/assets/";

    private const string ResourcePrefix = "Ciyuan.Server.Console.Assets/";
    private const int HashLength = 12;

    private static readonly FrozenDictionary<string, Asset> All = Load();

    /// <summary>Whether the libraries from npm were there when the program was built.</summary>
    internal static bool HasLibraries => All.ContainsKey("htmx.min.js");

    /// <summary>The address of a file; null when it is not there.</summary>
    internal static string? Find(string name) =>
        All.TryGetValue(name, out Asset? asset) ? $"{Prefix}{asset.Hash}/{name}" : null;

    /// <summary>Sends a file.</summary>
    internal static async Task SendAsync(HttpContext http)
    {
        string[] parts = http.Request.Path.Value![Prefix.Length..].Split('/');
        if (parts.Length != 2 || !All.TryGetValue(parts[1], out Asset? asset) || asset.Hash != parts[0])
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        bool packed = http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal);
        byte[] body = packed ? asset.Packed.Value : asset.Bytes;
        HttpResponse response = http.Response;
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.Headers.Vary = "Accept-Encoding";
        response.Headers.ContentEncoding = packed ? "br" : default;
        response.ContentType = asset.Type;
        response.ContentLength = body.Length;
        if (http.Request.Method != HttpMethods.Head)
        {
            await response.Body.WriteAsync(body, http.RequestAborted);
        }
    }

    private static FrozenDictionary<string, Asset> Load()
    {
        var all = new Dictionary<string, Asset>(StringComparer.Ordinal);
        System.Reflection.Assembly assembly = typeof(ConsoleAssets).Assembly;
        foreach (string name in assembly.GetManifestResourceNames())
        {
            if (name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            {
                using Stream stream = assembly.GetManifestResourceStream(name)!;
                byte[] bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                all.Add(name[ResourcePrefix.Length..], new Asset(bytes, TypeOf(name)));
            }
        }

        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    private sealed record Asset(byte[] Bytes, string Type)
    {
        public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(Bytes))[..HashLength];

        public Lazy<byte[]> Packed { get; } = new(() => Pack(Bytes));

        private static byte[] Pack(byte[] bytes)
        {
            var packed = new MemoryStream();
            using (var brotli = new BrotliStream(packed, CompressionLevel.Optimal))
            {
                brotli.Write(bytes);
            }

            return packed.ToArray();
        }
    }
}
