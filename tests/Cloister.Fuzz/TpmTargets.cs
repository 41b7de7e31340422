using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>What a machine with a TPM sends: quote and signature, key, event log, and Azure's claims.</summary>
internal static class TpmTargets
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    // Nothing but the key, whose name is never this one, stands between made-up evidence and being accepted.
    private static readonly Lazy<TpmPolicy> Policy = new(() => new TpmPolicy
    {
        KeyTrust = new TpmPinnedKey([new string('0', 68)]),
        ExtraData = new byte[32],
        Bank = TpmHash.Sha256,
        Registers = [],
        Builds = [new TpmBuild("any", ImmutableSortedDictionary<int, string>.Empty)],
        EventLog = EventLogPolicy.NotAsked,
        MinimumRsaBits = 2048,
        MinimumFirmwareVersion = 0,
    });

    /// <summary>Quote, signature and key, each behind two bytes of length, then the registers.</summary>
    public static byte[] Join(TpmEvidence evidence) =>
        [.. Sized(evidence.Quote), .. Sized(evidence.Signature), .. Sized(evidence.Key), .. evidence.RegisterValues.Span];

    public static void Quote(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        int offset = 0;
        var evidence = new TpmEvidence { Quote = Next(), Signature = Next(), Key = Next(), RegisterValues = bytes.AsMemory(offset) };
        bool read = TpmQuote.TryParse(evidence.Quote.Span, out var quote, out var error);
        Targets.Require(read == error.Fault is WireFault.None);
        Targets.Require(!read || (quote.Registers.Length <= 32 && quote.ExtraData.Length <= 66));
        Targets.Require(!TpmVerification.Verify(evidence, Policy.Value, Now).IsAccepted);

        ReadOnlyMemory<byte> Next()
        {
            int length = bytes.Length - offset < 2 ? 0 : Math.Min(bytes[offset] << 8 | bytes[offset + 1], bytes.Length - offset - 2);
            var next = bytes.AsMemory(Math.Min(offset + 2, bytes.Length), length);
            offset = Math.Min(offset + 2 + length, bytes.Length);
            return next;
        }
    }

    public static void Key(ReadOnlySpan<byte> input)
    {
        bool read = TpmPublicKey.TryParse(input, out var key, out var error);
        Targets.Require(read == error.Fault is WireFault.None && (!read || (key!.Name.Length is 68 or 100 && key.Fingerprint.Length == 64)));
    }

    // The first byte says whose registers. A log that is read says how long it is.
    public static void Log(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }
        var kind = (input[0] & 1) == 0 ? EventLogKind.Tpm : EventLogKind.Tdx;
        bool read = EventLog.TryParse(input[1..].ToArray(), kind, out var log, out var error);
        Targets.Require(read == error.Fault is WireFault.None);
        Targets.Require(!read || log!.Events.All(one => one.Register < 24 && (one.Register >= 0 || !one.IsMeasured)));
        Targets.Require(!read || log!.Replay(7, TpmHash.Sha384) is null or { Length: 48 });
    }

    public static void Hcl(ReadOnlySpan<byte> input)
    {
        bool read = HclReport.TryParse(input, out var report, out var error);
        Targets.Require(read == error.Fault is WireFault.None && (!read || (report!.AttestationKey.Length == 64 && !report.IsBoundBy(new byte[64]))));
    }

    private static byte[] Sized(ReadOnlyMemory<byte> bytes) => [(byte)(bytes.Length >> 8), (byte)(bytes.Length & 0xff), .. bytes.Span];
}
