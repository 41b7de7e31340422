using System.Collections.Immutable;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>Quotes of a made-up TPM: each check passes, and fails alone.</summary>
public class TpmVerificationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TpmAuthority Tpm = new(Now);
    private static readonly TpmPolicy Policy = Tpm.Policy();
    private static readonly TpmPolicy Certified = Policy with { KeyTrust = new TpmCertifiedKey([Tpm.Root], PurposeRequired: true) };
    private static readonly TpmPolicy Bound = Policy with { KeyTrust = new TpmHardwareBoundKey(Tpm.HardwareReportData()) };

    public static TheoryData<TpmScheme, bool, TpmHash> Kinds => new()
    {
        { TpmScheme.RsaSsa, false, TpmHash.Sha256 }, { TpmScheme.RsaPss, false, TpmHash.Sha256 }, { TpmScheme.Ecdsa, false, TpmHash.Sha256 },
        { TpmScheme.Ecdsa, true, TpmHash.Sha256 }, { TpmScheme.RsaSsa, false, TpmHash.Sha384 }, { TpmScheme.Ecdsa, true, TpmHash.Sha384 },
    };

    [Theory, MemberData(nameof(Kinds))]
    public void A_quote_as_it_should_be_passes_every_check(TpmScheme scheme, bool large, TpmHash bank)
    {
        var parts = new TpmParts { Scheme = scheme, LargeCurve = large, Bank = bank };
        foreach (var trust in (TpmKeyTrust[])[Tpm.Policy(parts).KeyTrust, Certified.KeyTrust, .. scheme is TpmScheme.Ecdsa ? (TpmKeyTrust[])[] : [Bound.KeyTrust]])
        {
            var result = TpmVerification.Verify(Tpm.Evidence(parts), Tpm.Policy(parts) with { KeyTrust = trust }, Now);
            Assert.Equal("", Failed(result));
            Assert.True(result.IsAccepted);
            Assert.Null(result.FirstFailure);
            Assert.Equal(Enum.GetValues<TpmCheck>(), result.Findings.Select(finding => finding.Name));
            Assert.Equal("this one", result.Build!.Name);
            Assert.All(result.Findings, finding => Assert.Equal(IsOf(trust, finding.Name) ? Verdict.Passed : Verdict.Waived, finding.Verdict));
        }
    }

    [Fact]
    public void What_is_shown_and_not_judged_can_be_read()
    {
        Assert.True(TpmVerification.Verify(Tpm.Evidence(), Policy, Now).TryGetQuote(out var quote));
        Assert.Equal((66051UL, 7U, 2U, true, 0x2024_0101_0000_0001UL), (quote.Clock, quote.ResetCount, quote.RestartCount, quote.ClockIsSafe, quote.FirmwareVersion));
        Assert.Equal([0, 4, 7], quote.Registers);
    }

    /// <summary>One valid quote, one thing spoiled: that check fails, and of those that were reached nothing else does.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<TpmResult> verify)
    {
        var result = verify();
        Assert.Equal(name, Failed(result));
        Assert.Equal(Enum.Parse<TpmCheck>(name), result.FirstFailure);
        Assert.False(result.IsAccepted);
    }

    [Fact]
    public void Every_check_is_seen_to_fail_and_has_its_words()
    {
        Assert.Empty(Enum.GetValues<TpmCheck>().Except(Cases().Select(one => one.Name)));
        Assert.All(Enum.GetValues<TpmCheck>(), check => Assert.True(TpmCheckTexts.Of(check) is { PassesIf.Length: > 5, Failure: [.., '.'], Mend: [.., '.'] }));
        Assert.All(Enum.GetValues<EventLogCheck>(), check => Assert.True(EventLogCheckTexts.Of(check) is { PassesIf.Length: > 5, Failure: [.., '.'], Mend: [.., '.'] }));
    }

    [Fact]
    public void Without_evidence_nothing_is_accepted_and_nothing_thrown()
    {
        var nothing = new TpmEvidence { Quote = default, Signature = default, Key = default, RegisterValues = default };
        foreach (var policy in (TpmPolicy[])[Policy, Certified, Bound, Policy with { Registers = [], Builds = [new TpmBuild("any", ImmutableSortedDictionary<int, string>.Empty)], EventLog = EventLogPolicy.NotAsked }])
        {
            Assert.False(TpmVerification.Verify(nothing, policy, Now).IsAccepted);
        }
    }

    /// <summary>Every property of the policy, changed alone, changes the verdict.</summary>
    [Fact]
    public void A_policy_may_ask_for_less()
    {
        var other = new TpmParts { Log = TpmAuthority.Log().Measure(4, EventType.Action, [1]) };
        var anyBuild = Policy with { Builds = [new TpmBuild("any", ImmutableSortedDictionary<int, string>.Empty)] };
        Assert.Equal("AcceptedBuild EventLogRules", Failed(Verify(other)));
        Assert.Equal("EventLogRules", Failed(Verify(other, anyBuild)));
        Assert.True(Verify(other, anyBuild with { EventLog = EventLogPolicy.NotAsked }).IsAccepted);
        Assert.True(TpmVerification.Verify(Tpm.Evidence() with { Certificates = TpmAuthority.Pem(Tpm.KeyCertificate(purpose: false), Tpm.AuthorityCertificate, Tpm.RootCertificate) }, Certified with { KeyTrust = new TpmCertifiedKey([Tpm.Root], false) }, Now).IsAccepted);
    }

    public static TheoryData<string, Func<TpmResult>> Spoiled
    {
        get
        {
            var data = new TheoryData<string, Func<TpmResult>>();
            foreach (var (name, verify) in Cases())
            {
                data.Add($"{name}", verify);
            }
            return data;
        }
    }

    private static IEnumerable<(TpmCheck Name, Func<TpmResult> Verify)> Cases()
    {
        (TpmCheck, Func<TpmResult>) Quote(TpmCheck name, TpmParts parts, TpmPolicy? policy = null) => (name, () => Verify(parts, policy));
        (TpmCheck, Func<TpmResult>) With(TpmCheck name, Func<TpmEvidence, TpmEvidence> spoil, TpmPolicy? policy = null) => (name, () => TpmVerification.Verify(spoil(Tpm.Evidence()), policy ?? Policy, Now));
        (TpmCheck, Func<TpmResult>) Wanted(TpmCheck name, TpmPolicy policy) => (name, () => Verify(new TpmParts(), policy));
        (TpmCheck, Func<TpmResult>) Chain(TpmCheck name, params byte[][] chain) => With(name, evidence => evidence with { Certificates = TpmAuthority.Pem(chain) }, Certified);

        // A key other than the policy's own: it is named by what it is, so that only its fault shows.
        (TpmCheck, Func<TpmResult>) Key(TpmCheck name, Action<byte[]> spoil, TpmScheme scheme = TpmScheme.RsaSsa)
        {
            var parts = new TpmParts { Scheme = scheme, Key = spoil };
            return Quote(name, parts, Tpm.Policy(parts));
        }

        return
        [
            Quote(TpmCheck.QuoteMagic, new() { Quote = quote => quote[0] = 0 }),
            Quote(TpmCheck.QuoteType, new() { Quote = quote => quote[3 + 2] = 0x17 }),
            Quote(TpmCheck.QuoteForm, new() { Quote = quote => quote[^33] = 33 }),
            Quote(TpmCheck.QuoteForm, new() { Quote = quote => quote[^41] = 2 }),
            Quote(TpmCheck.QuoteForm, new() { Quote = quote => quote[7] = 67 }),
            Key(TpmCheck.KeyAttributes, key => key[5] &= 0xfe), // not restricted
            Key(TpmCheck.KeyAttributes, key => key[5] |= 2),
            Key(TpmCheck.KeyAttributes, key => key[5] |= 8),
            Key(TpmCheck.KeyAttributes, key => key[5] &= 0xfb),
            Key(TpmCheck.KeyAttributes, key => key[7] &= 0xfd),
            Key(TpmCheck.KeyAttributes, key => key[7] &= 0xef),
            Key(TpmCheck.KeyAttributes, key => key[7] &= 0xdf),
            Key(TpmCheck.KeyAttributes, key => key[4] = 1),
            With(TpmCheck.KeyForm, evidence => evidence with { Key = new byte[] { 0, 1 } }),
            With(TpmCheck.KeyForm, evidence => evidence with { Key = (byte[])[.. evidence.Key.Span, 0] }),
            Key(TpmCheck.KeyForm, key => key[13] = 0x17),
            Key(TpmCheck.KeyForm, key => key[16] = 4),
            Key(TpmCheck.KeyForm, key => key[^1] ^= 1, TpmScheme.Ecdsa),
            Wanted(TpmCheck.KeySize, Policy with { MinimumRsaBits = 3072 }),
            Quote(TpmCheck.SignatureForm, new() { Signature = signature => signature[1] = 0x1a }),
            With(TpmCheck.SignatureForm, evidence => evidence with { Signature = (byte[])[.. evidence.Signature.Span, 0] }),
            Quote(TpmCheck.SignatureScheme, new() { Signature = signature => signature[1] = 0x16 }),
            Quote(TpmCheck.SignatureScheme, new() { Scheme = TpmScheme.RsaPss, Signature = signature => signature[1] = 0x14 }, Tpm.Policy(new() { Scheme = TpmScheme.RsaPss })),
            Quote(TpmCheck.QuoteSignature, new() { Signature = signature => signature[^1] ^= 1 }),
            Quote(TpmCheck.QuoteSignature, new() { Finished = quote => quote[9] ^= 1 }),
            Quote(TpmCheck.QuoteSignature, new() { Scheme = TpmScheme.Ecdsa, Signature = signature => signature[^1] ^= 1 }, Tpm.Policy(new() { Scheme = TpmScheme.Ecdsa })),
            Quote(TpmCheck.ExtraData, new() { ExtraData = new byte[32] }),
            Quote(TpmCheck.ExtraData, new() { ExtraData = [] }, Policy with { ExtraData = default }),
            Wanted(TpmCheck.ExtraData, Policy with { ExtraData = TpmAuthority.Nonce.AsMemory(0, 31) }),
            Wanted(TpmCheck.PinnedKey, Policy with { KeyTrust = new TpmPinnedKey([]) }),
            With(TpmCheck.HardwareReportForm, evidence => evidence with { HclReport = default }, Bound),
            Quote(TpmCheck.HardwareReportForm, new() { ClaimedKey = "HCLEkPub" }, Bound),
            Wanted(TpmCheck.HardwareReportBinding, Policy with { KeyTrust = new TpmHardwareBoundKey(new byte[64]) }),
            Wanted(TpmCheck.HardwareReportBinding, Policy with { KeyTrust = new TpmHardwareBoundKey((byte[])[.. Tpm.HardwareReportData()[..63], 1]) }),
            Quote(TpmCheck.HardwareReportKey, new() { Scheme = TpmScheme.Ecdsa }, Bound),
            With(TpmCheck.CertificateForm, evidence => evidence with { Certificates = default }, Certified),
            Chain(TpmCheck.CertificateForm, Tpm.KeyCertificate()),
            Chain(TpmCheck.CertificateForm, Tpm.KeyCertificate(authority: true), Tpm.AuthorityCertificate, Tpm.RootCertificate),
            Wanted(TpmCheck.CertificateRoot, Policy with { KeyTrust = new TpmCertifiedKey([], true) }),
            Chain(TpmCheck.CertificateChain, Tpm.KeyCertificate(byAnother: true), Tpm.AuthorityCertificate, Tpm.RootCertificate),
            Chain(TpmCheck.CertificateChain, Tpm.KeyCertificate(), Tpm.RootCertificate),
            Chain(TpmCheck.CertificateValidity, Tpm.KeyCertificate(age: TimeSpan.FromDays(400)), Tpm.AuthorityCertificate, Tpm.RootCertificate),
            Chain(TpmCheck.CertificateValidity, Tpm.KeyCertificate(age: TimeSpan.FromDays(-31)), Tpm.AuthorityCertificate, Tpm.RootCertificate),
            Chain(TpmCheck.CertificatePurpose, Tpm.KeyCertificate(purpose: false), Tpm.AuthorityCertificate, Tpm.RootCertificate),
            Chain(TpmCheck.CertificateKey, Tpm.KeyCertificate(new() { Scheme = TpmScheme.Ecdsa }), Tpm.AuthorityCertificate, Tpm.RootCertificate),
            Wanted(TpmCheck.FirmwareVersion, Policy with { MinimumFirmwareVersion = 0x2024_0101_0000_0002 }),
            Wanted(TpmCheck.RegisterBank, Policy with { Bank = TpmHash.Sha384 }),
            Wanted(TpmCheck.RegisterSelection, Policy with { Registers = [0, 4, 7, 9] }),
            Quote(TpmCheck.RegisterValues, new() { Values = values => values[0] ^= 1 }),
            With(TpmCheck.RegisterValues, evidence => evidence with { RegisterValues = evidence.RegisterValues[..^1] }),
            Wanted(TpmCheck.AcceptedBuild, Policy with { Builds = [] }),
            Wanted(TpmCheck.AcceptedBuild, Policy with { Builds = [new TpmBuild("another", Policy.Builds[0].Registers.SetItem(4, new string('0', 64)))] }),
            Wanted(TpmCheck.AcceptedBuild, Policy with { Builds = [new TpmBuild("more", Policy.Builds[0].Registers.Add(9, new string('0', 64)))] }),
            With(TpmCheck.EventLogForm, evidence => evidence with { EventLog = default }),
            With(TpmCheck.EventLogReplay, evidence => evidence with { EventLog = TpmAuthority.Log().Measure(4, EventType.Action, [1]).ToArray() }),
            Wanted(TpmCheck.EventLogRules, Policy with { EventLog = Policy.EventLog with { Rules = [new("initrd", 4, EventDemand.Present, [])] } }),
        ];
    }

    private static TpmResult Verify(TpmParts parts, TpmPolicy? policy = null) => TpmVerification.Verify(Tpm.Evidence(parts), policy ?? Policy, Now);

    private static bool IsOf(TpmKeyTrust trust, TpmCheck check) => check switch
    {
        TpmCheck.PinnedKey                                                => trust is TpmPinnedKey,
        >= TpmCheck.HardwareReportForm and <= TpmCheck.HardwareReportKey  => trust is TpmHardwareBoundKey,
        >= TpmCheck.CertificateForm and <= TpmCheck.CertificateKey        => trust is TpmCertifiedKey,
        _                                                                 => true,
    };

    // What was asked and refused; what could not be reached is not among it.
    internal static string Failed(TpmResult result) =>
        string.Join(' ', result.Findings.Where(finding => finding.Verdict is Verdict.Failed && finding.Found != "not reached").Select(finding => finding.Name));
}
