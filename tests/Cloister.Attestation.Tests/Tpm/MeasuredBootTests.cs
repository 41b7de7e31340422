using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>
/// The log that real firmware writes leads to the registers that a TPM quotes. Tpm/Recorded holds one such start; run these tests with
/// CLOISTER_RECORD_BOOT=1 to record another, and commit it.
/// </summary>
public class MeasuredBootTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_recorded_start_is_accepted_for_what_it_is() => Appraise(MeasuredBoot.Read());

    [Fact]
    public async Task A_machine_that_starts_now_is_accepted_for_what_it_is()
    {
        var boot = await MeasuredBoot.RunAsync();
        Appraise(boot);
        if (Environment.GetEnvironmentVariable("CLOISTER_RECORD_BOOT") == "1")
        {
            boot.Write();
        }
    }

    [Fact]
    public void The_whole_area_of_a_log_with_its_padding_is_the_same_log()
    {
        var boot = MeasuredBoot.Read();
        var evidence = boot.Evidence with { EventLog = (byte[])[.. boot.Evidence.EventLog.Span, .. Enumerable.Repeat((byte)0xff, 4096)] };
        Assert.True(TpmVerification.Verify(evidence, Policy(boot), Now).IsAccepted);
    }

    private static void Appraise(MeasuredBoot boot)
    {
        var policy = Policy(boot);
        var result = TpmVerification.Verify(boot.Evidence, policy, Now);
        Assert.True(result.IsAccepted, string.Join('\n', result.Findings.Where(finding => finding.Verdict is Verdict.Failed)));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], result.TryGetQuote(out var quote) ? quote.Registers : []);
        Assert.True(result.EventLog!.Log!.Events.Length > 20);

        // Another nonce, another program, a demand that this start does not keep, an event withheld.
        Assert.Equal("ExtraData", TpmVerificationTests.Failed(TpmVerification.Verify(boot.Evidence, policy with { ExtraData = new byte[32] }, Now)));
        Assert.Equal("AcceptedBuild", TpmVerificationTests.Failed(TpmVerification.Verify(boot.Evidence, policy with { Builds = [new TpmBuild("another", policy.Builds[0].Registers.SetItem(4, new string('0', 64)))] }, Now)));
        var secured = policy.EventLog with { Rules = [new("secure boot", 7, EventDemand.PresentBeforeSeparator, [KnownEvents.SecureBoot(TpmHash.Sha256, on: true)])] };
        Assert.Equal("EventLogRules", TpmVerificationTests.Failed(TpmVerification.Verify(boot.Evidence, policy with { EventLog = secured }, Now)));
        var last = result.EventLog.Log.Events[^1];
        int length = 16 + last.Digests.Sum(digest => 2 + digest.Value.Length) + last.Data.Length;
        Assert.Equal("EventLogReplay", TpmVerificationTests.Failed(TpmVerification.Verify(boot.Evidence with { EventLog = boot.Evidence.EventLog[..^length] }, policy, Now)));
    }

    // Secure boot is off in this firmware's variables, nothing is debugged, and register 4 saw this one program and nothing else.
    private static TpmPolicy Policy(MeasuredBoot boot)
    {
        const TpmHash sha256 = TpmHash.Sha256;
        Assert.True(TpmPublicKey.TryParse(boot.Evidence.Key.Span, out var key, out _));
        string program = EfiProgram.Digest(boot.Program);
        return new()
        {
            KeyTrust = new TpmPinnedKey([key.Name]),
            ExtraData = MeasuredBoot.Nonce,
            Bank = sha256,
            Registers = [0, 1, 2, 3, 4, 5, 6, 7],
            Builds = [new TpmBuild("this program", Enumerable.Range(0, 8).ToImmutableSortedDictionary(i => i, i => Hex.Encode(boot.Evidence.RegisterValues.Span.Slice(32 * i, 32))))],
            EventLog = new EventLogPolicy
            {
                Registers = [0, 1, 2, 3, 4, 5, 6, 7],
                Rules =
                [
                    new("program", 4, EventDemand.Present, [program]),
                    new("nothing else", 4, EventDemand.OnlyThese, [program, KnownEvents.Separator(sha256), KnownEvents.CallingApplication(sha256), KnownEvents.ReturningFromApplication(sha256)]),
                    new("secure boot is off", 7, EventDemand.PresentBeforeSeparator, [KnownEvents.SecureBoot(sha256, on: false)]),
                    new("no debugging", 7, EventDemand.Absent, [KnownEvents.DebugMode(sha256)]),
                ],
            },
            MinimumRsaBits = 2048,
            MinimumFirmwareVersion = 0,
        };
    }
}
