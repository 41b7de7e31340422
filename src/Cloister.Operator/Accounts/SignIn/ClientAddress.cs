using System.Net;
using System.Net.Sockets;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>Whose attempts are counted together. Docs/spec/accounts.md, section 1.</summary>
/// <param name="Own">An IPv4 address, or the 64 bits of an IPv6 address that are one network's.</param>
/// <param name="Site">The 48 bits that one customer may get, and 65,536 networks in them; null for IPv4.</param>
internal sealed record ClientAddress(string Own, string? Site)
{
    public static ClientAddress Of(HttpContext context, string? header)
    {
        string? written = header is null ? null : context.Request.Headers[header].LastOrDefault()?.Split(',')[^1].Trim();
        var address = IPAddress.TryParse(written, out var forwarded) ? forwarded : context.Connection.RemoteIpAddress;
        return Of(address ?? IPAddress.None);
    }

    private static ClientAddress Of(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily is AddressFamily.InterNetworkV6 ? new(First(address, 64), First(address, 48)) : new(address.ToString(), null);
    }

    private static string First(IPAddress address, int bits) => $"{new IPAddress([.. address.GetAddressBytes().AsSpan(0, bits / 8), .. new byte[16 - (bits / 8)]])}/{bits}";
}
