using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Is a TDX quote genuine, is the machine's firmware good, and is it what was wanted (docs/spec/tdx.md)? A pure function.</summary>
public static class TdxVerification
{
    /// <summary>Runs every check that the bytes allow to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="now">All dates are compared with it, without allowance.</param>
    /// <returns>One finding per <see cref="TdxCheck"/>. Whatever the bytes, nothing is thrown.</returns>
    public static TdxResult Verify(ReadOnlyMemory<byte> quote, TdxCollateral collateral, TdxPolicy policy, DateTimeOffset now) =>
        new TdxVerifier(collateral, policy, now).Run(quote);
}

/// <summary>One verification in progress, in the order of docs/spec/tdx.md, section 4.</summary>
internal sealed class TdxVerifier(TdxCollateral collateral, TdxPolicy policy, DateTimeOffset now)
{
    private const int ChainLength = 3;
    private const string NotAsked = "signatures and chains only";

    private static readonly byte[] IntelQuotingEnclave = Convert.FromHexString("939a7233f79c4ca9940a0db3957f0607");

    // Only one of these is behind the field's own name: two checks look at the same bytes where one is about trust and one about wishes.
    private static readonly (TdxField Field, TdxCheck Check)[] Comparisons =
    [
        (TdxField.Fmspc, TdxCheck.ExpectedFmspc), (TdxField.TdAttributes, TdxCheck.ExpectedTdAttributes), (TdxField.Xfam, TdxCheck.ExpectedXfam),
        (TdxField.MrSignerSeam, TdxCheck.ExpectedMrSignerSeam), (TdxField.SeamAttributes, TdxCheck.ExpectedSeamAttributes), (TdxField.MrSeam, TdxCheck.ExpectedMrSeam),
        (TdxField.MrTd, TdxCheck.ExpectedMrTd), (TdxField.MrConfigId, TdxCheck.ExpectedMrConfigId), (TdxField.MrOwner, TdxCheck.ExpectedMrOwner),
        (TdxField.MrOwnerConfig, TdxCheck.ExpectedMrOwnerConfig), (TdxField.RtMr0, TdxCheck.ExpectedRtMr0), (TdxField.RtMr1, TdxCheck.ExpectedRtMr1),
        (TdxField.RtMr2, TdxCheck.ExpectedRtMr2), (TdxField.RtMr3, TdxCheck.ExpectedRtMr3), (TdxField.MrServiceTd, TdxCheck.ExpectedMrServiceTd),
        (TdxField.ReportData, TdxCheck.ExpectedReportData), (TdxField.QeVendorId, TdxCheck.ExpectedQeVendorId),
    ];

    private readonly Findings<TdxCheck> _findings = new();
    private PckExtensions? _platform;
    private TcbVerdict? _tcb;

    private bool Full => policy.Evaluation is TdxEvaluation.Full;

    public TdxResult Run(ReadOnlyMemory<byte> bytes)
    {
        bool read = TdxQuote.TryParse(bytes.Span, out var quote, out var error);
        JudgeForm(error);
        if (read)
        {
            That(TdxCheck.QeVendor, quote.QeVendorId.SequenceEqual(IntelQuotingEnclave), "Intel's quoting enclave", Hex.Encode(quote.QeVendorId));
            var chain = JudgeChain(quote);
            JudgeSignatures(quote, chain);
            JudgeCollateral(quote, chain);
            JudgeReport(quote.Report);
            Compare(quote);
            JudgeBuild(quote.Report);
            JudgeAdvisories();
        }
        return new TdxResult(bytes, _findings, _platform, _tcb);
    }

