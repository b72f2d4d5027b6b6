using System.Net;

namespace Ciyuan.Server;

/// <summary>Where the server listens.</summary>
/// <param name="EndPoint">Address and port; port 0 is any free one.</param>
internal sealed record ListenAddress(IPEndPoint EndPoint)
{
    /// <summary>True when only this machine can reach it.</summary>
    internal bool IsLoopback => IPAddress.IsLoopback(EndPoint.Address);

    /// <summary>Reads <c>http://ADDRESS:PORT</c>; the address is an IP address, <c>localhost</c> or <c>*</c>
    /// (all).</summary>
    /// <exception cref="ServerRefusedException">Not such an address.</exception>
    internal static ListenAddress Parse(string listen)
    {
        const string Form = "Write http://ADDRESS:PORT, such as http://127.0.0.1:7280.";
        string text = listen.Replace("://*:", "://0.0.0.0:", StringComparison.Ordinal);
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0)
        {
            throw new ServerRefusedException($"'{listen}' is no address to listen on. {Form}");
        }

        if (uri.Scheme != Uri.UriSchemeHttp)
        {
            throw new ServerRefusedException(
                $"'{listen}': the server speaks plain HTTP. Let a proxy in front of it end TLS, and listen on "
                    + "http://.");
        }

        string host = uri.Host == "localhost" ? "127.0.0.1" : uri.Host.Trim('[', ']');
        return IPAddress.TryParse(host, out IPAddress? address)
            ? new ListenAddress(new IPEndPoint(address, uri.Port))
            : throw new ServerRefusedException($"'{listen}' names a host. Give the IP address of an interface. {Form}");
    }
}
