using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Did AWS's hypervisor make an attestation document, and is the enclave what was wanted (docs/spec/nitro.md)? A pure function.</summary>
public static class NitroVerification
{
    /// <summary>Runs every check that the bytes allow to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="now">All dates are compared with it. What is said to begin later may do so by two minutes: these certificates are hardly older than the document.</param>
    /// <returns>One finding per <see cref="NitroCheck"/>. Whatever the bytes, nothing is thrown.</returns>
    public static NitroResult Verify(ReadOnlyMemory<byte> document, NitroPolicy policy, DateTimeOffset now) => new NitroVerifier(policy, now).Run(document);
}

/// <summary>One verification in progress, in the order of docs/spec/nitro.md, section 4.</summary>
internal sealed class NitroVerifier(NitroPolicy policy, DateTimeOffset now)
{
    private const int ImageSignerRegister = 8, InstanceRegister = 4;

    private readonly Findings<NitroCheck> _findings = new();

    public NitroResult Run(ReadOnlyMemory<byte> bytes)
    {
        bool read = NitroDocument.TryParse(bytes.Span, out var document, out var error);
        JudgeForm(error);
        if (read)
        {
            JudgeChain(document!);
            JudgeAge(document!);
            JudgeInstance(document!);
            JudgeBuild(document!);
            JudgeAnswers(document!);
        }
        return new NitroResult(_findings, document);
    }

    // The document is read only out of a whole envelope; within a broken one nothing but what broke it is known.
    private void JudgeForm(WireError error)
    {
        var faulty = error switch
        {
            { Fault: WireFault.None }                                      => NitroCheck.Certificates,
            { Field: NitroDocument.ProtectedField }                        => NitroCheck.Algorithm,
            { Field: var field } when NitroDocument.IsOfEnvelope(field)    => NitroCheck.Envelope,
            _                                                              => NitroCheck.Form,
        };
        (NitroCheck, string)[] asked = [(NitroCheck.Envelope, "one COSE_Sign1"), (NitroCheck.Algorithm, "ECDSA with SHA-384 and no other header"), (NitroCheck.Form, "an attestation document within its bounds")];
        foreach (var (name, expected) in asked.Where(one => one.Item1 == faulty || faulty >= NitroCheck.Form))
        {
            That(name, name != faulty, expected, name == faulty ? $"{error}" : "well-formed");
        }
    }

    // How many authorities there are is AWS's to choose; where the chain begins is pinned, and so is the one algorithm.
    private void JudgeChain(NitroDocument document)
    {
        var chain = new List<Certificate>();
        bool readable = document.CaBundle.Append(document.Certificate).All(der => TryAdd(chain, der));
        That(NitroCheck.Certificates, readable, "certificates with keys on P-384", readable ? $"{chain.Count} certificates" : "another one, or one that cannot be read");
        if (!readable)
        {
            return;
        }

        That(NitroCheck.Root, policy.Roots.Contains(chain[0].Key.Fingerprint), $"one of {policy.Roots.Length} pinned roots", $"{chain[0].Key.Fingerprint[..16]}…");
        bool signed = chain[0].IsSignedBy(chain[0]) && Enumerable.Range(1, chain.Count - 1).All(index => chain[index].IsSignedBy(chain[index - 1]));
        That(NitroCheck.Chain, signed, "each signed by the one before it", signed ? "signed" : "a name or a signature is wrong");
        string? fault = CertificatePath.FindFault([.. chain.AsEnumerable().Reverse()], usageDemanded: true);
        That(NitroCheck.Authorities, fault is null, "authorities within their path lengths, and an end that signs documents", fault ?? "entitled");
        bool valid = chain.All(certificate => certificate.NotBefore <= now + Appraiser.ClockSkew && now <= certificate.NotAfter);
        That(NitroCheck.Validity, valid, "all valid now", valid ? "valid" : "one is not valid now");

        bool made = chain[^1].Key.P384!.Verify(document.SignedBytes, HashAlgorithmName.SHA384, document.Signature.Span, EcdsaSignatureFormat.P1363);
        That(NitroCheck.Signature, made, "signed by the last certificate's key", made ? "signed" : "the signature is wrong");
    }

    private static bool TryAdd(List<Certificate> chain, ReadOnlyMemory<byte> der)
    {
        bool usable = Certificate.TryParse(der, out var certificate) && certificate.Key.P384 is not null;
        if (usable)
        {
            chain.Add(certificate!);
        }
        return usable;
    }

    private void JudgeAge(NitroDocument document)
    {
        var age = now - document.Timestamp;
        That(NitroCheck.Age, age >= -Appraiser.ClockSkew && age <= policy.MaximumAge, $"at most {policy.MaximumAge.TotalSeconds:0} s old", Shown.Age(age));
    }

    // The hypervisor says twice which instance it is on. Both are signed; that they agree shows that the name is what it is taken for.
    private void JudgeInstance(NitroDocument document)
    {
        bool measured = document.Instance is { } instance && document.Pcr(InstanceRegister).SequenceEqual(NitroDocument.MeasureInstance(instance));
        That(NitroCheck.Instance, measured, "an instance's name, and the same in PCR4", document.Instance is null ? "a module of another name" : measured ? document.Instance : "another instance in PCR4");
    }

    // Together, not one by one: an image of one build with the application of another is no build.
    private void JudgeBuild(NitroDocument document)
    {
        string[] found = [Hex.Encode(document.Pcr(0)), Hex.Encode(document.Pcr(1)), Hex.Encode(document.Pcr(2))];
        bool measured = Enumerable.Range(0, found.Length).All(index => document.Pcr(index).ContainsAnyExcept((byte)0));
        That(NitroCheck.Debug, measured, "an image, a kernel and an application that were measured", measured ? "measured" : "zeros, as in debug mode");
        That(NitroCheck.Measurement, policy.Builds.Any(build => found.SequenceEqual([build.Pcr0, build.Pcr1, build.Pcr2])), $"one of {policy.Builds.Length} accepted builds", Shown.Digest(document.Pcr(0)));
        var signer = document.Pcr(ImageSignerRegister);
        That(NitroCheck.ImageSigner, policy.ImageSigners.Contains(Hex.Encode(signer)), $"one of {policy.ImageSigners.Length} accepted signers", Shown.Digest(signer));
    }

    // A nonce or a key is an answer within somebody else's protocol: ours asks for neither.
    private void JudgeAnswers(NitroDocument document)
    {
        bool same = document.UserData is { } data && CryptographicOperations.FixedTimeEquals(data.Span, policy.UserData.Span);
        That(NitroCheck.ReportData, same, "the hash that was asked for", same ? "the same" : document.UserData is null ? "nothing" : "another value");
        That(NitroCheck.Nonce, document.Nonce is null, "no nonce", document.Nonce is null ? "none" : "a nonce");
        That(NitroCheck.PublicKey, document.PublicKey is null, "no public key", document.PublicKey is null ? "none" : "a public key");
    }

    private void That(NitroCheck name, bool holds, string expected, string found) => _findings.That(name, holds, expected, found);
}