    private void JudgeForm(WireError error)
    {
        bool formed = error.Fault is WireFault.None;
        var faulty = error switch
        {
            { Fault: WireFault.Truncated }                      => TdxCheck.QuoteComplete,
            { Field: TdxQuote.TeeTypeField }                    => TdxCheck.TeeType,
            { Field: TdxQuote.AttestationKeyTypeField }         => TdxCheck.AttestationKeyType,
            _                                                   => TdxCheck.QuoteForm,
        };
        (TdxCheck, string)[] asked =
        [
            (TdxCheck.QuoteComplete, "all of its bytes"), (TdxCheck.QuoteForm, $"a quote of version {TdxQuote.MinVersion} or {TdxQuote.MaxVersion}"),
            (TdxCheck.TeeType, "a trust domain"), (TdxCheck.AttestationKeyType, "ECDSA on P-256"),
        ];
        foreach (var (name, expected) in asked)
        {
            if (formed || faulty == name)
            {
                That(name, formed, expected, $"{error}");
            }
        }
    }

    // Intel's root, one of its two authorities, and the processor's certificate: three, in this order, ends pinned.
    private Chain? JudgeChain(TdxQuote quote)
    {
        bool readable = PemCertificates.TryParse(quote.CertificationData, out var certificates);
        bool carried = quote.CertificationDataType == TdxQuote.PckChain;
        bool complete = carried && (!readable || certificates.Length >= ChainLength);
        That(TdxCheck.PckChainComplete, complete, "certificates of processor, authority and root", carried ? $"{certificates.Length} certificates" : $"certification data of type {quote.CertificationDataType}");
        if (!complete)
        {
            return null;
        }

        var chain = readable && certificates.Length == ChainLength ? new Chain(certificates[0], certificates[1], certificates[2]) : null;
        string? fault = chain is null ? "another chain" : CertificatePath.FindFault([chain.Pck, chain.Authority, chain.Root], usageDemanded: false, PckExtensions.Oid);
        bool formed = chain is not null && fault is null && PckExtensions.TryRead(chain.Pck, out _platform)
            && chain.Pck.IsNamedBy(chain.Authority) && chain.Authority.IsNamedBy(chain.Root) && chain.Root.IsNamedBy(chain.Root);
        That(TdxCheck.PckChainForm, formed, "three certificates, each named by the next", formed ? "well-formed" : fault ?? "another chain");
        if (!formed)
        {
            return null;
        }

        That(TdxCheck.Root, policy.Roots.Contains(chain!.Root.Key.Fingerprint), $"one of {policy.Roots.Length} pinned roots", $"{chain.Root.Key.Fingerprint[..16]}…");
        bool signed = chain.Pck.IsSignedBy(chain.Authority) && chain.Authority.IsSignedBy(chain.Root) && chain.Root.IsSignedBy(chain.Root);
        That(TdxCheck.PckChain, signed, "each signed by the next", signed ? "signed" : "a signature is wrong");
        bool valid = IsValid(chain.Pck) && IsValid(chain.Authority) && IsValid(chain.Root);
        That(TdxCheck.PckValidity, valid, "all three valid now", valid ? "valid" : "one is not valid now");
        JudgeRevocation(chain);
        return chain;
    }

    private void JudgeRevocation(Chain chain)
    {
        bool issuers = collateral.PckRevocationListIssuers.IsEmpty
            || (PemCertificates.TryParse(collateral.PckRevocationListIssuers.Span, out var given) && given.Length is 1 or 2
                && given[0].Key.Fingerprint == chain.Authority.Key.Fingerprint && (given.Length == 1 || given[1].Key.Fingerprint == chain.Root.Key.Fingerprint));
        chain.RootList = JudgeList(collateral.RootRevocationList, chain.Root, true, TdxCheck.RootRevocationList, TdxCheck.RootRevocationListValidity);
        chain.PckList = JudgeList(collateral.PckRevocationList, chain.Authority, issuers, TdxCheck.PckRevocationList, TdxCheck.PckRevocationListValidity);
        JudgeRevoked(TdxCheck.IntermediateRevocation, chain.RootList, chain.Authority);
        JudgeRevoked(TdxCheck.PckRevocation, chain.PckList, chain.Pck);
    }

