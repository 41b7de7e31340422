using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;

namespace Cloister.Enclave.Evidence;

/// <summary>The machine's NVIDIA GPUs in confidential mode, asked through the driver's management library.</summary>
/// <remarks>
/// The answers are raw: their form, and what they prove, is for the platform that appraises them. A GPU takes work only once the image has declared
/// it ready (<c>nvidia-smi conf-compute -srs 1</c>). Not for several threads at once.
/// </remarks>
public sealed class NvidiaDevices : IDisposable
{
    /// <summary>What a GPU signs, in bytes: <see cref="Attestation.EnclaveStatement.GpuNonce"/>.</summary>
    public const int NonceSize = NvmlReport.NonceSize;

    // SPDM's GET_MEASUREMENTS request, which leads the report: four bytes of header, then the nonce (DSP0274, table "GET_MEASUREMENTS request message").
    private const int EchoedNonce = 4;

    private const int MaxDevices = 64;

    private readonly Nvml _nvml;
    private readonly ImmutableArray<nint> _devices;

    private NvidiaDevices(Nvml nvml, ImmutableArray<nint> devices) => (_nvml, _devices) = (nvml, devices);

    public int Count => _devices.Length;

    /// <summary>Opens every GPU of this machine.</summary>
    /// <exception cref="IOException">There is no driver or no GPU, or they are not in confidential mode. The message is one clear sentence.</exception>
    public static NvidiaDevices Open() => Open(Nvml.Installed);

    internal static NvidiaDevices Open(Nvml nvml)
    {
        try
        {
            Demand(nvml.Initialise(), "be opened");
        }
        catch (Exception fault) when (fault is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new IOException("This machine has no driver for NVIDIA's GPUs that knows of confidential computing.", fault);
        }
        try
        {
            DemandConfidentialMode(nvml);
            return new NvidiaDevices(nvml, Devices(nvml));
        }
        catch (Exception fault) when (fault is IOException or EntryPointNotFoundException)
        {
            nvml.ShutDown();
            throw fault as IOException ?? new IOException("This machine's driver for NVIDIA's GPUs does not know of confidential computing.", fault);
        }
    }

    /// <summary>Has every GPU sign the nonce, one after the other.</summary>
    /// <exception cref="IOException">One does not answer, or with something else.</exception>
    public ImmutableArray<NvidiaAnswer> Attest(ReadOnlySpan<byte> nonce)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceSize, nameof(nonce));

        var answers = ImmutableArray.CreateBuilder<NvidiaAnswer>(Count);
        foreach (nint device in _devices)
        {
            answers.Add(new NvidiaAnswer(Report(device, nonce), Chain(device)));
        }
        return answers.MoveToImmutable();
    }

    public void Dispose() => _nvml.ShutDown();

    // Off, or with the tools for developers on, the GPU's memory is open to the host.
    private static void DemandConfidentialMode(Nvml nvml)
    {
        byte[] state = new byte[NvmlState.Size];
        Demand(nvml.State(state), "tell whether they are in confidential mode");
        if (Number(state, NvmlState.Feature) != 1 || Number(state, NvmlState.DevelopmentTools) != 0)
        {
            throw new IOException("This machine's GPUs are not in confidential mode, or have their tools for developers on.");
        }
    }

    private static ImmutableArray<nint> Devices(Nvml nvml)
    {
        Demand(nvml.Count(out uint count), "be counted");
        if (count is 0 or > MaxDevices)
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"This machine has {count} GPUs, and 1 to {MaxDevices} are expected."));
        }
        var devices = ImmutableArray.CreateBuilder<nint>();
        for (uint index = 0; index < count; index++)
        {
            Demand(nvml.Handle(index, out nint device), "be opened");
            devices.Add(device);
        }
        return devices.ToImmutable();
    }

    private byte[] Report(nint device, ReadOnlySpan<byte> nonce)
    {
        byte[] structure = new byte[NvmlReport.Size];
        nonce.CopyTo(structure.AsSpan(NvmlReport.Nonce));
        Demand(_nvml.Report(device, structure), "report");

        uint length = Number(structure, NvmlReport.ReportLength);
        if (length is < EchoedNonce + NonceSize or > NvmlReport.MaxReport)
        {
            throw new IOException("A GPU's report has a length that none can have.");
        }
        byte[] report = structure[NvmlReport.Report..(NvmlReport.Report + (int)length)];
        return report.AsSpan(EchoedNonce, NonceSize).SequenceEqual(nonce) ? report : throw new IOException("A GPU's report is not over what it was asked.");
    }

    private byte[] Chain(nint device)
    {
        byte[] structure = new byte[NvmlCertificate.Size];
        Demand(_nvml.Certificate(device, structure), "show their certificates");
        uint length = Number(structure, NvmlCertificate.ChainLength);
        return length is > 0 and <= NvmlCertificate.MaxChain
            ? structure[NvmlCertificate.Chain..(NvmlCertificate.Chain + (int)length)]
            : throw new IOException("A GPU's certificate chain has a length that none can have.");
    }

    private static void Demand(int result, string what)
    {
        if (result != Nvml.Success)
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"This machine's GPUs could not {what}: their library says {result}."));
        }
    }

    private static uint Number(byte[] structure, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(structure.AsSpan(offset));
}

/// <summary>What one GPU answered.</summary>
/// <param name="Report">The SPDM request and response, as signed.</param>
/// <param name="CertificateChain">PEM, from the key that signed it to NVIDIA's root.</param>
public sealed record NvidiaAnswer(byte[] Report, byte[] CertificateChain);
