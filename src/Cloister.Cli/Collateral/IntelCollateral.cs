using System.Collections.Immutable;
using System.Text;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
using Cloister.Wire;

namespace Cloister.Cli.Collateral;

/// <summary>What Intel's provisioning certification service serves for a TDX processor (PCS API version 4).</summary>
internal sealed class IntelCollateral(Vendors vendors, TdxWant want)
{
    /// <summary>Everything, fetched or kept, and verified under its own root; which root counts is for the clients to say.</summary>
    /// <exception cref="VendorFault">Something lacks, or does not belong to the rest.</exception>
    public async Task<TdxSet> GatherAsync(Gathering gathering)
    {
        var tcb = await gathering.GetAsync(TcbDocument);
        var identity = await gathering.GetAsync(Identity);
        var pckList = await gathering.GetAsync(PckList);
        var rootList = await gathering.GetAsync(RootList);

        bool belong = IsSigned(tcb, "tcbInfo") && IsSigned(identity, "enclaveIdentity")
            && Chain(pckList) is [var authority, var root] && authority.IsSignedBy(root) && root.IsSignedBy(root)
            && RevocationList.TryParse(pckList.Content, out var processors) && processors.IsSignedBy(authority)
            && RevocationList.TryParse(rootList.Content, out var authorities) && authorities.IsSignedBy(root);
        return belong
            ? new TdxSet
            {
                For = want,
                TcbInfo = Encoding.UTF8.GetString(tcb.Content),
                TcbInfoIssuers = tcb.Issuers,
                QeIdentity = Encoding.UTF8.GetString(identity.Content),
                QeIdentityIssuers = identity.Issuers,
                PckRevocationList = Base64.Encode(pckList.Content),
                PckRevocationListIssuers = pckList.Issuers,
                RootRevocationList = Base64.Encode(rootList.Content),
            }
            : throw gathering.Discord(vendors.Intel);
    }

    private VendorItem TcbDocument => new()
    {
        Title = "what Intel thinks of this processor's firmware",
        Address = new Uri(vendors.Intel, $"tdx/certification/v4/tcb?fmspc={want.Fmspc.ToUpperInvariant()}"),
        IssuersHeader = "TCB-Info-Issuer-Chain",
        MaxSize = SignedDocument.MaxSize,
        Changes = true,
        Expiry = answer => SignedDocument.TryParse(answer.Content, "tcbInfo", out var document) && TcbInfo.TryParse(document, out var info)
            && Hex.Encode(info.Fmspc.Span) == want.Fmspc && Chain(answer).Length == 2 ? info.NextUpdate : null,
    };

    private VendorItem Identity => new()
    {
        Title = "the identity of Intel's quoting enclave",
        Address = new Uri(vendors.Intel, "tdx/certification/v4/qe/identity?update=standard"),
        IssuersHeader = "SGX-Enclave-Identity-Issuer-Chain",
        MaxSize = SignedDocument.MaxSize,
        Changes = true,
        Expiry = answer => SignedDocument.TryParse(answer.Content, "enclaveIdentity", out var document) && QeIdentity.TryParse(document, out var identity)
            && identity.Id == QeIdentity.TdxId && Chain(answer).Length == 2 ? identity.NextUpdate : null,
    };

    private VendorItem PckList => new()
    {
        Title = "Intel's list of revoked processors",
        Address = new Uri(vendors.Intel, $"sgx/certification/v4/pckcrl?ca={(want.Authority is PckAuthority.Platform ? "platform" : "processor")}&encoding=der"),
        IssuersHeader = "SGX-PCK-CRL-Issuer-Chain",
        MaxSize = RevocationList.MaxSize,
        Changes = true,
        Expiry = answer => RevocationList.TryParse(answer.Content, out var list) && Chain(answer).Length == 2 ? list.NextUpdate : null,
    };

    private VendorItem RootList => new()
    {
        Title = "Intel's list of revoked authorities",
        Address = vendors.IntelRootList,
        MaxSize = RevocationList.MaxSize,
        Changes = true,
        Expiry = answer => RevocationList.TryParse(answer.Content, out var list) ? list.NextUpdate : null,
    };

    private static ImmutableArray<Certificate> Chain(VendorAnswer answer) =>
        PemCertificates.TryParse(Encoding.UTF8.GetBytes(answer.Issuers), out var chain) ? chain : [];

    private static bool IsSigned(VendorAnswer answer, string member) =>
        SignedDocument.TryParse(answer.Content, member, out var document)
        && Chain(answer) is [var signer, var root] && document.IsSignedBy(signer) && signer.IsSignedBy(root) && root.IsSignedBy(root);
}