    private RevocationList? JudgeList(ReadOnlyMemory<byte> encoded, Certificate issuer, bool issuersFit, TdxCheck genuine, TdxCheck validity)
    {
        bool holds = RevocationList.TryParse(encoded, out var list) && list.IsSignedBy(issuer) && issuersFit;
        if (!Full)
        {
            Waive(genuine);
            Waive(validity);
            return holds ? list : null;
        }
        That(genuine, holds, "a list by the issuer", holds ? "signed by it" : encoded.IsEmpty ? "no list" : "another list");
        if (list is not null)
        {
            bool current = list.ThisUpdate <= now && now <= list.NextUpdate;
            That(validity, current, "a current list", $"from {list.ThisUpdate:u} to {list.NextUpdate:u}");
        }
        return holds ? list : null;
    }

    private void JudgeRevoked(TdxCheck name, RevocationList? list, Certificate certificate)
    {
        if (list is not null)
        {
            bool revoked = list.Revokes(certificate);
            That(name, !revoked, "not revoked", revoked ? "revoked" : "not revoked");
        }
        else if (!Full)
        {
            Waive(name);
        }
    }

    private void JudgeSignatures(TdxQuote quote, Chain? chain)
    {
        Span<byte> point = [4, .. quote.AttestationKey];
        bool usable = EcdsaPublicKey.TryImport(EcdsaCurve.P256, point, out var key);
        using (key)
        {
            bool signed = usable && key!.Verify(quote.Signed, HashAlgorithmName.SHA256, quote.Signature, EcdsaSignatureFormat.P1363);
            That(TdxCheck.QuoteSignature, signed, "signed by the attestation key", signed ? "signed" : "the signature is wrong");
        }

        if (chain is not null)
        {
            bool signed = chain.Pck.Key.P256?.Verify(quote.QeReport.Signed, HashAlgorithmName.SHA256, quote.QeReportSignature, EcdsaSignatureFormat.P1363) ?? false;
            That(TdxCheck.QeReportSignature, signed, "signed by the processor's key", signed ? "signed" : "the signature is wrong");
        }

        // The quoting enclave vouches for the key that it signs with, and for nothing else in these 64 bytes.
        byte[] bound = [.. SHA256.HashData([.. quote.AttestationKey, .. quote.QeAuthData]), .. new byte[32]];
        bool same = CryptographicOperations.FixedTimeEquals(bound, quote.QeReport.ReportData);
        That(TdxCheck.AttestationKeyBinding, same, "the attestation key's hash in the quoting enclave's report", same ? "the same" : "another hash");
    }

    private void JudgeCollateral(TdxQuote quote, Chain? chain)
    {
        if (!Full)
        {
            for (var name = TdxCheck.TcbInfoChain; name <= TdxCheck.TcbStatus; name++)
            {
                Waive(name);
            }
            return;
        }

        if (chain is null)
        {
            return;
        }
        TcbInfo? info = null;
        if (JudgeSigned(collateral.TcbInfo, "tcbInfo", collateral.TcbInfoIssuers, chain, TdxCheck.TcbInfoChain, TdxCheck.TcbInfoSignature) is { } signedInfo)
        {
            bool formed = TcbInfo.TryParse(signedInfo, out info);
            That(TdxCheck.TcbInfoForm, formed, "TCB info of version 3 for TDX", formed ? "well-formed" : "malformed or another");
        }
        QeIdentity? identity = null;
        if (JudgeSigned(collateral.QeIdentity, "enclaveIdentity", collateral.QeIdentityIssuers, chain, TdxCheck.QeIdentityChain, TdxCheck.QeIdentitySignature) is { } signedIdentity)
        {
            bool formed = QeIdentity.TryParse(signedIdentity, out identity);
            That(TdxCheck.QeIdentityForm, formed, "an identity of a quoting enclave", formed ? "well-formed" : "malformed");
        }

        if (info is not null)
        {
            JudgeDates(TdxCheck.TcbInfoValidity, info.IssueDate, info.NextUpdate);
            bool same = _platform is { } platform && platform.Fmspc.Span.SequenceEqual(info.Fmspc.Span) && platform.PceId.Span.SequenceEqual(info.PceId.Span);
            That(TdxCheck.TcbInfoProcessor, same, "the processor of the certificate", same ? "the same" : $"{Hex.Encode(info.Fmspc.Span)}");
            JudgeModule(quote.Report, info);
        }
        if (identity is not null)
        {
            JudgeDates(TdxCheck.QeIdentityValidity, identity.IssueDate, identity.NextUpdate);
            JudgeQuotingEnclave(quote.QeReport, identity);
        }
        if (info is not null && identity is not null)
        {
            int number = Math.Min(info.EvaluationDataNumber, identity.EvaluationDataNumber);
            That(TdxCheck.EvaluationDataNumber, number >= policy.MinimumEvaluationDataNumber, $"{policy.MinimumEvaluationDataNumber} or later", $"{number}");
            JudgeFirmware(quote, info, identity);
        }
    }

