namespace Cloister.Attestation;

/// <summary>What a trust domain was launched with (Intel TDX Module ABI, ATTRIBUTES).</summary>
public readonly record struct TdAttributes(ulong Value)
{
    // What the first modules define; a later module's bits (LASS, migration, key locker …) change what the host may do or what is not yet judged.
    private const ulong Known = 1UL | 1UL << 28 | 1UL << 30 | 1UL << 63;

    /// <summary>TUD: the host can read and change this domain's memory.</summary>
    public bool Debug => Bit(0);

    /// <summary>The domain may use linear address space separation.</summary>
    public bool Lass => Bit(27);

    /// <summary>The domain is not told of pages that the host takes away: it is ended instead.</summary>
    public bool SeptVeDisabled => Bit(28);

    /// <summary>The domain may be moved to another machine by a migration domain.</summary>
    public bool Migratable => Bit(29);

    public bool ProtectionKeys => Bit(30);
    public bool KeyLocker => Bit(31);
    public bool PerformanceMonitoring => Bit(63);

    /// <summary>Only the bits 0, 28, 30 and 63 are set.</summary>
    public bool ReservedAsSpecified => (Value & ~Known) == 0;

    private bool Bit(int index) => (Value >> index & 1) != 0;

    public override string ToString() => $"{Value:x16}";
}

/// <summary>Which parts of the processor's extended state a trust domain may use (Intel TDX Module ABI, XFAM).</summary>
public readonly record struct Xfam(ulong Value)
{
    // Fixed by the architecture: FP and SSE must be on; only these may be.
    private const ulong Fixed1 = 0x3;
    private const ulong Fixed0 = 0x0006_DBE7;

    public bool RequiredBitsSet => (Value & Fixed1) == Fixed1;

    public bool ReservedAsSpecified => (Value & ~Fixed0) == 0;

    public override string ToString() => $"{Value:x16}";
}
