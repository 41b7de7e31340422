namespace Cloister.Cli.Collateral;

/// <summary>Where the processors' makers answer, or a mirror of theirs.</summary>
internal sealed record Vendors
{
    /// <summary>AMD's key distribution service (AMD 57230, section 4).</summary>
    public required Uri Amd { get; init; }

    /// <summary>Intel's provisioning certification service, whose API is of version 4.</summary>
    public required Uri Intel { get; init; }

    /// <summary>The revocation list of Intel's root.</summary>
    public required Uri IntelRootList { get; init; }

    /// <summary>NVIDIA's reference integrity manifests.</summary>
    public required Uri NvidiaManifests { get; init; }

    /// <summary>NVIDIA's responder for revocation.</summary>
    public required Uri NvidiaOcsp { get; init; }

    public const string UsualAmd = "https://kdsintf.amd.com/";
    public const string UsualIntel = "https://api.trustedservices.intel.com/";
    public const string UsualIntelRootList = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
    public const string UsualNvidiaManifests = "https://rim.attestation.nvidia.com/v1/rim/";
    public const string UsualNvidiaOcsp = "https://ocsp.ndis.nvidia.com/";

    /// <summary>Reads an address of a maker or mirror: <c>https</c>, or <c>http</c> on this machine.</summary>
    /// <exception cref="CommandFault">It is another.</exception>
    public static Uri ReadAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)) && address is { Query: "", Fragment: "", UserInfo: "" }
            ? address
            : throw new CommandFault(ExitCode.Usage, $"'{text}' is no https address (http is for this machine alone).");
}

/// <summary>One thing that a maker serves.</summary>
internal sealed record VendorItem
{
    /// <summary>For people, in the middle of a sentence.</summary>
    public required string Title { get; init; }

    public required Uri Address { get; init; }

    /// <summary>What is sent, to a responder (RFC 6960); null where the address says all.</summary>
    public byte[]? Request { get; init; }

    /// <summary>The header in which Intel hands over the issuers; null where there is none.</summary>
    public string? IssuersHeader { get; init; }

    /// <summary>In bytes.</summary>
    public required int MaxSize { get; init; }

    /// <summary>A newer one may be there before this one expires: a list of revoked certificates, or what is thought of a firmware.</summary>
    public required bool Changes { get; init; }

    /// <summary>When an answer expires; null where it is not what it should be.</summary>
    public required Func<VendorAnswer, DateTimeOffset?> Expiry { get; init; }
}

/// <summary>What a maker answered.</summary>
/// <param name="Issuers">PEM; empty where the item has no such header.</param>
internal sealed record VendorAnswer(byte[] Content, string Issuers);

/// <summary>A maker's fault, or the network's, in one sentence.</summary>
internal sealed class VendorFault(string sentence, TimeSpan? wait = null, Exception? inner = null) : Exception(sentence, inner)
{
    /// <summary>How long the maker asks to be left alone; null where it does not say.</summary>
    public TimeSpan? Wait => wait;
}