    private SignedDocument? JudgeSigned(ReadOnlyMemory<byte> json, string member, ReadOnlyMemory<byte> issuers, Chain chain, TdxCheck chained, TdxCheck signature)
    {
        bool parsed = SignedDocument.TryParse(json, member, out var document);
        bool known, signed;
        if (issuers.IsEmpty)
        {
            // The one key that Intel signs collateral with; under another root there is none that we know.
            known = policy.Roots.Contains(TdxRoot.Intel) && chain.Root.Key.Fingerprint == TdxRoot.Intel;
            That(chained, known, "Intel's signing key", known ? "pinned" : "no issuers, and another root");
            EcdsaPublicKey.TryImport(EcdsaCurve.P256, Convert.FromHexString($"04{TdxRoot.IntelTcbSigning}"), out var key);
            using (key)
            {
                signed = known && parsed && document!.IsSignedBy(key);
            }
        }
        else
        {
            var signer = FindSigner(issuers.Span, chain);
            string? fault = signer is null ? "another chain" : CertificatePath.FindFault([signer, chain.Root], usageDemanded: false);
            known = fault is null;
            That(chained, known, "a signer under the root, valid now and not revoked", fault ?? "signed");
            signed = known && parsed && document!.IsSignedBy(signer!);
        }
        if (known)
        {
            That(signature, signed, "signed over its exact bytes", signed ? "signed" : parsed ? "the signature is wrong" : "no signed document");
        }
        return signed ? document : null;
    }

    // The signer's certificate, and behind it the root or nothing.
    private Certificate? FindSigner(ReadOnlySpan<byte> issuers, Chain chain) =>
        policy.Roots.Contains(chain.Root.Key.Fingerprint)
        && PemCertificates.TryParse(issuers, out var given) && given.Length is 1 or 2
        && (given.Length == 1 || given[1].Key.Fingerprint == chain.Root.Key.Fingerprint)
        && given[0].IsSignedBy(chain.Root) && IsValid(given[0]) && chain.RootList?.Revokes(given[0]) is not true ? given[0] : null;

    private void JudgeDates(TdxCheck name, DateTimeOffset issued, DateTimeOffset next) =>
        That(name, issued <= now && now <= next, "current", $"from {issued:u} to {next:u}");

    private void JudgeQuotingEnclave(QeReport report, QeIdentity identity)
    {
        That(TdxCheck.QeIdentityId, identity.Id == QeIdentity.TdxId, QeIdentity.TdxId, identity.Id == QeIdentity.TdxId ? QeIdentity.TdxId : "another enclave");
        That(TdxCheck.QeIdentityVersion, identity.Version == QeIdentity.SupportedVersion, $"version {QeIdentity.SupportedVersion}", $"version {identity.Version}");
        bool signer = report.MrSigner.SequenceEqual(identity.MrSigner.Span);
        That(TdxCheck.QeMrSigner, signer, Hex.Encode(identity.MrSigner.Span), Hex.Encode(report.MrSigner));
        bool fields = report.IsvProdId == identity.IsvProdId
            && Masked(report.MiscSelect, identity.MiscSelectMask.Span, identity.MiscSelect.Span)
            && Masked(report.Attributes, identity.AttributesMask.Span, identity.Attributes.Span);
        That(TdxCheck.QeFields, fields, "product, attributes and misc select of the identity", fields ? "the same" : "others");
    }

