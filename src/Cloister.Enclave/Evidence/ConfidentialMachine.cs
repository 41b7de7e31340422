namespace Cloister.Enclave.Evidence;

/// <summary>The machine under the enclave, whichever it is: its processor's driver tells.</summary>
public static class ConfidentialMachine
{
    /// <param name="host">What the host's helper keeps. Null: what the host hands out with its reports, which SEV-SNP alone knows.</param>
    /// <exception cref="IOException">This is no machine that is known here, or what endorses it is not there. The message is one clear sentence.</exception>
    public static async Task<EvidenceSource> OpenAsync(string reports, HostCollateral? host, CancellationToken cancellation = default)
    {
        var kernel = await ConfigfsTsm.OpenAsync(reports, cancellation);
        return kernel.Provider switch
        {
            SnpMachine.Provider => await new SnpMachine(kernel, host).OpenAsync(cancellation),
            TdxMachine.Provider => await new TdxMachine(kernel, host).OpenAsync(cancellation),
            var other           => throw new IOException($"This machine's reports come from '{other}', and only those of '{SnpMachine.Provider}' and '{TdxMachine.Provider}' are known here."),
        };
    }
}
