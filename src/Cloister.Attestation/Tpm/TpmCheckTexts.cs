namespace Cloister.Attestation;

internal static class TpmCheckTexts
{
    private const string Resend = "The operator can have the TPM quote again and send what it answers unchanged.";
    private const string Reprovision = "The operator can make a proper attestation key in this TPM and have it certified, bound or enrolled again.";
    private const string Authority = "The operator can send the whole chain that the key's authority gives out; or you pin that authority's root.";

    public static CheckText Of(TpmCheck check) => check switch
    {
        TpmCheck.QuoteMagic => new("the quote begins with TPM_GENERATED", "What was signed was not made by a TPM.", Resend),
        TpmCheck.QuoteType => new("what the TPM states is a quote", "The TPM stated something, but not its registers.", Resend),
        TpmCheck.QuoteForm => new("the quote is over one bank and every length is exact", "The machine's statement cannot be read.", Resend),
        TpmCheck.KeyForm => new("the attestation key is an RSA, P-256 or P-384 signing key with SHA-256 or SHA-384", "The machine's key cannot be read.", Reprovision),
        TpmCheck.KeyAttributes => new(
            "the key is restricted, signs only, was made in the TPM and cannot leave it",
            "Whoever runs the machine could make up its statements with this key.", Reprovision),
        TpmCheck.KeySize => new("an RSA key is at least as long as the policy says", "The machine's key is too short to be relied on.", Reprovision),
        TpmCheck.SignatureForm => new("the signature is one by RSASSA, RSAPSS or ECDSA", "The signature under the machine's statement cannot be read.", Resend),
        TpmCheck.SignatureScheme => new("the signature is of the key's own scheme and hash", "The signature is of another kind than the key makes.", Resend),
        TpmCheck.QuoteSignature => new("the attestation key signed the quote", "The machine's statement was changed, or somebody else made it.", Resend),
        TpmCheck.ExtraData => new("the quote was made for the data that was asked for", "The statement is an old one, or was made for somebody else.", Resend),
        TpmCheck.PinnedKey => new("the key's name is one that the policy pins", "It is another machine than the ones you know.", "You can enrol the machine's key, at the machine."),
        TpmCheck.HardwareReportForm => new("the paravisor's claims are there and name one attestation key", "Nothing ties the TPM to the confidential machine.", "The operator can send the report that the virtual TPM keeps at index 0x01400001."),
        TpmCheck.HardwareReportBinding => new("the claims' hash is the report data of the processor's report", "The processor does not vouch for this TPM.", "The operator can send the claims and the processor's report of the same machine."),
        TpmCheck.HardwareReportKey => new("the claims' attestation key is the one that signed", "The processor vouches for another key than the one that signed.", "The operator can quote with the key at handle 0x81000003."),
        TpmCheck.CertificateForm => new("the chain is the key's certificate, the authorities above it and the root", "Nobody vouches for the machine's key.", Authority),
        TpmCheck.CertificateRoot => new("the root is one that the policy pins", "Somebody vouches for the machine's key whom you did not choose to trust.", Authority),
        TpmCheck.CertificateChain => new("each certificate is signed by the next", "A certificate of the machine's key is not genuine.", Authority),
        TpmCheck.CertificateValidity => new("all certificates are valid now", "A certificate of the machine's key is out of date, or your clock is wrong.", "The operator can have the key certified again; look at your clock."),
        TpmCheck.CertificatePurpose => new("the certificate is for an attestation key", "The certificate was given for something else than vouching for a machine.", Authority),
        TpmCheck.CertificateKey => new("the certificate is for the key that signed", "The certificate belongs to another key.", Authority),
        TpmCheck.FirmwareVersion => new("the TPM's firmware is no older than the policy says", "The TPM runs firmware that is known to be too old.", "The operator can update the TPM's firmware."),
        TpmCheck.RegisterBank => new("the quote is over the bank that the policy names", "The machine showed measurements of another kind.", "The operator can have the TPM quote that bank."),
        TpmCheck.RegisterSelection => new("every register that the policy names is quoted", "The machine kept back some of its measurements.", "The operator can have the TPM quote all of them."),
        TpmCheck.RegisterValues => new("the handed over values have the quoted digest", "The values are not the ones that the TPM vouches for.", Resend),
        TpmCheck.AcceptedBuild => new("the registers are those of an accepted build", "The machine started something that you did not accept.", "The operator can start an accepted build; or you accept this one."),
        TpmCheck.EventLogForm => EventLogCheckTexts.Of(EventLogCheck.Form),
        TpmCheck.EventLogReplay => EventLogCheckTexts.Of(EventLogCheck.Replay),
        TpmCheck.EventLogRules => EventLogCheckTexts.Of(EventLogCheck.Rules),
        _ => throw new ArgumentOutOfRangeException(nameof(check)),
    };
}
