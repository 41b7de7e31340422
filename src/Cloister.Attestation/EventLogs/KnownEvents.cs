using System.Buffers.Binary;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Digests of events that are the same on every machine, in lower-case hex (PC Client Platform Firmware Profile, sections 3.3.4 and 10.4).</summary>
public static class KnownEvents
{
    private static readonly Guid GlobalVariable = new("8be4df61-93ca-11d2-aa0d-00e098032b8c");

    /// <summary>Between the firmware and what it starts: registers 0 to 7.</summary>
    public static string Separator(TpmHash hash) => OfData(hash, [0, 0, 0, 0]);

    /// <summary>The variable SecureBoot, as the firmware measures it into register 7 (of a trust domain: 0).</summary>
    public static string SecureBoot(TpmHash hash, bool on)
    {
        const string name = "SecureBoot";
        var variable = new byte[16 + 8 + 8 + 2 * name.Length + 1];
        GlobalVariable.TryWriteBytes(variable);
        BinaryPrimitives.WriteUInt64LittleEndian(variable.AsSpan(16), (ulong)name.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(variable.AsSpan(24), 1);
        Encoding.Unicode.GetBytes(name, variable.AsSpan(32));
        variable[^1] = on ? (byte)1 : (byte)0;
        return OfData(hash, variable);
    }

    /// <summary>The firmware can be debugged: register 7.</summary>
    public static string DebugMode(TpmHash hash) => OfData(hash, "UEFI Debug Mode"u8);

    /// <summary>The firmware hands over to what it was told to start: register 4.</summary>
    public static string CallingApplication(TpmHash hash) => OfData(hash, "Calling EFI Application from Boot Option"u8);

    /// <summary>What came back from a boot that did not happen: register 4.</summary>
    public static string ReturningFromApplication(TpmHash hash) => OfData(hash, "Returning from EFI Application from Boot Option"u8);

    /// <summary>For events whose digest is the hash of their data.</summary>
    public static string OfData(TpmHash hash, ReadOnlySpan<byte> data) => Hex.Encode(TpmHashes.HashData(hash, data));
}
