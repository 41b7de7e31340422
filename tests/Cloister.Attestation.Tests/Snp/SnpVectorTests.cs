using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>Real reports of real machines, with the certificates that AMD made for them.</summary>
public class SnpVectorTests
{
    private static byte[] Snp(string file) => Repository.Vector($"snp/{file}");

    private static Certificate Read(byte[] der)
    {
        Assert.True(Certificate.TryParse(der, out var certificate));
        return certificate;
    }

    [Theory]
    [InlineData("live-report-v5-genoa.bin", "live-vcek-genoa.der", 5)]
    [InlineData("milan-report.bin", "milan-vcek.der", 2)]
    [InlineData("test-report.bin", "test-vcek.der", 2)]
    [InlineData("test-vlek-report.bin", "test-vlek.der", 3)]
    public void A_real_report_is_signed_by_its_chip(string reportFile, string signerFile, int version)
    {
        Assert.True(SnpReport.TryParse(Snp(reportFile), out var report, out _));
        Assert.Equal((uint)version, report.Version);
        Span<byte> signature = stackalloc byte[96];
        Assert.True(report.TryGetSignature(signature));
        Assert.True(Read(Snp(signerFile)).Key.P384!.Verify(report.Signed, HashAlgorithmName.SHA384, signature, EcdsaSignatureFormat.P1363));
    }

    [Theory]
    [InlineData("live-vcek-genoa.der", "genoa-ask.der", "genoa-ark.der")]
    [InlineData("milan-vcek.der", "milan-ask.der", "milan-ark.der")]
    [InlineData("test-vlek.der", "milan-asvk.der", "milan-ark.der")]
    [InlineData("roots/turin-ask.der", "turin-ark.der", "turin-ark.der")]
    [InlineData("roots/turin-asvk.der", "turin-ark.der", "turin-ark.der")]
    [InlineData("roots/genoa-asvk.der", "genoa-ark.der", "genoa-ark.der")]
    public void Real_certificates_chain_to_their_root(string leaf, string intermediate, string root)
    {
        var (signer, issuer, anchor) = (Read(Snp(leaf)), Read(Snp($"roots/{intermediate}")), Read(Snp($"roots/{root}")));
        Assert.True(signer.IsSignedBy(issuer));
        Assert.True(issuer.IsSignedBy(anchor));
        Assert.True(anchor.IsSignedBy(anchor));
        Assert.False(anchor.IsSignedBy(signer));
    }

    [Fact]
    public void The_pinned_roots_are_the_published_ones()
    {
        var published = new[] { "genoa", "turin", "milan" }.Select(product => Read(Snp($"roots/{product}-ark.der")).Key.Fingerprint);
        Assert.Equal(TrustedRoot.Amd.Add(TrustedRoot.AmdMilan).Select(root => root.Fingerprint), published);
    }

    [Theory]
    [InlineData("test-vcek-invalid-legacy.der")]
    [InlineData("test-vcek-invalid-new.der")]
    public void A_certificate_that_AMD_did_not_make_is_refused(string file)
    {
        var certificate = Read(Snp(file));
        Assert.All(new[] { "milan", "genoa", "turin" }, product => Assert.False(certificate.IsSignedBy(Read(Snp($"roots/{product}-ask.der")))));
    }

    [Fact]
    public void A_real_Genoa_machine_is_recognised_and_refused_only_for_what_it_is()
    {
        // The report binds another statement than ours and measures another build, and the machine's hardening is a cloud's.
        byte[] statement = Machine.Statement.ToBytes();
        var evidence = new SnpEvidence
        {
            Report = Base64.Encode(Snp("live-report-v5-genoa.bin")),
            Certificates = [Base64.Encode(Snp("live-vcek-genoa.der")), Base64.Encode(Snp("roots/genoa-ask.der")), Base64.Encode(Snp("roots/genoa-ark.der"))],
        };
        var result = Appraisal.Appraise(new EnclaveBundle(statement, [evidence.ToPlatformEvidence()]).ToBytes(), AppraisalPolicy.Base([]), Machine.Now);
        Assert.Equal([nameof(BundleCheck.Node), "Snp.Measurement", "Snp.ReportData"], Machine.Failures(result));
        Assert.Equal([nameof(BundleCheck.Fleet), nameof(BundleCheck.Published), "Snp.RevocationList", "Snp.Revocation", "Snp.Smt", "Snp.CiphertextHiding", "Snp.Rapl"],
            result.Checks.Where(check => check.Verdict is Verdict.Waived).Select(check => check.Name));
        Assert.False(result.IsSimulated);
    }

    [Fact]
    public void A_key_lent_to_a_cloud_is_refused()
    {
        var evidence = new SnpEvidence
        {
            Report = Base64.Encode(Snp("test-vlek-report.bin")),
            Certificates = [Base64.Encode(Snp("test-vlek.der")), Base64.Encode(Snp("roots/milan-asvk.der")), Base64.Encode(Snp("roots/milan-ark.der"))],
        };
        var policy = AppraisalPolicy.Base([]);
        policy = policy with { Snp = policy.Snp! with { Roots = [TrustedRoot.AmdMilan] } };
        var failures = Machine.Failures(Appraisal.Appraise(new EnclaveBundle(Machine.Statement.ToBytes(), [evidence.ToPlatformEvidence()]).ToBytes(), policy, Machine.Now));
        Assert.Contains("Snp.SignerInfo", failures);
        Assert.Contains("Snp.IntermediateTrust", failures);
        Assert.Contains("Snp.Product", failures);
        Assert.DoesNotContain("Snp.Signature", failures);

        // Where a policy says why it accepts such a key, what is left is the processor's age.
        var lent = policy with { Snp = policy.Snp! with { VlekReason = "a test" } };
        failures = Machine.Failures(Appraisal.Appraise(new EnclaveBundle(Machine.Statement.ToBytes(), [evidence.ToPlatformEvidence()]).ToBytes(), lent, Machine.Now));
        Assert.All(["Snp.SignerInfo", "Snp.IntermediateTrust", "Snp.Chain", "Snp.HardwareId", "Snp.EndorsedTcb", "Snp.Signature"], name => Assert.DoesNotContain(name, failures));
        Assert.Contains("Snp.Product", failures);
    }

    [Theory]
    [InlineData(0x000, 1, "version")]
    [InlineData(0x000, 6, "version")]
    [InlineData(0x034, 2, "signature_algo")]
    [InlineData(0x04C, 1, "reserved")]
    [InlineData(0x190, 1, "reserved")]
    [InlineData(0x1EB, 1, "reserved")]
    [InlineData(0x1EF, 1, "reserved")]
    [InlineData(0x210, 1, "reserved")]
    [InlineData(0x330, 1, "reserved")]
    public void A_spoiled_field_is_named(int offset, byte value, string field)
    {
        byte[] bytes = Snp("live-report-v5-genoa.bin");
        bytes[offset] = value;
        Assert.False(SnpReport.TryParse(bytes, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1183)]
    [InlineData(1185)]
    public void A_report_has_one_length(int length)
    {
        byte[] bytes = Snp("live-report-v5-genoa.bin");
        Array.Resize(ref bytes, length);
        Assert.False(SnpReport.TryParse(bytes, out _, out _));
    }

    [Fact]
    public void Parsing_a_report_allocates_nothing()
    {
        byte[] bytes = Snp("live-report-v5-genoa.bin");
        Assert.True(SnpReport.TryParse(bytes, out _, out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool parsed = SnpReport.TryParse(bytes, out _, out _);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(parsed);
    }
}
