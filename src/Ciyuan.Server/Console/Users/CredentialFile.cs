using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ciyuan.Server.Console.Users;

/// <summary>What a user proves itself with.</summary>
/// <param name="Number">The number in the journal that it was set with; another one there makes it void.</param>
/// <param name="Password">Hash of the password.</param>
/// <param name="Totp">Secret of the second factor in base 64; null: none.</param>
/// <param name="LastStep">Last step of the second factor that was used: a code is good once.</param>
internal sealed record Credential(int Number, string Password, string? Totp = null, long LastStep = 0);

/// <summary>
/// Passwords and second factors, in a file of the data folder that only its owner reads. They are beside the journal
/// and not in it, since a journal can't forget. Losing the file costs no figure: the next start prints a link again.
/// </summary>
internal sealed class CredentialFile
{
    private const string FileName = "console.json";

    private readonly string _path;
    private readonly Dictionary<string, Credential> _all;

    internal CredentialFile(string folder)
    {
        _path = Path.Combine(folder, FileName);
        _all = File.Exists(_path)
            ? JsonSerializer.Deserialize(File.ReadAllBytes(_path), CredentialJson.Default.DictionaryStringCredential)!
            : new(StringComparer.Ordinal);
    }

    internal Credential? Find(string user) => _all.GetValueOrDefault(user);

    /// <summary>Keeps a credential; durable when this returns.</summary>
    internal void Set(string user, Credential credential)
    {
        _all[user] = credential;
        string next = _path + ".next";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(next, options))
        {
            JsonSerializer.Serialize(file, _all, CredentialJson.Default.DictionaryStringCredential);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, _path, overwrite: true);
    }
}

/// <summary>How credentials are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Dictionary<string, Credential>))]
internal sealed partial class CredentialJson : JsonSerializerContext;
