using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Cloister.Operator;

/// <summary>Where an enclave's carrier link listens.</summary>
internal static class CarrierAddress
{
    public static EndPoint Parse(string text) => TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not a host and a port.");

    public static bool TryParse(string? text, [NotNullWhen(true)] out EndPoint? address)
    {
        address = null;
        int colon = text?.LastIndexOf(':') ?? -1;
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is < 1 or > IPEndPoint.MaxPort)
        {
            return false;
        }

        string host = text![..colon];
        address = IPAddress.TryParse(host, out var ip) ? new IPEndPoint(ip, port)
                : Uri.CheckHostName(host) is UriHostNameType.Dns ? new DnsEndPoint(host, port)
                : null;
        return address is not null;
    }
}
