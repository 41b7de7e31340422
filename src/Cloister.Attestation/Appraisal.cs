using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Evidence in, account out (docs/spec/appraisal.md). A pure function: no network, no clock, nothing remembered.</summary>
public static class Appraisal
{
    /// <summary>Runs every check that the bundle allows to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="bundle">Bytes from the adversary.</param>
    /// <param name="now">The device's own time.</param>
    /// <returns>One verdict per <see cref="CheckName"/>. Whatever the bytes, nothing is thrown.</returns>
    public static AttestationResult Appraise(ReadOnlyMemory<byte> bundle, AppraisalPolicy policy, DateTimeOffset now)
    {
        var appraiser = new Appraiser(policy, now);
        return appraiser.Run(bundle);
    }
}

/// <summary>One appraisal in progress, in the order of docs/spec/appraisal.md, section 2.</summary>
internal sealed class Appraiser(AppraisalPolicy policy, DateTimeOffset now)
{
    private const int ChainLength = 3;
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    private readonly ImmutableArray<Check>.Builder _checks = ImmutableArray.CreateBuilder<Check>();
    private bool _simulated;

    public AttestationResult Run(ReadOnlyMemory<byte> bytes)
    {
        EnclaveStatement? statement = null;
        byte[] hash = [];

        bool parsed = EnclaveBundle.TryParse(bytes.Span, out var bundle);
        That(CheckName.BundleForm, parsed, $"a bundle of version 1, at most {EnclaveBundle.MaxSize / 1024} KiB", parsed ? $"{bytes.Length} bytes, well-formed" : "malformed");
        if (parsed)
        {
            hash = EnclaveStatement.Hash(bundle!.Statement.Span);
            statement = JudgeStatement(bundle.Statement.Span);
            JudgeEvidence(bundle, statement);
        }
        return new AttestationResult(_checks.ToImmutable(), policy, statement, hash, _simulated);
    }

    private EnclaveStatement? JudgeStatement(ReadOnlySpan<byte> bytes)
    {
        bool parsed = EnclaveStatement.TryParse(bytes, out var statement);
        That(CheckName.StatementForm, parsed, "every member known, present once and well-formed", parsed ? "well-formed" : "malformed");
        if (!parsed)
        {
            return null;
        }

        That(CheckName.StatementVersion, statement!.Version == EnclaveStatement.CurrentVersion, $"version {EnclaveStatement.CurrentVersion}", $"version {statement.Version}");
        That(CheckName.StatementRole, statement.Role == EnclaveStatement.InferenceRole, EnclaveStatement.InferenceRole, Shown(statement.Role));

        var lifetime = statement.Expires - statement.Issued;
        bool valid = lifetime > TimeSpan.Zero && lifetime <= EnclaveStatement.MaxValidity && statement.Issued <= now + ClockSkew && now < statement.Expires;
        That(CheckName.StatementValidity, valid, $"valid now, for at most {EnclaveStatement.MaxValidity.TotalMinutes:0} minutes in all", $"from {statement.IssuedAt} to {statement.ExpiresAt}");

        var age = now - statement.Issued;
        That(CheckName.StatementAge, age <= TimeSpan.FromSeconds(policy.MaximumAgeSeconds), $"at most {policy.MaximumAgeSeconds} s old", $"{Math.Clamp(age.TotalSeconds, -1e9, 1e9):0} s old");
        That(CheckName.ShapingFloor, statement.Config.ShapingFloor >= policy.MinimumShaping, $"{policy.MinimumShaping} or stronger", $"{statement.Config.ShapingFloor}");

        var missing = policy.Models.FirstOrDefault(wanted => !statement.Models.Contains(wanted));
        That(CheckName.Models, missing is null, policy.Models.IsEmpty ? "no particular model" : $"{policy.Models.Length} models with their digests", missing is null ? $"{statement.Models.Length} served" : $"{Shown(missing.Name)} is missing or another one");
        return statement;
    }

