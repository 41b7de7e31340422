namespace Cloister.Attestation;

/// <summary>What Intel says of a level of firmware, and the verdict over all parts. Zero is the failing value.</summary>
public enum TcbStatus : byte
{
    /// <summary>No level of the collateral fits.</summary>
    NotSupported,
    UpToDate,
    SwHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSwHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,

    /// <summary>The module was renewed under a running domain, which was launched by the older one: launch it again.</summary>
    TdRelaunchAdvised,
    TdRelaunchAdvisedConfigurationNeeded,
}

internal static class TcbStatuses
{
    // The texts of the PCS API, version 4. The two of relaunching are never Intel's word: they follow from the report.
    public static TcbStatus Read(string text) => text switch
    {
        "UpToDate"                          => TcbStatus.UpToDate,
        "SWHardeningNeeded"                 => TcbStatus.SwHardeningNeeded,
        "ConfigurationNeeded"               => TcbStatus.ConfigurationNeeded,
        "ConfigurationAndSWHardeningNeeded" => TcbStatus.ConfigurationAndSwHardeningNeeded,
        "OutOfDate"                         => TcbStatus.OutOfDate,
        "OutOfDateConfigurationNeeded"      => TcbStatus.OutOfDateConfigurationNeeded,
        "Revoked"                           => TcbStatus.Revoked,
        _                                   => throw new FormatException(),
    };

    public static bool NeedsConfiguration(this TcbStatus status) => status is
        TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSwHardeningNeeded or TcbStatus.OutOfDateConfigurationNeeded or TcbStatus.TdRelaunchAdvisedConfigurationNeeded;
}
