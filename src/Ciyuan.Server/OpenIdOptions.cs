namespace Ciyuan.Server;

/// <summary>Who else says who a user of the console is: an issuer of OpenID Connect, by the code flow with PKCE. It
/// only says who somebody is; what they may is their role here.</summary>
/// <param name="Issuer">Its address, <c>https</c> unless on this machine; its discovery document is below it.</param>
/// <param name="ClientId">What it calls this console.</param>
/// <param name="Secret">What it knows this console by; null: it asks for none.</param>
/// <param name="Claim">The claim that is the user's id here. It must be one that people can't choose at the
/// issuer.</param>
/// <param name="Name">What the button calls it.</param>
public sealed record OpenIdOptions(Uri Issuer, string ClientId, string? Secret, string Claim, string Name)
{
    /// <summary>The variable that names the issuer; without it there is none. The others begin alike.</summary>
    public const string Variable = "CIYUAN_OPENID_ISSUER";

    private const string Start = "CIYUAN_OPENID_";

    /// <summary>What the environment says: <c>…_ISSUER</c>, <c>…_CLIENT_ID</c>, <c>…_CLIENT_SECRET</c> or
    /// <c>…_CLIENT_SECRET_FILE</c>, <c>…_CLAIM</c> (<c>preferred_username</c> unless said), <c>…_NAME</c>.</summary>
    /// <exception cref="ServerRefusedException">It is not enough, not safe, or the file can't be read.</exception>
    public static OpenIdOptions? Find(Func<string, string?> environment)
    {
        string? Read(string name) => environment(Start + name)?.Trim() is { Length: > 0 } value ? value : null;
        if (Read("ISSUER") is not { } text)
        {
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? issuer) || issuer.Query.Length + issuer.Fragment.Length > 0
            || !(issuer.Scheme == Uri.UriSchemeHttps || (issuer.Scheme == Uri.UriSchemeHttp && issuer.IsLoopback)))
        {
            throw new ServerRefusedException(
                $"{Variable} must be an https address, such as https://login.example.com.");
        }

        string client = Read("CLIENT_ID")
            ?? throw new ServerRefusedException($"{Variable} is set, but {Start}CLIENT_ID is not. Set it too.");
        string? secret = Read("CLIENT_SECRET_FILE") is { } file ? ReadSecret(file) : Read("CLIENT_SECRET");
        return new OpenIdOptions(
            issuer, client, secret, Read("CLAIM") ?? "preferred_username", Read("NAME") ?? issuer.Host);
    }

    private static string ReadSecret(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ServerRefusedException($"{Start}CLIENT_SECRET_FILE can't be read: {fault.Message}");
        }
    }
}
