using System.Net;
using System.Net.Sockets;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>Whose attempts are counted together: an IPv4 address, or the 64 bits of an IPv6 address that one customer gets.</summary>
internal static class ClientAddress
{
    public static string Of(HttpContext context, string? header)
    {
        string? written = header is null ? null : context.Request.Headers[header].LastOrDefault()?.Split(',')[^1].Trim();
        var address = IPAddress.TryParse(written, out var forwarded) ? forwarded : context.Connection.RemoteIpAddress;
        return Name(address ?? IPAddress.None);
    }

    private static string Name(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily is AddressFamily.InterNetworkV6 ? new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), .. new byte[8]]).ToString() : address.ToString();
    }
}
