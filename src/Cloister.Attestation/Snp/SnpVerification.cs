using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Is an SEV-SNP report genuine, is the machine hardened, and is it what was wanted (docs/spec/snp.md)? A pure function.</summary>
public static class SnpVerification
{
    /// <summary>Runs every check that the bytes allow to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="report">From the adversary, as is all of <paramref name="collateral"/>.</param>
    /// <param name="now">Two minutes of clock skew into the future are allowed.</param>
    /// <returns>One finding per <see cref="SnpCheck"/>. Whatever the bytes, nothing is thrown.</returns>
    public static SnpResult Verify(ReadOnlyMemory<byte> report, SnpCollateral collateral, SnpReportPolicy policy, DateTimeOffset now) =>
        new SnpVerifier(collateral, policy, now).Run(report);

    /// <summary>The report's product: what its processor says, and for version 2, which does not say, what the certificate's issuer tells.</summary>
    public static SnpProduct ProductOf(SnpReport report, Certificate? chip) => report.Product is not SnpProduct.Unknown ? report.Product
        : chip is null ? SnpProduct.Unknown
        : SnpAuthority.All.FirstOrDefault(authority => authority.Intermediate.Subject.SequenceEqual(chip.Content.Issuer))?.Product
        ?? SnpEndorsement.Read(chip, SigningKey.Vlek)?.Product ?? SnpProduct.Unknown;
}

/// <summary>One verification in progress, in the order of docs/spec/snp.md, section 3.</summary>
internal sealed class SnpVerifier(SnpCollateral collateral, SnpReportPolicy policy, DateTimeOffset now)
{
    private const string NotAsked = "the policy does not ask for it";

    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    private readonly Findings<SnpCheck> _findings = new();

    public SnpResult Run(ReadOnlyMemory<byte> bytes)
    {
        bool read = SnpReport.TryParse(bytes.Span, out var report, out var error);
        JudgeForm(bytes.Span, error);
        if (!read)
        {
            return new SnpResult(bytes, _findings, SnpProduct.Unknown, false);
        }

        _ = Certificate.TryParse(collateral.Chip, out var chip);
        var product = SnpVerification.ProductOf(report, chip);
        var root = JudgeChain(report, chip, product);
        JudgeFirmware(report, product);
        JudgeBits(report);
        JudgeValues(report);
        JudgeHardening(report, product);
        return new SnpResult(bytes, _findings, product, root?.Simulated ?? false);
    }

    private void JudgeForm(ReadOnlySpan<byte> bytes, WireError error)
    {
        bool formed = error.Fault is WireFault.None;
        bool truncated = bytes.Length < SnpReport.Size;
        var faulty = truncated ? SnpCheck.Length : error.Field == SnpReport.VersionField ? SnpCheck.Version : SnpCheck.Form;
        (SnpCheck, string)[] asked = [(SnpCheck.Length, $"{SnpReport.Size} bytes"), (SnpCheck.Version, $"version {SnpReport.MinVersion} to {SnpReport.MaxVersion}"), (SnpCheck.Form, "every field as specified")];
        foreach (var (name, expected) in asked)
        {
            if (formed || faulty == name)
            {
                That(name, formed, expected, formed ? "as expected" : $"{error}");
            }
        }
    }

