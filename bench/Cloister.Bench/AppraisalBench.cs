using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Primitives;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Bench;

/// <summary>Appraisals beside the bare signature checks in them, done by the platform's own RSA and ECDSA, keys imported each time.</summary>
internal static class AppraisalBench
{
    private const int Batch = 50;

    public static IEnumerable<Row> Run()
    {
        var now = DateTimeOffset.UtcNow;
        using var authority = DevelopmentAuthority.Create(now);
        using var key = X25519PrivateKey.Generate();
        var bundle = SimulatedEnclave.Bundle(authority, key.PublicKey, now);
        var policy = SimulatedEnclave.Policy(authority);
        byte[] bytes = bundle.ToBytes();

        // Chip, intermediate, root and the list of revoked certificates; the report.
        yield return Beside("SEV-SNP bundles, beside four RSA-4096 and one P-384", () => Appraisal.Appraise(bytes, policy, now).IsAccepted, new Bare(Rsa4096: 4, P384: 1, P256: 0), "≥ 0.77");

        // Three of the chain, two collateral signers, two documents, two lists; the quoting enclave's report, the quote.
        using var intel = new TdxAuthority(now);
        var (quote, collateral) = (intel.Quote(), intel.Collateral());
        yield return Beside("TDX quotes with collateral, beside eleven P-256", () => TdxVerification.Verify(quote, collateral, intel.Policy, now).IsAccepted, new Bare(Rsa4096: 0, P384: 0, P256: 11), "≥ 0.67");

        var (published, demanding) = Published(authority, bundle, policy, now);
        yield return Beside("SEV-SNP bundles with release, fleet and three witnesses, beside four RSA-4096 and one P-384", () => Appraisal.Appraise(published, demanding, now).IsAccepted, new Bare(Rsa4096: 4, P384: 1, P256: 0), "≤ 5 ms");
    }

    private static Row Beside(string what, Func<bool> appraise, Bare bare, string target)
    {
        using var checks = bare.Prepare();
        return SideBySide.Throughput(what, "/s", Batch, () =>
        {
            for (int i = 0; i < Batch; i++)
            {
                if (!appraise())
                {
                    throw new InvalidOperationException("It is not accepted.");
                }
            }
        }, () =>
        {
            for (int i = 0; i < Batch; i++)
            {
                checks.Run();
            }
        }, target);
    }

    // A release, the fleet and a rebuild in a log of a million entries, under three witnesses.
    internal static (byte[] Bundle, AppraisalPolicy Policy) Published(DevelopmentAuthority authority, EnclaveBundle bundle, AppraisalPolicy policy, DateTimeOffset now)
    {
        using var log = SignerKey.Generate("example.com/log", NoteKeyType.Ed25519);
        using var publisher = SignerKey.Generate("publisher", NoteKeyType.Ed25519);
        SignerKey[] witnesses = [.. Enumerable.Range(0, 3).Select(i => SignerKey.Generate($"w{i}", NoteKeyType.Ed25519Cosignature))];
        string digest = new('a', 64);
        var stated = new LogStatement { Namespace = "example.com/assistant", NotBefore = LogStatement.FormatTime(now.AddDays(-1)), NotAfter = LogStatement.FormatTime(now.AddDays(1)) };
        var release = LogEntry.Sign(stated with
        {
            Release = new ReleaseManifest
            {
                Version = "1.0.0",
                SourceRevision = new('b', 40),
                Artifacts = [new("image", digest)],
                Models = [],
                SecurityVersion = 1,
                MinimumAcceptedVersion = 1,
                Measurements = new([new(8, "EPYC-v4", Hex.Encode(SimulatedEnclave.Measurement.Span))], [], [], []),
            },
        }, publisher);
        var fleet = LogEntry.Sign(stated with { Fleet = new Fleet([new("snp", Hex.Encode(authority.ChipId.Span))]) }, publisher);

        ProvedEntry Proved(LogEntry entry)
        {
            var path = Enumerable.Range(0, 20).Select(i => TreeHash.OfLeaf([(byte)i])).ToArray();
            var checkpoint = new Checkpoint(log.Verifier.Name, 1 << 20, path.Aggregate(TreeHash.OfLeaf(entry.ToBytes()), TreeHash.OfNode));
            return new(entry.ToBytes(), new LogProof(0, [.. path], checkpoint.Sign(log).With([.. witnesses.Select(key => key.Cosign(checkpoint, now.ToUnixTimeSeconds()))])).ToBytes());
        }

        _ = EnclaveStatement.TryParse(bundle.Statement.Span, out var statement);
        byte[] bytes = (statement! with { Release = Hex.Encode(release.Digest.Span) }).ToBytes();
        var published = new EnclaveBundle(bytes, [SimulatedEnclave.Evidence(authority, bytes).ToPlatformEvidence()], new Publication(Proved(release), Proved(fleet), []));
        return (published.ToBytes(), policy with
        {
            Publication = new PublicationDemands
            {
                Log = $"log {log.Verifier}\n{string.Concat(witnesses.Select((key, i) => $"witness w{i} {key.Verifier}\n"))}group all all w0 w1 w2\nquorum all\n",
                Namespace = stated.Namespace,
                Publishers = [$"{publisher.Verifier}"],
                Threshold = 1,
                Builders = [],
                Rebuilds = 0,
                MinimumVersion = 1,
                MaximumAgeHours = 24,
            },
        });
    }
}

/// <summary>So many signature checks of each kind, by the platform's own implementation.</summary>
internal sealed record Bare(int Rsa4096, int P384, int P256)
{
    public Checks Prepare() => new(this);

    internal sealed class Checks : IDisposable
    {
        private static readonly byte[] Message = Encoding.ASCII.GetBytes(new string('m', 800));

        private readonly Bare _counts;
        private readonly RSA _rsa = RSA.Create(4096);
        private readonly ECDsa _p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        private readonly ECDsa _p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly byte[] _rsaSignature, _p384Signature, _p256Signature;

        public Checks(Bare counts)
        {
            _counts = counts;
            _rsaSignature = _rsa.SignData(Message, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
            _p384Signature = _p384.SignData(Message, HashAlgorithmName.SHA384);
            _p256Signature = _p256.SignData(Message, HashAlgorithmName.SHA256);
        }

        public void Run()
        {
            bool good = true;
            for (int i = 0; i < _counts.Rsa4096; i++)
            {
                using var key = RSA.Create(_rsa.ExportParameters(false));
                good &= key.VerifyData(Message, _rsaSignature, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
            }
            for (int i = 0; i < _counts.P384; i++)
            {
                using var key = ECDsa.Create(_p384.ExportParameters(false));
                good &= key.VerifyData(Message, _p384Signature, HashAlgorithmName.SHA384);
            }
            for (int i = 0; i < _counts.P256; i++)
            {
                using var key = ECDsa.Create(_p256.ExportParameters(false));
                good &= key.VerifyData(Message, _p256Signature, HashAlgorithmName.SHA256);
            }
            if (!good)
            {
                throw new InvalidOperationException("A signature does not verify.");
            }
        }

        public void Dispose()
        {
            _rsa.Dispose();
            _p384.Dispose();
            _p256.Dispose();
        }
    }
}
