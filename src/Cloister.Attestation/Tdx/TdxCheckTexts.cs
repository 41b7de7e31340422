namespace Cloister.Attestation;

internal static class TdxCheckTexts
{
    private const string Firmware = "The operator must update the machine's firmware and register it with Intel again.";
    private const string Publisher = "Only the publisher can say whether this is a build of its own: ask for its current policy.";
    private const string Evidence = "The operator must hand out the evidence as the machine made it; if it does, the machine is not genuine.";
    private const string Collateral = "The operator must fetch Intel's current collateral for this processor.";
    private const string Launch = "The operator must launch the enclave as the publisher demands.";

    public static CheckText Of(TdxCheck check) => check switch
    {
        TdxCheck.QuoteComplete              => new("the quote has all of its bytes", "What was shown is cut off.", Evidence),
        TdxCheck.QuoteForm                  => new("it is a quote of version 4 or 5, every length exact, nothing but zeros behind it", "What was shown is no quote of an Intel processor.", Evidence),
        TdxCheck.TeeType                    => new("it quotes a trust domain", "The quote is of another kind of enclave.", Evidence),
        TdxCheck.AttestationKeyType         => new("its key signs with ECDSA on P-256", "The quote is signed in a way that is not known here.", Evidence),
        TdxCheck.QeVendor                   => new("the quoting enclave is Intel's", "Somebody else's quoting enclave made it.", "The operator must use Intel's quoting enclave."),
        TdxCheck.PckChainComplete           => new("the quote carries the certificates of processor, authority and root", "Who vouches for the processor cannot be seen.", "The operator must provision the processor's certificate."),
        TdxCheck.PckChainForm               => new("three certificates, each named by the next, with the processor's extensions", "The certificates are no chain of a processor.", Evidence),
        TdxCheck.Root                       => new("the last certificate's key is one that the policy pins", "Nobody that the policy trusts vouches for the processor.", Evidence),
        TdxCheck.PckChain                   => new("each certificate is signed by the next", "Intel did not make the processor's certificate.", Evidence),
        TdxCheck.PckValidity                => new("all three certificates are valid now", "A certificate is out of date, or this device's clock is wrong.", "Check the clock of this device; otherwise the operator must fetch the processor's certificate anew."),
        TdxCheck.RootRevocationList         => new("the root's list of revoked certificates is there and signed by it", "Whether Intel revoked its authority cannot be seen.", Collateral),
        TdxCheck.PckRevocationList          => new("the authority's list of revoked certificates is there and signed by it", "Whether Intel revoked the processor cannot be seen.", Collateral),
        TdxCheck.IntermediateRevocation     => new("the root's list does not name the authority", "Intel revoked the authority.", "A revoked certificate stays revoked: the operator must use another machine."),
        TdxCheck.PckRevocation              => new("the authority's list does not name the processor's certificate", "Intel revoked this processor.", "A revoked certificate stays revoked: the operator must use another machine."),
        TdxCheck.QuoteSignature             => new("the attestation key signed header and body", "The quote was changed, or no Intel processor made it.", Evidence),
        TdxCheck.QeReportSignature          => new("the processor's key signed the quoting enclave's report", "The quoting enclave does not run on this processor.", Evidence),
        TdxCheck.AttestationKeyBinding      => new("the quoting enclave's report names the attestation key", "The quote's key is not the quoting enclave's.", Evidence),
        TdxCheck.TcbInfoChain               => new("a signer under the root, valid and not revoked, stands behind the TCB info", "Somebody else than Intel says which firmware is good.", Collateral),
        TdxCheck.TcbInfoSignature           => new("its signature covers its exact bytes", "What Intel says of firmware was changed.", Collateral),
        TdxCheck.TcbInfoForm                => new("it is TCB info of version 3 for TDX", "What Intel says of firmware cannot be read.", Collateral),
        TdxCheck.QeIdentityChain            => new("a signer under the root, valid and not revoked, stands behind the identity of the quoting enclave", "Somebody else than Intel says which quoting enclave is good.", Collateral),
        TdxCheck.QeIdentitySignature        => new("its signature covers its exact bytes", "What Intel says of the quoting enclave was changed.", Collateral),
        TdxCheck.QeIdentityForm             => new("it is the identity of a quoting enclave", "What Intel says of the quoting enclave cannot be read.", Collateral),
        TdxCheck.TcbInfoValidity            => new("the TCB info is current", "What Intel says of firmware is out of date.", Collateral),
        TdxCheck.QeIdentityValidity         => new("the identity of the quoting enclave is current", "What Intel says of the quoting enclave is out of date.", Collateral),
        TdxCheck.PckRevocationListValidity  => new("the authority's list is current", "Whether Intel revoked the processor lately cannot be seen.", Collateral),
        TdxCheck.RootRevocationListValidity => new("the root's list is current", "Whether Intel revoked its authority lately cannot be seen.", Collateral),
        TdxCheck.TcbInfoProcessor           => new("the TCB info is for the processor of the certificate", "The firmware is judged by another processor's measure.", Collateral),
        TdxCheck.QeIdentityId               => new("the identity is that of the enclave that quotes trust domains", "The identity is another enclave's.", Collateral),
        TdxCheck.QeIdentityVersion          => new("the identity is of version 2", "The identity is of a version that is not known here.", Collateral),
        TdxCheck.QeMrSigner                 => new("its signer is the quoting enclave's", "The quoting enclave is signed by somebody else.", Evidence),
        TdxCheck.QeFields                   => new("its product, attributes and misc select are the quoting enclave's", "The quoting enclave is not the one that Intel describes.", Evidence),
        TdxCheck.TdxModuleKnown             => new("Intel lists the TDX module", "The module that isolates the domain is unknown.", Firmware),
        TdxCheck.TdxModuleSigner            => new("its signer is the listed one", "The module that isolates the domain is not Intel's.", Firmware),
        TdxCheck.TdxModuleAttributes        => new("its attributes are the listed ones", "The module that isolates the domain runs in an unknown way.", Firmware),
        TdxCheck.EvaluationDataNumber       => new("neither document's evaluation data number is below the policy's", "Intel's word about the firmware is older than the policy accepts.", Collateral),
        TdxCheck.TcbSupported               => new("a level that Intel lists fits the machine", "The firmware is older than anything that Intel lists.", Firmware),
        TdxCheck.TcbRevoked                 => new("the firmware is not revoked", "Intel revoked this firmware.", Firmware),
        TdxCheck.TcbStatus                  => new("the firmware's status is one that the policy accepts", "The firmware has known holes.", Firmware),
        TdxCheck.TdDebug                    => new("the host may not debug the domain", "The host can read the enclave's memory.", Launch),
        TdxCheck.TdAttributesReserved       => new("of the domain's attributes only the bits 0, 28, 30 and 63 are set", "The domain runs in a way that is not known here.", Launch),
        TdxCheck.XfamRequired               => new("x87 and SSE are on", "The domain's processor state is not as the architecture demands.", Launch),
        TdxCheck.XfamReserved               => new("no extended feature is on that is not known", "The domain uses features that are not known here.", Launch),
        TdxCheck.TeeTcbSvn                  => new("no part of the security versions at launch is below the policy's", "The TDX module is older than the policy accepts.", Firmware),
        TdxCheck.ExpectedReportData         => new("the report's data is what was asked for: the hash of the statement, or of the session", "The hardware signed another statement than the one shown.", Evidence),
        TdxCheck.Measurement                => new("MRTD and the four RTMRs together are those of one of the policy's builds", "It runs a build that the policy does not name.", Publisher),
        TdxCheck.Advisories                 => new("no advisory is open on the machine but those that the policy accepts", "A hole that Intel describes is open on this machine.", Firmware),
        TdxCheck.ExpectedMrServiceTd        => Field("the service domain's measurement"),
        TdxCheck.ExpectedQeVendorId         => Field("the quoting enclave's vendor"),
        >= TdxCheck.ExpectedFmspc and <= TdxCheck.ExpectedRtMr3 => Field($"{check}"["Expected".Length..]),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static CheckText Field(string name) => new($"{name} has one of the values that the policy lists for it", $"The domain differs from what the policy names: {name}.", Launch);
}
