namespace Cloister.Attestation;

/// <summary>What a TPM lets be done with a key (TPM 2.0 Library, Part 2, section 8.3, TPMA_OBJECT).</summary>
public readonly record struct TpmKeyAttributes(uint Value)
{
    private const uint Known = 0x000f_0cf6;

    /// <summary>It cannot leave this TPM, not even under another key.</summary>
    public bool FixedTpm => Bit(1);

    /// <summary>It cannot be moved to another parent.</summary>
    public bool FixedParent => Bit(4);

    /// <summary>The TPM made the private part, nobody gave it in.</summary>
    public bool SensitiveDataOrigin => Bit(5);

    /// <summary>It signs what the TPM made, and nothing that pretends to be: without it whoever may use the key can forge a quote.</summary>
    public bool Restricted => Bit(16);

    public bool Decrypt => Bit(17);

    public bool Sign => Bit(18);

    /// <summary>It may sign certificates' contents given from outside.</summary>
    public bool X509Sign => Bit(19);

    /// <summary>A key whose signature under a quote means that the TPM made the quote.</summary>
    public bool IsAttestationKey => FixedTpm && FixedParent && SensitiveDataOrigin && Restricted && Sign && !Decrypt && !X509Sign && (Value & ~Known) == 0;

    private bool Bit(int index) => (Value >> index & 1) != 0;

    public override string ToString() => $"{Value:x8}";
}
