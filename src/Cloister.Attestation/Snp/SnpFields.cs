namespace Cloister.Attestation;

/// <summary>What the guest's owner demanded of the firmware at launch (56860, table 10).</summary>
public readonly record struct GuestPolicy(ulong Value)
{
    // Bits 26 to 63 are reserved and zero; bit 17 is reserved and one.
    private const ulong ReservedZero = ~0UL << 26;

    public byte AbiMinor => (byte)(Value & 0xff);
    public byte AbiMajor => (byte)(Value >> 8 & 0xff);
    public bool SmtAllowed => Bit(16);
    public bool MigrationAgentAllowed => Bit(18);
    public bool DebugAllowed => Bit(19);
    public bool SingleSocketRequired => Bit(20);
    public bool CxlAllowed => Bit(21);
    public bool Aes256XtsRequired => Bit(22);
    public bool RaplDisabledRequired => Bit(23);
    public bool CiphertextHidingRequired => Bit(24);
    public bool PageSwapDisabled => Bit(25);
    public bool ReservedAsSpecified => (Value & ReservedZero) == 0 && Bit(17);

    /// <summary>Every bit in words, for people.</summary>
    public string Describe() => Bits.Describe(
        Value & ~0xFFFFUL, $"ABI {AbiMajor}.{AbiMinor}",
        (16, "sibling threads allowed"), (17, ""), (18, "migration agent allowed"), (19, "debugging allowed"), (20, "one socket only"), (21, "CXL memory allowed"),
        (22, "AES-256-XTS required"), (23, "power meter off required"), (24, "ciphertext hiding required"), (25, "page swap disabled"));

    private bool Bit(int index) => (Value >> index & 1) != 0;

    public override string ToString() => $"{Value:x16}";
}

/// <summary>How the platform is configured (56860, table 24).</summary>
public readonly record struct PlatformInfo(ulong Value)
{
    private const ulong Known = 0b1011_1111;

    public bool SmtEnabled => Bit(0);
    public bool TransparentMemoryEncryption => Bit(1);
    public bool EccEnabled => Bit(2);
    public bool RaplDisabled => Bit(3);
    public bool CiphertextHidingEnabled => Bit(4);

    /// <summary>The firmware looked for memory aliases, the hole behind AMD-SB-3015 ("BadRAM").</summary>
    public bool AliasCheckComplete => Bit(5);
    public bool TrustedIoEnabled => Bit(7);
    public bool ReservedAsSpecified => (Value & ~Known) == 0;

    /// <summary>Every bit in words, for people.</summary>
    public string Describe() => Bits.Describe(
        Value, "",
        (0, "sibling threads on"), (1, "transparent memory encryption"), (2, "error correction on"), (3, "power meter off"), (4, "ciphertext hidden"), (5, "aliases looked for"), (7, "trusted I/O on"));

    private bool Bit(int index) => (Value >> index & 1) != 0;

    public override string ToString() => $"{Value:x16}";
}

/// <summary>Which key signed the report (56860, table 23, offset 48h).</summary>
public readonly record struct SignerInfo(uint Value)
{
    public bool AuthorKeyEnabled => (Value & 1) != 0;
    public bool ChipKeyMasked => (Value & 2) != 0;
    public SigningKey Key => (Value >> 2 & 7) switch { 0 => SigningKey.Vcek, 1 => SigningKey.Vlek, _ => SigningKey.Unknown };
    public bool ReservedAsSpecified => Value >> 5 == 0;

    /// <summary>Every bit in words, for people.</summary>
    public string Describe() => Bits.Describe(Value & ~0x1CU, $"{Key}", (0, "author key"), (1, "chip's key masked"));
}

/// <summary>VCEK: a key of this chip. VLEK: a key lent to a cloud provider, which says nothing about which chip.</summary>
public enum SigningKey : byte { Unknown, Vcek, Vlek }

/// <summary>Security versions of the parts of the firmware. A part that a product does not have is zero.</summary>
public readonly record struct TcbVersion(byte Fmc, byte BootLoader, byte Tee, byte Snp, byte Microcode)
{
    /// <summary>56860, tables 4 and 5: the parts stand elsewhere since Turin.</summary>
    public static TcbVersion Read(ulong value, SnpProduct product)
    {
        byte At(int index) => (byte)(value >> 8 * index & 0xff);
        return product is SnpProduct.Turin ? new(At(0), At(1), At(2), At(3), At(7)) : new(0, At(0), At(1), At(6), At(7));
    }

    /// <summary>True where bytes that belong to no part are zero.</summary>
    public static bool ReservedAsSpecified(ulong value, SnpProduct product) =>
        (value & (product is SnpProduct.Turin ? 0x00ff_ffff_0000_0000UL : 0x0000_ffff_ffff_0000UL)) == 0;

    /// <summary>No part is older than the other's.</summary>
    public bool IsAtLeast(TcbVersion floor) =>
        Fmc >= floor.Fmc && BootLoader >= floor.BootLoader && Tee >= floor.Tee && Snp >= floor.Snp && Microcode >= floor.Microcode;

    public override string ToString() => $"fmc {Fmc}, boot loader {BootLoader}, tee {Tee}, snp {Snp}, microcode {Microcode}";
}

internal static class Bits
{
    /// <summary>What is there, then each bit that is set by its name; one without a name by its number.</summary>
    public static string Describe(ulong value, string first, params ReadOnlySpan<(int Bit, string Name)> names)
    {
        var words = new List<string>();
        if (first.Length > 0)
        {
            words.Add(first);
        }
        for (int bit = 0; bit < 64; bit++)
        {
            if ((value >> bit & 1) != 0)
            {
                string? name = null;
                foreach (var known in names)
                {
                    name = known.Bit == bit ? known.Name : name;
                }
                if (name is not "")
                {
                    words.Add(name ?? $"unknown bit {bit}");
                }
            }
        }
        return words.Count == 0 ? "no bit set" : string.Join(", ", words);
    }
}
