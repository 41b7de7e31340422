namespace Cloister.Attestation;

/// <summary>What is demanded of a report that is verified alone, without a statement. What is null is not demanded.</summary>
public sealed record SnpReportPolicy
{
    /// <summary>48 bytes.</summary>
    public byte[]? Measurement { get; init; }

    /// <summary>32 bytes.</summary>
    public byte[]? HostData { get; init; }

    /// <summary>64 bytes.</summary>
    public byte[]? ReportData { get; init; }

    /// <summary>48 bytes.</summary>
    public byte[]? IdKeyDigest { get; init; }

    /// <summary>48 bytes.</summary>
    public byte[]? AuthorKeyDigest { get; init; }

    /// <summary>The oldest accepted version of each part of the firmware. Zero accepts every version of a part.</summary>
    public TcbVersion MinimumTcb { get; init; }

    /// <summary>No debugging, no migration agent, no binding to one socket, and every reserved bit as the specification says.</summary>
    public bool SpecificationDefaults { get; init; } = true;

    /// <summary>A root that takes the place of AMD's. With it the pinned intermediates do not count either, unless it signed them.</summary>
    public Certificate? Root { get; init; }

    /// <summary>An intermediate in place of the pinned one. Under AMD's root it must have the pinned one's key.</summary>
    public Certificate? Intermediate { get; init; }
}