    private TrustedRoot? JudgeChain(SnpReport report, Certificate? chip, SnpProduct product)
    {
        var published = SnpAuthority.Of(product);
        var root = collateral.Root.IsEmpty ? published?.Root : Read(collateral.Root);
        var intermediate = collateral.Intermediate.IsEmpty ? published?.Intermediate : Read(collateral.Intermediate);
        if (chip is null || root is null || intermediate is null)
        {
            That(SnpCheck.Chain, false, "certificates of root, intermediate and chip", "one is missing or cannot be read");
            return null;
        }

        // Whose fault it is that the two do not belong together: of the one that was handed over.
        bool belong = intermediate.IsSignedBy(root), handed = !collateral.Intermediate.IsEmpty;
        var pinned = policy.Roots.FirstOrDefault(candidate => candidate.Fingerprint == root.Key.Fingerprint);
        That(SnpCheck.RootTrust, pinned is not null && root.IsSignedBy(root) && (belong || handed), $"one of {policy.Roots.Length} pinned roots", $"{root.Key.Fingerprint[..16]}…");

        // Under AMD's root only the intermediate that AMD publishes makes chips' certificates; those of lent keys have another.
        bool amds = published is not null && root.Key.Fingerprint == published.RootFingerprint;
        bool lent = policy.VlekAccepted && report.Signer.Key is SigningKey.Vlek;
        bool known = !handed || (belong && (!amds || lent || intermediate.Key.Fingerprint == published!.IntermediateFingerprint));
        That(SnpCheck.IntermediateTrust, known, "the intermediate that the root made", known ? "the same" : "another");

        JudgeChip(report, chip, intermediate, product, lent ? SigningKey.Vlek : SigningKey.Vcek, CertificatePath.FindFault([chip, intermediate, root], usageDemanded: false, SnpEndorsement.LookedAt));
        bool valid = IsValid(chip) && IsValid(intermediate) && IsValid(root);
        That(SnpCheck.Validity, valid, "all three valid now", valid ? "valid" : "one is not valid now");
        JudgeRevocation(root, intermediate);
        JudgeProduct(report, chip, pinned, product);
        return pinned;
    }

    private void JudgeChip(SnpReport report, Certificate chip, Certificate intermediate, SnpProduct product, SigningKey kind, string? fault)
    {
        // Read with the wrong product's name, its versions would be read by the wrong product's table.
        var endorsed = SnpEndorsement.Read(chip, kind);
        bool chained = chip.IsSignedBy(intermediate) && endorsed is not null && endorsed.Product == product;
        That(SnpCheck.Chain, chained && fault is null, "signed by the intermediate, for this product", fault ?? (chained ? "signed" : endorsed is null ? "extensions are missing" : "another's"));
        if (endorsed is not null)
        {
            byte[] id = endorsed.HardwareId;
            bool same = kind is SigningKey.Vlek || (report.ChipId[..id.Length].SequenceEqual(id) && !report.ChipId[id.Length..].ContainsAnyExcept((byte)0));
            That(SnpCheck.HardwareId, same, "the chip that the certificate endorses", same ? kind is SigningKey.Vlek ? "a lent key endorses no chip" : "the same" : "another chip");
            var reported = TcbVersion.Read(report.ReportedTcb, endorsed.Product);
            That(SnpCheck.EndorsedTcb, endorsed.Tcb == reported, $"{endorsed.Tcb}", $"{reported}");
        }
        Span<byte> signature = stackalloc byte[96];
        bool signed = report.TryGetSignature(signature) && chip.Key.P384 is { } key && key.Verify(report.Signed, HashAlgorithmName.SHA384, signature, EcdsaSignatureFormat.P1363);
        That(SnpCheck.Signature, signed, "signed by the endorsed key", signed ? "signed" : "the signature is wrong");
    }

    private void JudgeRevocation(Certificate root, Certificate intermediate)
    {
        if (policy.Hardening is null)
        {
            Waive(SnpCheck.RevocationList);
            Waive(SnpCheck.Revocation);
            return;
        }
        if (!That(SnpCheck.RevocationList, !collateral.RevocationList.IsEmpty, "the root's list", collateral.RevocationList.IsEmpty ? "no list" : "there"))
        {
            _findings.Waive(SnpCheck.Revocation, "there is no list to look into");
            return;
        }
        string found = !RevocationList.TryParse(collateral.RevocationList, out var list) ? "a malformed list"
            : !list.IsSignedBy(root) ? "a list by somebody else"
            : list.ThisUpdate > now + ClockSkew || now > list.NextUpdate ? "a list that is out of date"
            : list.Revokes(intermediate) ? "the intermediate certificate is revoked" : "";
        That(SnpCheck.Revocation, found.Length == 0, "a current list by the root that does not name the intermediate", found.Length == 0 ? "not revoked" : found);
    }