    private void JudgeEvidence(EnclaveBundle bundle, EnclaveStatement? statement)
    {
        byte[]? encodedReport = null;
        byte[]? encodedList = null;
        var certificates = DecodeCertificates(bundle.Evidence);
        bool formed = certificates is not null && Base64.TryDecode(bundle.Evidence.Report, out encodedReport)
            && (bundle.Evidence.RevocationList is null || (bundle.Evidence.RevocationList.Length <= 2 * RevocationList.MaxSize && Base64.TryDecode(bundle.Evidence.RevocationList, out encodedList)));
        That(CheckName.EvidenceForm, formed, "a report and three certificates", formed ? "well-formed" : "malformed");
        if (!formed)
        {
            return;
        }

        bool read = SnpReport.TryParse(encodedReport, out var report, out var error);
        That(CheckName.ReportForm, read, $"an SEV-SNP report of version {SnpReport.MinVersion} to {SnpReport.MaxVersion}", read ? $"version {report.Version}" : $"{error}");
        var product = JudgeChain(certificates!, encodedList);
        if (read)
        {
            JudgeSigner(report, certificates![0], product);
            JudgeReport(report, product);
            if (statement is not null)
            {
                bool bound = CryptographicOperations.FixedTimeEquals(report.ReportData, EnclaveStatement.ReportData(bundle.Statement.Span));
                That(CheckName.StatementBinding, bound, "the hash of this statement", bound ? "the same" : "another hash");
                bool same = report.ChipId.ContainsAnyExcept((byte)0) && Hex.Encode(report.ChipId) == statement.Node;
                That(CheckName.Node, same, "the machine that the statement names", same ? "the same" : "another machine");
            }
        }
    }

    private SnpProduct JudgeChain(Certificate[] certificates, byte[]? encodedList)
    {
        var (signer, intermediate, root) = (certificates[0], certificates[1], certificates[2]);

        var pinned = policy.Roots.FirstOrDefault(candidate => candidate.Fingerprint == root.Key.Fingerprint);
        That(CheckName.Root, pinned is not null, $"one of {policy.Roots.Length} pinned roots", $"{root.Key.Fingerprint[..16]}…");
        _simulated = pinned?.Simulated ?? false;
        bool allowed = pinned is not null && (!_simulated || policy.Profile is AppraisalProfile.Development);
        That(CheckName.Simulation, allowed, policy.Profile is AppraisalProfile.Development ? "simulated evidence, for development" : "evidence made by hardware", pinned is null ? "an unknown root" : _simulated ? "simulated" : "made by hardware");

        bool chained = signer.IsSignedBy(intermediate) && intermediate.IsSignedBy(root) && root.IsSignedBy(root);
        That(CheckName.CertificateChain, chained, "each signed by the next", chained ? "signed" : "a signature is wrong");

        bool valid = Array.TrueForAll(certificates, certificate => certificate.NotBefore <= now + ClockSkew && now <= certificate.NotAfter);
        That(CheckName.CertificateValidity, valid, "all three valid now", valid ? "valid" : "one is not valid now");

        JudgeRevocation(certificates, encodedList);
        return pinned?.Product ?? SnpProduct.Unknown;
    }

    private void JudgeRevocation(Certificate[] certificates, byte[]? encodedList)
    {
        const string expected = "a current list by the root that names none of the chain";
        RevocationList? list = null;
        bool parsed = encodedList is not null && RevocationList.TryParse(encodedList, out list);
        string found = encodedList is null ? "no list" : !parsed ? "a malformed list"
            : !list!.IsSignedBy(certificates[2]) ? "a list by somebody else"
            : list.ThisUpdate > now + ClockSkew || now > list.NextUpdate ? "a list that is out of date"
            : list.Revokes(certificates[1]) ? "the intermediate certificate is revoked" : "";

        // A list that is there and says no is never waived, whatever the policy says of its absence.
        bool holds = found.Length == 0;
        bool absent = encodedList is null;
        _checks.Add(holds ? new Check(CheckName.Revocation, Verdict.Passed, expected, "not revoked")
            : absent && policy.Waivers.TryGetValue(CheckName.Revocation, out var reason) ? new Check(CheckName.Revocation, Verdict.Waived, expected, found, reason)
            : new Check(CheckName.Revocation, Verdict.Failed, expected, found));
    }