    private void JudgeModule(TdReport report, TcbInfo info)
    {
        byte major = report.TeeTcbSvn[1];
        var module = info.FindModule(major);
        That(TdxCheck.TdxModuleKnown, module is not null, "a TDX module that Intel lists", $"major version {major}");
        if (module is null)
        {
            return;
        }
        bool signer = report.MrSignerSeam.SequenceEqual(module.MrSigner.Span);
        That(TdxCheck.TdxModuleSigner, signer, "the listed signer", signer ? "the same" : "another");

        // Whatever the mask leaves open: no attribute of the module is defined, so each must be zero.
        bool attributes = !report.SeamAttributes.ContainsAnyExcept((byte)0) && Masked(report.SeamAttributes, module.AttributesMask.Span, module.Attributes.Span);
        That(TdxCheck.TdxModuleAttributes, attributes, "the listed attributes", Hex.Encode(report.SeamAttributes));
    }

    private void JudgeFirmware(TdxQuote quote, TcbInfo info, QeIdentity identity)
    {
        if (_platform is null)
        {
            return;
        }
        _tcb = TcbEvaluation.Evaluate(info, _platform, quote.Report, identity.LevelOf(quote.QeReport.IsvSvn));
        That(TdxCheck.TcbSupported, _tcb.Status is not TcbStatus.NotSupported, "a level that Intel lists", _tcb.Status is TcbStatus.NotSupported ? "none fits" : "one fits");
        That(TdxCheck.TcbRevoked, _tcb.Status is not TcbStatus.Revoked, "not revoked", $"{_tcb.Status}");
        bool accepted = _tcb.Status is not (TcbStatus.NotSupported or TcbStatus.Revoked) && policy.AcceptedStatuses.Contains(_tcb.Status);
        That(TdxCheck.TcbStatus, accepted, $"one of {string.Join(", ", policy.AcceptedStatuses)}", $"{_tcb.Status}");
    }

    private void JudgeReport(TdReport report)
    {
        if (policy.ArchitecturalDefaults)
        {
            That(TdxCheck.TdDebug, !report.TdAttributes.Debug, "the host may not debug it", report.TdAttributes.Debug ? "it may" : "it may not");
            That(TdxCheck.TdAttributesReserved, report.TdAttributes.ReservedAsSpecified, "no unknown attribute", $"{report.TdAttributes}");
            That(TdxCheck.XfamRequired, report.Xfam.RequiredBitsSet, "x87 and SSE", $"{report.Xfam}");
            That(TdxCheck.XfamReserved, report.Xfam.ReservedAsSpecified, "no unknown feature", $"{report.Xfam}");
        }
        else
        {
            for (var name = TdxCheck.TdDebug; name <= TdxCheck.XfamReserved; name++)
            {
                _findings.Waive(name, "the policy does not ask for the architecture's defaults");
            }
        }

        bool recent = policy.MinimumTeeTcbSvn.Length == report.TeeTcbSvn.Length;
        for (int i = 0; recent && i < report.TeeTcbSvn.Length; i++)
        {
            recent = report.TeeTcbSvn[i] >= policy.MinimumTeeTcbSvn[i];
        }
        That(TdxCheck.TeeTcbSvn, recent, $"no part older than {Hex.Encode(policy.MinimumTeeTcbSvn.AsSpan())}", Hex.Encode(report.TeeTcbSvn));
    }