    private void JudgeProduct(SnpReport report, Certificate chip, TrustedRoot? root, SnpProduct product)
    {
        if (policy.Hardening is { } hardening)
        {
            var endorsed = SnpEndorsement.Read(chip, SigningKey.Vlek)?.Product;
            bool one = product is not SnpProduct.Unknown && root?.Product == product && endorsed == product && hardening.TcbFloors.Any(floor => floor.Product == product);
            That(SnpCheck.Product, one, $"one of {string.Join(", ", hardening.TcbFloors.Select(floor => floor.Product.ToString()))}, the same in root, certificate and report", $"root: {root?.Product}; certificate: {endorsed}; report: {report.Product}");
        }
    }

    private void JudgeFirmware(SnpReport report, SnpProduct product)
    {
        var reported = Tcb(report.ReportedTcb);
        That(SnpCheck.MinimumTcb, reported.IsAtLeast(policy.MinimumTcb), $"no part older than {policy.MinimumTcb}", $"{reported}");
        if (policy.Hardening is not { } hardening)
        {
            return;
        }

        // The reported version picks the key; the committed one is what the host cannot go back from; at launch the secrets came in.
        var (current, committed, launch) = (Tcb(report.CurrentTcb), Tcb(report.CommittedTcb), Tcb(report.LaunchTcb));
        var floor = hardening.TcbFloors.FirstOrDefault(candidate => candidate.Product == product)?.Version;
        bool recent = floor is { } version && reported.IsAtLeast(version) && committed.IsAtLeast(version) && launch.IsAtLeast(version) && current.IsAtLeast(version);
        That(SnpCheck.TcbFloor, recent, floor is null ? "a product with a floor" : $"no part older than {floor}", $"reported {reported}; committed {committed}; launch {launch}");

        bool reserved = Reserved(report.CurrentTcb) && Reserved(report.CommittedTcb) && Reserved(report.LaunchTcb) && Reserved(report.ReportedTcb);
        That(SnpCheck.TcbOrder, reserved && current.IsAtLeast(committed) && current.IsAtLeast(reported) && current.IsAtLeast(launch), "the current firmware no older than the others", $"current {current}");

        ulong wanted = hardening.Mitigations;
        bool mitigated = report.Version < 5 ? wanted == 0 : (report.CurrentMitigations & wanted) == wanted && (report.LaunchMitigations & wanted) == wanted;
        That(SnpCheck.Mitigations, mitigated, wanted == 0 ? "no particular mitigation" : $"{wanted:x16}", report.Version < 5 ? "not told before version 5" : $"now {report.CurrentMitigations:x16}, at launch {report.LaunchMitigations:x16}");

        TcbVersion Tcb(ulong value) => TcbVersion.Read(value, product);
        bool Reserved(ulong value) => TcbVersion.ReservedAsSpecified(value, product);
    }

    private void JudgeBits(SnpReport report)
    {
        if (!policy.SpecificationDefaults)
        {
            for (var name = SnpCheck.Debug; name <= SnpCheck.SignerInfo; name++)
            {
                Waive(name);
            }
            return;
        }

        var (guest, platform, signer) = (report.Policy, report.PlatformInfo, report.Signer);
        That(SnpCheck.Debug, !guest.DebugAllowed, "the host may not debug it", guest.DebugAllowed ? "it may" : "it may not");
        That(SnpCheck.MigrationAgent, !guest.MigrationAgentAllowed, "no migration agent", guest.MigrationAgentAllowed ? "one is allowed" : "none");
        That(SnpCheck.SingleSocket, !guest.SingleSocketRequired || !policy.SingleSocketRefused, policy.SingleSocketRefused ? "not bound to one socket" : "bound to one socket or not", guest.SingleSocketRequired ? "bound" : "not bound");
        That(SnpCheck.PolicyReserved, guest.ReservedAsSpecified, "reserved bits as specified", guest.Describe());
        That(SnpCheck.PlatformReserved, platform.ReservedAsSpecified, "no unknown bit", platform.Describe());
        bool own = signer is { Key: SigningKey.Vcek, ChipKeyMasked: false, ReservedAsSpecified: true } || (policy.VlekAccepted && signer is { Key: SigningKey.Vlek, ReservedAsSpecified: true });
        That(SnpCheck.SignerInfo, own, policy.VlekAccepted ? "the chip's own key or a lent one" : "the chip's own key (VCEK)", signer.Describe());
    }

