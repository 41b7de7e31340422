using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>A software TPM of other people's making, driven by the TPM's own tools: keys, registers and quotes are real.</summary>
public class SoftwareTpmTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("rsa", "rsassa", "sha256", "sha256")]
    [InlineData("rsa", "rsapss", "sha256", "sha384")]
    [InlineData("ecc", "ecdsa", "sha256", "sha256")]
    [InlineData("ecc384", "ecdsa", "sha384", "sha384")]
    public async Task A_quote_of_a_software_TPM_is_accepted_for_what_it_shows_and_for_nothing_else(string algorithm, string scheme, string hash, string bank)
    {
        Programs.SkipWithout("/usr/bin/tpm2_quote");
        using var tpm = await SoftwareTpm.StartAsync(forMachine: false);
        byte[] nonce = TpmQuote.ExtraDataOf(new byte[64]);
        string measured = new('7', bank == "sha384" ? 96 : 64);

        await tpm.ToolAsync("tpm2_createek", "-Q", "-c", "@ek", "-G", "rsa");
        await tpm.ToolAsync("tpm2_createak", "-Q", "-C", "@ek", "-c", "@ak", "-G", algorithm, "-s", scheme, "-g", hash, "-u", "@key");
        await tpm.ToolAsync("tpm2_pcrextend", $"9:{bank}={measured}");
        await tpm.ToolAsync("tpm2_quote", "-Q", "-c", "@ak", "-l", $"{bank}:0,9,16", "-g", hash, "--scheme", scheme, "-q", Hex.Encode(nonce), "-m", "@quote", "-s", "@signature", "-o", "@values", "-F", "values");

        // The tools write the key with its size before it.
        var evidence = new TpmEvidence { Quote = tpm.Read("quote"), Signature = tpm.Read("signature"), Key = tpm.Read("key").AsMemory(2), RegisterValues = tpm.Read("values") };
        Assert.True(TpmPublicKey.TryParse(evidence.Key.Span, out var key, out var error), $"{error}");
        var used = bank == "sha384" ? TpmHash.Sha384 : TpmHash.Sha256;
        byte[] register = TpmHashes.HashData(used, [.. new byte[measured.Length / 2], .. Convert.FromHexString(measured)]);
        var policy = new TpmPolicy
        {
            KeyTrust = new TpmPinnedKey([key.Name]),
            ExtraData = nonce,
            Bank = used,
            Registers = [9],
            Builds = [new TpmBuild("measured", ImmutableSortedDictionary<int, string>.Empty.Add(9, Hex.Encode(register)))],
            EventLog = EventLogPolicy.NotAsked,
            MinimumRsaBits = 2048,
            MinimumFirmwareVersion = 0,
        };

        var result = TpmVerification.Verify(evidence, policy, Now);
        Assert.True(result.IsAccepted, string.Join('\n', result.Findings.Where(finding => finding.Verdict is Verdict.Failed)));
        Assert.Equal("ExtraData", TpmVerificationTests.Failed(TpmVerification.Verify(evidence, policy with { ExtraData = new byte[32] }, Now)));
        Assert.Equal("AcceptedBuild", TpmVerificationTests.Failed(TpmVerification.Verify(evidence, policy with { Builds = [new TpmBuild("another", policy.Builds[0].Registers.SetItem(9, measured))] }, Now)));

        // Another start: what was measured since is in no accepted build.
        await tpm.ToolAsync("tpm2_pcrextend", $"9:{bank}={measured}");
        await tpm.ToolAsync("tpm2_quote", "-Q", "-c", "@ak", "-l", $"{bank}:0,9,16", "-g", hash, "--scheme", scheme, "-q", Hex.Encode(nonce), "-m", "@quote", "-s", "@signature", "-o", "@values", "-F", "values");
        var later = evidence with { Quote = tpm.Read("quote"), Signature = tpm.Read("signature"), RegisterValues = tpm.Read("values") };
        Assert.Equal("AcceptedBuild", TpmVerificationTests.Failed(TpmVerification.Verify(later, policy, Now)));
        Assert.Equal("RegisterValues", TpmVerificationTests.Failed(TpmVerification.Verify(later with { RegisterValues = evidence.RegisterValues }, policy, Now)));
    }
}