    private void Compare(TdxQuote quote)
    {
        foreach (var (field, check) in Comparisons)
        {
            if (policy.Expected.TryGetValue(field, out var wanted))
            {
                var found = Field(quote, field);
                bool listed = false;
                foreach (var value in wanted)
                {
                    listed |= value.Span.SequenceEqual(found);
                }
                That(check, listed, $"one of {wanted.Length} values", Hex.Encode(found));
            }
            else
            {
                _findings.Waive(check, "the policy does not compare it");
            }
        }
    }

    // Together, not one by one: a firmware of one build under the kernel of another is no build.
    private void JudgeBuild(TdReport report)
    {
        if (policy.Builds is not { } builds)
        {
            _findings.Waive(TdxCheck.Measurement, "the policy does not compare it");
            return;
        }
        string mrtd = Hex.Encode(report.MrTd);
        string[] rtmrs = [Hex.Encode(report.RtMr(0)), Hex.Encode(report.RtMr(1)), Hex.Encode(report.RtMr(2)), Hex.Encode(report.RtMr(3))];
        That(TdxCheck.Measurement, builds.Any(build => build.Mrtd == mrtd && build.Rtmrs.SequenceEqual(rtmrs)), $"one of {builds.Length} accepted builds", Shown.Digest(report.MrTd));
    }

    private void JudgeAdvisories()
    {
        if (policy.AcceptedAdvisories is not { } accepted || !Full)
        {
            _findings.Waive(TdxCheck.Advisories, "the policy does not ask for it");
        }
        else if (_tcb is not null)
        {
            string[] open = [.. _tcb.Advisories.Except(accepted)];
            That(TdxCheck.Advisories, open.Length == 0, accepted.IsEmpty ? "no advisory open" : $"none but {string.Join(", ", accepted)}", open.Length == 0 ? "none besides" : string.Join(", ", open.Take(8).Select(Shown.Text)));
        }
    }

    private ReadOnlySpan<byte> Field(TdxQuote quote, TdxField field) => field switch
    {
        TdxField.Fmspc          => _platform is null ? default : _platform.Fmspc.Span,
        TdxField.TdAttributes   => quote.Report.TdAttributesBytes,
        TdxField.Xfam           => quote.Report.XfamBytes,
        TdxField.MrSignerSeam   => quote.Report.MrSignerSeam,
        TdxField.SeamAttributes => quote.Report.SeamAttributes,
        TdxField.MrSeam         => quote.Report.MrSeam,
        TdxField.MrTd           => quote.Report.MrTd,
        TdxField.MrConfigId     => quote.Report.MrConfigId,
        TdxField.MrOwner        => quote.Report.MrOwner,
        TdxField.MrOwnerConfig  => quote.Report.MrOwnerConfig,
        TdxField.RtMr0          => quote.Report.RtMr(0),
        TdxField.RtMr1          => quote.Report.RtMr(1),
        TdxField.RtMr2          => quote.Report.RtMr(2),
        TdxField.RtMr3          => quote.Report.RtMr(3),
        TdxField.MrServiceTd    => quote.Report.MrServiceTd,
        TdxField.ReportData     => quote.Report.ReportData,
        TdxField.QeVendorId     => quote.QeVendorId,
        _                       => throw new System.Diagnostics.UnreachableException(),
    };

    private bool IsValid(Certificate certificate) => certificate.NotBefore <= now && now <= certificate.NotAfter;

    // The identity's own bytes are not masked: one that sets a bit outside of its mask fits no enclave.
    private static bool Masked(ReadOnlySpan<byte> found, ReadOnlySpan<byte> mask, ReadOnlySpan<byte> wanted)
    {
        bool same = true;
        for (int i = 0; i < found.Length; i++)
        {
            same &= (found[i] & mask[i]) == wanted[i];
        }
        return same;
    }

    private void That(TdxCheck name, bool holds, string expected, string found) => _findings.That(name, holds, expected, found);

    private void Waive(TdxCheck name) => _findings.Waive(name, NotAsked);

    private sealed record Chain(Certificate Pck, Certificate Authority, Certificate Root)
    {
        public RevocationList? RootList { get; set; }
        public RevocationList? PckList { get; set; }
    }
}