    private void JudgeValues(SnpReport report)
    {
        Compare(SnpCheck.Measurement, SnpField.Measurement, report.Measurement);
        Compare(SnpCheck.HostData, SnpField.HostData, report.HostData);
        Compare(SnpCheck.ReportData, SnpField.ReportData, report.ReportData);
        Compare(SnpCheck.IdKeyDigest, SnpField.IdKeyDigest, report.IdKeyDigest);
        Compare(SnpCheck.AuthorKeyDigest, SnpField.AuthorKeyDigest, report.AuthorKeyDigest);
    }

    private void Compare(SnpCheck name, SnpField field, ReadOnlySpan<byte> found)
    {
        if (!policy.Expected.TryGetValue(field, out var wanted))
        {
            Waive(name);
            return;
        }
        bool listed = false;
        foreach (var value in wanted)
        {
            listed |= CryptographicOperations.FixedTimeEquals(value.Span, found);
        }
        string expected = wanted is [var only] ? Shown.Digest(only.Span) : $"one of {wanted.Length} values";
        That(name, listed, expected, Shown.Digest(found));
    }

    private void JudgeHardening(SnpReport report, SnpProduct product)
    {
        if (policy.Hardening is not { } hardening)
        {
            for (var name = SnpCheck.Product; name <= SnpCheck.Vmpl; name++)
            {
                Waive(name);
            }
            return;
        }

        var (guest, platform) = (report.Policy, report.PlatformInfo);
        That(SnpCheck.Smt, !guest.SmtAllowed, "no sibling threads", guest.SmtAllowed ? "allowed" : "not allowed");
        That(SnpCheck.Cxl, !guest.CxlAllowed, "no CXL memory", guest.CxlAllowed ? "allowed" : "not allowed");
        bool abi = guest.AbiMajor > hardening.MinimumAbi.Major || (guest.AbiMajor == hardening.MinimumAbi.Major && guest.AbiMinor >= hardening.MinimumAbi.Minor);
        That(SnpCheck.Abi, abi, $"firmware ABI {hardening.MinimumAbi.Major}.{hardening.MinimumAbi.Minor} or later demanded", $"{guest.AbiMajor}.{guest.AbiMinor}");
        That(SnpCheck.GuestDemands, (guest.Value & hardening.GuestDemands) == hardening.GuestDemands, hardening.GuestDemands == 0 ? "nothing in particular" : new GuestPolicy(hardening.GuestDemands).Describe(), guest.Describe());
        That(SnpCheck.Ecc, platform.EccEnabled, "memory with error correction", platform.EccEnabled ? "on" : "off");
        That(SnpCheck.AliasCheck, platform.AliasCheckComplete, "memory aliases looked for", platform.AliasCheckComplete ? "done" : "not done");
        That(SnpCheck.CiphertextHiding, platform.CiphertextHidingEnabled, "ciphertext hidden from the host", platform.CiphertextHidingEnabled ? "hidden" : "visible");
        That(SnpCheck.Rapl, platform.RaplDisabled, "power meter off", platform.RaplDisabled ? "off" : "on");
        That(SnpCheck.Vmpl, report.Vmpl == 0, "privilege level 0", $"level {report.Vmpl}");
    }

    private bool IsValid(Certificate certificate) => certificate.NotBefore <= now + ClockSkew && now <= certificate.NotAfter;

    private static Certificate? Read(ReadOnlyMemory<byte> der) => Certificate.TryParse(der, out var certificate) ? certificate : null;

    private bool That(SnpCheck name, bool holds, string expected, string found) => _findings.That(name, holds, expected, found);

    private void Waive(SnpCheck name) => _findings.Waive(name, NotAsked);
}