    private void JudgeSigner(SnpReport report, Certificate signer, SnpProduct product)
    {
        That(CheckName.SignerKey, report.Signer is { Key: SigningKey.Vcek, ReservedAsSpecified: true, ChipKeyMasked: false }, "the chip's own key (VCEK)", $"{report.Signer.Key}");

        Span<byte> signature = stackalloc byte[96];
        bool signed = report.TryGetSignature(signature) && signer.Key.P384 is { } key && key.Verify(report.Signed, HashAlgorithmName.SHA384, signature, EcdsaSignatureFormat.P1363);
        That(CheckName.ReportSignature, signed, "signed by the endorsed key", signed ? "signed" : "the signature is wrong");

        var endorsement = SnpEndorsement.Read(signer, report.Signer.Key);
        var reported = TcbVersion.Read(report.ReportedTcb, product);
        That(CheckName.EndorsedTcb, endorsement is not null && endorsement.Tcb == reported, "the firmware that the certificate endorses", endorsement is null ? "no endorsement" : $"report: {reported}; certificate: {endorsement.Tcb}");

        bool chip = endorsement is { HardwareId: { Length: 64 or 8 } id } && report.ChipId[..id.Length].SequenceEqual(id) && !report.ChipId[id.Length..].ContainsAnyExcept((byte)0);
        That(CheckName.EndorsedChip, chip, "the chip that the certificate endorses", chip ? "the same" : "another chip");

        bool known = product is not SnpProduct.Unknown && endorsement?.Product == product && (report.Version < 3 || report.Product == product)
            && policy.TcbFloors.Any(floor => floor.Product == product);
        That(CheckName.Product, known, $"one of {string.Join(", ", policy.TcbFloors.Select(floor => floor.Product))}, the same in root, certificate and report", $"root: {product}; certificate: {endorsement?.Product}; report: {report.Product}");
    }

    private void JudgeReport(SnpReport report, SnpProduct product)
    {
        JudgeFirmware(report, product);
        JudgeGuest(report);
        JudgePlatform(report);

        That(CheckName.Vmpl, report.Vmpl == 0, "privilege level 0", $"level {report.Vmpl}");
        string measurement = Hex.Encode(report.Measurement);
        That(CheckName.Measurement, policy.Measurements.Contains(measurement), $"one of {policy.Measurements.Length} accepted builds", $"{measurement[..16]}…");
        Zero(CheckName.HostData, report.HostData, "no host data");
        Zero(CheckName.IdKey, report.IdKeyDigest, "no identity block");
        Zero(CheckName.AuthorKey, report.AuthorKeyDigest, "no author key");
    }

    private void JudgeFirmware(SnpReport report, SnpProduct product)
    {
        var (current, committed, launch, reported) = (Tcb(report.CurrentTcb), Tcb(report.CommittedTcb), Tcb(report.LaunchTcb), Tcb(report.ReportedTcb));
        TcbVersion Tcb(ulong value) => TcbVersion.Read(value, product);

        // The reported version picks the key; the committed one is what the host cannot go back from; at launch the secrets came in.
        var floor = policy.TcbFloors.FirstOrDefault(candidate => candidate.Product == product)?.Version;
        bool recent = floor is { } version && reported.IsAtLeast(version) && committed.IsAtLeast(version) && launch.IsAtLeast(version) && current.IsAtLeast(version);
        That(CheckName.TcbFloor, recent, floor is null ? "a product with a floor" : $"no part older than {floor}", $"reported {reported}; committed {committed}; launch {launch}");

        bool reserved = new[] { report.CurrentTcb, report.CommittedTcb, report.LaunchTcb, report.ReportedTcb }.All(value => TcbVersion.ReservedAsSpecified(value, product));
        That(CheckName.TcbOrder, reserved && current.IsAtLeast(committed) && current.IsAtLeast(reported) && current.IsAtLeast(launch), "the current firmware no older than the others", $"current {current}");

        bool mitigated = report.Version < 5 ? policy.Mitigations == 0 : (report.CurrentMitigations & policy.Mitigations) == policy.Mitigations && (report.LaunchMitigations & policy.Mitigations) == policy.Mitigations;
        That(CheckName.Mitigations, mitigated, policy.Mitigations == 0 ? "no particular mitigation" : $"{policy.Mitigations:x16}", $"{report.CurrentMitigations:x16}");
    }

