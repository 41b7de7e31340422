using System.Runtime.InteropServices;

namespace Cloister.Enclave.Evidence;

/// <summary>As much of NVIDIA's management library (<c>nvml.h</c>) as reports on GPUs: a table of functions, so that a test can be the library.</summary>
internal sealed partial record Nvml
{
    public const int Success = 0;

    private const string Library = "libnvidia-ml.so.1";

    public delegate int FillSystem(Span<byte> structure);

    public delegate int FillDevice(nint device, Span<byte> structure);

    public delegate int GetCount(out uint count);

    public delegate int GetHandle(uint index, out nint device);

    public required Func<int> Initialise { get; init; }

    public required Func<int> ShutDown { get; init; }

    public required GetCount Count { get; init; }

    public required GetHandle Handle { get; init; }

    /// <summary><see cref="NvmlState"/>.</summary>
    public required FillSystem State { get; init; }

    /// <summary><see cref="NvmlReport"/>, in which the nonce is filled in before.</summary>
    public required FillDevice Report { get; init; }

    /// <summary><see cref="NvmlCertificate"/>.</summary>
    public required FillDevice Certificate { get; init; }

    /// <summary>The driver's own. It is looked for when the first function is called.</summary>
    public static Nvml Installed { get; } = new()
    {
        Initialise = NvmlInit,
        ShutDown = NvmlShutdown,
        Count = NvmlDeviceGetCount,
        Handle = NvmlDeviceGetHandleByIndex,
        State = NvmlSystemGetConfComputeState,
        Report = NvmlDeviceGetConfComputeGpuAttestationReport,
        Certificate = NvmlDeviceGetConfComputeGpuCertificate,
    };

    [LibraryImport(Library, EntryPoint = "nvmlInit_v2")]
    private static partial int NvmlInit();

    [LibraryImport(Library, EntryPoint = "nvmlShutdown")]
    private static partial int NvmlShutdown();

    [LibraryImport(Library, EntryPoint = "nvmlDeviceGetCount_v2")]
    private static partial int NvmlDeviceGetCount(out uint count);

    [LibraryImport(Library, EntryPoint = "nvmlDeviceGetHandleByIndex_v2")]
    private static partial int NvmlDeviceGetHandleByIndex(uint index, out nint device);

    [LibraryImport(Library, EntryPoint = "nvmlSystemGetConfComputeState")]
    private static partial int NvmlSystemGetConfComputeState(Span<byte> state);

    [LibraryImport(Library, EntryPoint = "nvmlDeviceGetConfComputeGpuAttestationReport")]
    private static partial int NvmlDeviceGetConfComputeGpuAttestationReport(nint device, Span<byte> report);

    [LibraryImport(Library, EntryPoint = "nvmlDeviceGetConfComputeGpuCertificate")]
    private static partial int NvmlDeviceGetConfComputeGpuCertificate(nint device, Span<byte> certificate);
}

/// <summary><c>nvmlConfComputeSystemState_t</c>: where its members stand. All of NVML's numbers here are unsigned, of 4 bytes, in the machine's order.</summary>
internal static class NvmlState
{
    public const int Size = 12;
    public const int Feature = 4;
    public const int DevelopmentTools = 8;
}

/// <summary><c>nvmlConfComputeGpuAttestationReport_t</c>.</summary>
internal static class NvmlReport
{
    public const int ReportLength = 4;
    public const int Nonce = 12;
    public const int NonceSize = 32;
    public const int Report = Nonce + NonceSize;
    public const int MaxReport = 0x2000;
    public const int Size = Report + MaxReport + 0x1000;
}

/// <summary><c>nvmlConfComputeGpuCertificate_t</c>. The chain that the device made for itself comes first; the one that signs reports is the second.</summary>
internal static class NvmlCertificate
{
    public const int ChainLength = 4;
    public const int Chain = 8 + 0x1000;
    public const int MaxChain = 0x1400;
    public const int Size = Chain + MaxChain;
}
