namespace Cloister.Attestation;

internal static class NitroCheckTexts
{
    private const string Publisher = "Only the publisher can say whether this is a build of its own: ask for its current policy.";
    private const string Evidence = "The operator must hand out the document as AWS's hypervisor made it; if it does, the machine is not genuine.";
    private const string Clock = "Check the clock of this device; otherwise the operator must ask AWS's hypervisor for a new document.";
    private const string Launch = "The operator must start the enclave as the publisher demands.";

    public static CheckText Of(NitroCheck check) => check switch
    {
        NitroCheck.Envelope     => new("the bytes are one COSE_Sign1, in the one accepted encoding, and nothing more", "What was shown is no document of AWS's hypervisor.", Evidence),
        NitroCheck.Algorithm    => new("its protected header says ECDSA with SHA-384, and nothing else", "The document is signed in a way that is not known here.", Evidence),
        NitroCheck.Form         => new("each member of the document is known, there once and within its bounds", "What AWS's hypervisor says of the enclave cannot be read.", "A newer Cloister may read it; otherwise the operator must hand out the document as AWS's hypervisor made it."),
        NitroCheck.Certificates => new("each certificate is well-formed, with a key on P-384", "Who vouches for AWS's hypervisor cannot be seen.", Evidence),
        NitroCheck.Root         => new("the first certificate's key is one that the policy pins", "Nobody that the policy trusts vouches for the hypervisor.", Evidence),
        NitroCheck.Chain        => new("each certificate is named and signed by the one before it, the first by itself", "AWS did not make the hypervisor's certificate.", Evidence),
        NitroCheck.Authorities  => new("each certificate but the last may sign certificates, over no longer a path than it says, and the last may sign documents and nothing else", "Somebody vouches for the hypervisor who is not entitled to.", Evidence),
        NitroCheck.Validity     => new("all certificates are valid now", "A certificate is out of date, or this device's clock is wrong.", Clock),
        NitroCheck.Signature    => new("the last certificate's key signed the document", "The document was changed, or AWS's hypervisor did not make it.", Evidence),
        NitroCheck.Age          => new("it is no older than the policy's maximum age, and not from the future", "The document is older than the policy accepts, or this device's clock is wrong.", Clock),
        NitroCheck.Instance     => new("the module's name is that of an enclave on an instance, and PCR4 measures the same instance", "Which machine the enclave runs on cannot be told.", Evidence),
        NitroCheck.Debug        => new("PCR0, PCR1 and PCR2 are measured: none is zero", "The enclave runs in debug mode: the operator can read along, and what it runs is not measured.", Launch),
        NitroCheck.Measurement  => new("PCR0, PCR1 and PCR2 together are those of one of the policy's builds", "It runs a build that the policy does not name.", Publisher),
        NitroCheck.ImageSigner  => new("PCR8 is one of the policy's: who signed the image, or zero for nobody", "The image is signed by somebody whom the policy does not name.", Publisher),
        NitroCheck.ReportData   => new("the user data is what was asked for: the hash of the statement, or of the session", "AWS's hypervisor signed another statement than the one shown.", Evidence),
        NitroCheck.Nonce        => new("the document holds no nonce", "The document was made for another protocol.", Launch),
        NitroCheck.PublicKey    => new("the document holds no public key", "The document was made for another protocol.", Launch),
        _                       => throw new System.Diagnostics.UnreachableException(),
    };
}