    private void JudgeGuest(SnpReport report)
    {
        var guest = report.Policy;
        That(CheckName.GuestDebug, !guest.DebugAllowed, "the host may not debug it", guest.DebugAllowed ? "it may" : "it may not");
        That(CheckName.GuestMigration, !guest.MigrationAgentAllowed, "no migration agent", guest.MigrationAgentAllowed ? "one is allowed" : "none");
        That(CheckName.GuestSmt, !guest.SmtAllowed, "no sibling threads", guest.SmtAllowed ? "allowed" : "not allowed");
        That(CheckName.GuestCxl, !guest.CxlAllowed, "no CXL memory", guest.CxlAllowed ? "allowed" : "not allowed");
        bool abi = (guest.AbiMajor, guest.AbiMinor).CompareTo((policy.MinimumAbi.Major, policy.MinimumAbi.Minor)) >= 0;
        That(CheckName.GuestAbi, abi, $"firmware ABI {policy.MinimumAbi.Major}.{policy.MinimumAbi.Minor} or later demanded", $"{guest.AbiMajor}.{guest.AbiMinor}");
        That(CheckName.GuestPolicyReserved, guest.ReservedAsSpecified, "reserved bits as specified", $"{guest}");
    }

    private void JudgePlatform(SnpReport report)
    {
        var platform = report.PlatformInfo;
        That(CheckName.PlatformEcc, platform.EccEnabled, "memory with error correction", platform.EccEnabled ? "on" : "off");
        That(CheckName.PlatformAliasCheck, platform.AliasCheckComplete, "memory aliases looked for", platform.AliasCheckComplete ? "done" : "not done");
        That(CheckName.PlatformCiphertextHiding, platform.CiphertextHidingEnabled, "ciphertext hidden from the host", platform.CiphertextHidingEnabled ? "hidden" : "visible");
        That(CheckName.PlatformRapl, platform.RaplDisabled, "power meter off", platform.RaplDisabled ? "off" : "on");
        That(CheckName.PlatformReserved, platform.ReservedAsSpecified, "reserved bits as specified", $"{platform}");
    }

    private static Certificate[]? DecodeCertificates(SnpEvidence evidence)
    {
        if (evidence.Certificates.IsDefault || evidence.Certificates.Length != ChainLength)
        {
            return null;
        }

        var certificates = new Certificate[ChainLength];
        for (int i = 0; i < ChainLength; i++)
        {
            string text = evidence.Certificates[i];
            if (text.Length > 2 * Certificate.MaxSize || !Base64.TryDecode(text, out var der) || !Certificate.TryParse(der, out var certificate))
            {
                return null;
            }
            certificates[i] = certificate;
        }
        return certificates;
    }

    private void Zero(CheckName name, ReadOnlySpan<byte> value, string expected)
    {
        bool zero = !value.ContainsAnyExcept((byte)0);
        That(name, zero, expected, zero ? "none" : $"{Hex.Encode(value[..8])}…");
    }

    private void That(CheckName name, bool holds, string expected, string found) => _checks.Add(
        holds ? new Check(name, Verdict.Passed, expected, found)
        : !AppraisalPolicy.Unwaivable.Contains(name) && policy.Waivers.TryGetValue(name, out var reason) ? new Check(name, Verdict.Waived, expected, found, reason)
        : new Check(name, Verdict.Failed, expected, found));

    // Text from the adversary goes onto a screen: short, and printable ASCII only.
    private static string Shown(string text) => new([.. text.Take(32).Select(character => character is > ' ' and < '\x7f' ? character : '?')]);
}
