namespace Cloister.Attestation;

/// <summary>Every question about an SEV-SNP report, in the order in which the first failure names the fault (docs/spec/snp.md, section 3).</summary>
public enum SnpCheck : byte
{
    Length, Version, Form,
    RootTrust, IntermediateTrust, Chain, Validity,
    HardwareId, EndorsedTcb, Signature, MinimumTcb,
    Debug, MigrationAgent, SingleSocket, PolicyReserved, PlatformReserved, SignerInfo,
    Measurement, HostData, ReportData, IdKeyDigest, AuthorKeyDigest,
    RevocationList, Revocation,
    Product, TcbFloor, TcbOrder, Mitigations,
    Smt, Cxl, Abi, GuestDemands,
    Ecc, AliasCheck, CiphertextHiding, Rapl, Vmpl,
}

internal static class SnpCheckTexts
{
    private const string Operator = "The operator must let it run on another machine, or configure this one.";
    private const string Firmware = "The operator must update the machine's firmware and fetch the certificate that belongs to it.";
    private const string Publisher = "Only the publisher can say whether this is a build of its own: ask for its current policy.";
    private const string Evidence = "The operator must hand out the evidence as the machine made it; if it does, the machine is not genuine.";
    private const string Launch = "The operator must launch the enclave with the policy that the publisher demands.";

    public static CheckText Of(SnpCheck check) => check switch
    {
        SnpCheck.Length            => new("the report is 1,184 bytes", "What was shown is no report of an AMD processor.", Evidence),
        SnpCheck.Version           => new("the report is of version 2 to 5", "The report is of a version whose meaning is not known here.", "A newer Cloister may know it."),
        SnpCheck.Form              => new("it names ECDSA P-384 with SHA-384, and reserved fields are zero", "The report holds bytes that its specification does not allow.", Evidence),
        SnpCheck.RootTrust         => new("the last certificate signed itself and has a key that the policy pins", "Nobody that the policy trusts vouches for the processor.", Evidence),
        SnpCheck.IntermediateTrust => new("the root signed the intermediate; under AMD's root it is the one that AMD publishes", "The certificate between root and chip is not AMD's.", Evidence),
        SnpCheck.Chain             => new("the intermediate signed the chip's certificate, whose extensions are complete and name the report's product", "The chip's certificate was not made by AMD for this product.", Evidence),
        SnpCheck.Validity          => new("all three certificates are valid now", "A certificate is out of date, or this device's clock is wrong.", "Check the clock of this device; otherwise the operator must fetch the chip's certificate anew."),
        SnpCheck.HardwareId        => new("the certificate's chip is the report's", "The certificate belongs to another chip.", Evidence),
        SnpCheck.EndorsedTcb       => new("the certificate's firmware versions are the report's reported ones", "The certificate is for other firmware than what the report names.", Firmware),
        SnpCheck.Signature         => new("the chip's key signed the first 672 bytes", "The report was changed, or no AMD processor made it.", Evidence),
        SnpCheck.MinimumTcb        => new("no part of the reported firmware is older than what is demanded", "The machine's firmware is too old.", Firmware),
        SnpCheck.Debug             => new("the host may not debug the guest", "The host can read the enclave's memory.", Launch),
        SnpCheck.MigrationAgent    => new("no migration agent is allowed", "Another program can move the enclave's memory to another machine.", Launch),
        SnpCheck.SingleSocket      => new("the guest is not bound to one socket", "The guest is bound to one socket, which the specification's defaults do not have.", Launch),
        SnpCheck.PolicyReserved    => new("in the guest's policy bit 17 is one, bits 26 to 63 are zero", "The guest's policy has bits whose meaning is not known here.", "A newer Cloister may know them."),
        SnpCheck.PlatformReserved  => new("no unknown bit is set in the platform's configuration", "The platform is configured in a way that is not known here.", "A newer Cloister may know it."),
        SnpCheck.SignerInfo        => new("the chip's own key (VCEK) signed, or a lent one (VLEK) where the policy accepts it; the chip's identity is not masked; no unknown bit", "A key that says nothing about which chip it is signed the report.", "The operator must use the chip's own key."),
        SnpCheck.Measurement       => new("the launch measurement is one of the policy's", "It runs a build that the policy does not name.", Publisher),
        SnpCheck.HostData          => new("the host's data is what the policy names; zero for an enclave", "The host slipped something in at launch.", Launch),
        SnpCheck.ReportData        => new("the report's data is what was asked for: the hash of the statement, or of the session", "The hardware signed another statement than the one shown.", Evidence),
        SnpCheck.IdKeyDigest       => new("the identity key's digest is what the policy names; zero for an enclave", "Somebody's identity block was used at launch.", Launch),
        SnpCheck.AuthorKeyDigest   => new("the author key's digest is what the policy names; zero for an enclave", "Somebody's author key was used at launch.", Launch),
        SnpCheck.RevocationList    => new("the root's list of revoked certificates is there", "Whether AMD revoked a certificate cannot be seen.", "The operator must hand out AMD's list with the evidence."),
        SnpCheck.Revocation        => new("the list is signed by the root, current, and does not name the intermediate", "The list is old or another's, or AMD revoked the certificate.", "The operator must fetch AMD's current list; a revoked certificate stays revoked."),
        SnpCheck.Product           => new("root, certificate and report (version 3 and later) name one product, and the policy has a floor for it", "The processor is of a kind that the policy does not accept.", "The operator must use a newer processor."),
        SnpCheck.TcbFloor          => new("reported, committed, launch and current firmware have no part older than the policy's floor", "The firmware has known holes, or can be turned back to a version that has.", Firmware),
        SnpCheck.TcbOrder          => new("the current firmware is no older than the others, and its reserved bytes are zero", "The firmware's versions contradict each other.", Firmware),
        SnpCheck.Mitigations       => new("the wanted bits of the mitigation vectors are set, at launch and now", "A mitigation that the policy wants is off.", Firmware),
        SnpCheck.Smt               => new("the guest allows no sibling threads", "A core's other thread may belong to somebody else.", Launch),
        SnpCheck.Cxl               => new("the guest allows no CXL memory", "Memory outside of the machine's own may be used.", Launch),
        SnpCheck.Abi               => new("the guest demands at least the policy's firmware ABI", "The guest would start on firmware older than the policy wants.", Launch),
        SnpCheck.GuestDemands      => new("the guest's policy demands of the platform what the policy wants it to demand", "The host could launch the same build on a machine that is less hardened.", Launch),
        SnpCheck.Ecc               => new("memory has error correction", "Memory without error correction can be changed by heating or hammering it.", Operator),
        SnpCheck.AliasCheck        => new("the firmware looked for aliases in memory", "A manipulated memory module could show memory to the host (AMD-SB-3015).", Firmware),
        SnpCheck.CiphertextHiding  => new("ciphertext is hidden from the host", "The host sees how encrypted memory changes, which has told secrets before.", Operator),
        SnpCheck.Rapl              => new("the power meter is off", "The host can measure the power that secrets take.", Operator),
        SnpCheck.Vmpl              => new("the report was asked for at privilege level 0", "Something above it in the virtual machine may steer the enclave.", Launch),
        _                          => throw new System.Diagnostics.UnreachableException(),
    };
}
