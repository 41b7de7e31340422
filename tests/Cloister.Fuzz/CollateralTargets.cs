using Cloister.Enclave.Evidence;

namespace Cloister.Fuzz;

/// <summary>What lies in the folders between an enclave and its host, and what a TPM answers.</summary>
internal static class CollateralTargets
{
    public static void Wanted(ReadOnlySpan<byte> input)
    {
        if (WantedCollateral.TryParse(input, out var wanted))
        {
            byte[] written = wanted.ToBytes();
            Targets.Require(WantedCollateral.TryParse(written, out var again) && again.ToBytes().AsSpan().SequenceEqual(written));
            Targets.Require(wanted.Nvidia?.Manifests.All(id => !id.Contains('/', StringComparison.Ordinal) && id[0] != '.') ?? true);
        }
    }

    public static void Set(ReadOnlySpan<byte> input)
    {
        Targets.Require(!SnpSet.TryParse(input, out var snp) || SnpSet.TryParse(snp.ToBytes(), out _));
        Targets.Require(!TdxSet.TryParse(input, out var tdx) || TdxSet.TryParse(tdx.ToBytes(), out _));
        Targets.Require(!NvidiaSet.TryParse(input, out var nvidia) || NvidiaSet.TryParse(nvidia.ToBytes(), out _));
    }

    public static void Tpm(ReadOnlySpan<byte> input)
    {
        foreach (var ask in (Func<TpmDevice, Task>[])[tpm => tpm.ReadPublicAsync(1), tpm => tpm.ReadRegistersAsync([0, 7]), tpm => tpm.QuoteAsync(1, new byte[32], [0])])
        {
            using var tpm = new TpmDevice(new Answering(input.ToArray()));
            try
            {
                ask(tpm).GetAwaiter().GetResult();
            }
            catch (IOException)
            {
                // How that room refuses.
            }
        }
    }

    private sealed class Answering(byte[] answer) : MemoryStream(answer)
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
