using System.Net;
using System.Net.Sockets;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Addresses that a URL in a setup must not lead to, unless the operator allows that upstream to: this machine, inside
/// networks, the addresses at which clouds tell secrets.
/// </summary>
internal static class InsideAddresses
{
    // RFC 6890 and its successors: everything that is not globally reachable.
    private static readonly IPNetwork[] Inside =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
            "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>Whether an address is inside.</summary>
    internal static bool Contains(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Array.Exists(Inside, network => network.BaseAddress.AddressFamily == plain.AddressFamily
            && network.Contains(plain));
    }

    /// <summary>Connects to a host, to an address that was looked at and to no other: a name that changes its address
    /// between two look-ups gains nothing.</summary>
    /// <exception cref="InsideAddressException">Each of its addresses is inside.</exception>
    internal static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, CancellationToken cancel)
    {
        IPAddress[] addresses = IPAddress.TryParse(to.Host, out IPAddress? literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(to.Host, cancel);
        IPAddress[] outside = [.. addresses.Where(a => !Contains(a))];
        if (outside.Length == 0)
        {
            throw new InsideAddressException(to.Host);
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(outside, to.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>An upstream's name leads inside, and its setup does not allow it to.</summary>
internal sealed class InsideAddressException(string host) : IOException(
    $"{host} is an address of this machine or of an inside network; allow_inside permits it for an upstream.");
