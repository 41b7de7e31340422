namespace Cloister.Attestation.ReferenceValues;

/// <summary>Why artefacts have no reference value. Each is a property of the artefacts, and none of it can be put right by measuring otherwise.</summary>
public enum MeasurementFault : byte
{
    None,

    /// <summary>The firmware has no metadata for SEV-SNP.</summary>
    NoSnpMetadata,

    /// <summary>The firmware does not say where further processors begin.</summary>
    NoResetAddress,

    /// <summary>There is a kernel, and the firmware would not check it: it has no section or no place for the hashes.</summary>
    NoKernelHashes,

    /// <summary>The place for the hashes is not within the one page that holds them.</summary>
    HashTableOutside,

    /// <summary>The firmware has no metadata for TDX.</summary>
    NoTdxMetadata,

    /// <summary>The firmware has no hand-off block, or not one volume of configuration.</summary>
    NoHandOffBlock,

    /// <summary>The machine has less memory than its firmware occupies, or a size that is not whole pages.</summary>
    WrongMemorySize,

    /// <summary>The image is no unified kernel image: it has no kernel or no stub.</summary>
    NotUnified,

    /// <summary>What the stub measures depends on the machine (device trees and firmware chosen by hardware), or a section is there twice.</summary>
    AmbiguousSections,

    /// <summary>The stub's version is not one whose measurements are known.</summary>
    UnknownStub,
}
