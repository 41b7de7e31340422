namespace Cloister.Attestation;

/// <summary>From levels to one verdict (docs/spec/tdx.md, section 3.4), as Intel's Quote Verification Library comes to it.</summary>
internal static class TcbEvaluation
{
    public static TcbVerdict Evaluate(TcbInfo info, PckExtensions platform, TdReport report, IsvLevel? qe)
    {
        var qeStatus = qe?.Status ?? TcbStatus.NotSupported;
        var platformLevel = info.Levels.FirstOrDefault(level => Reaches(platform, level));
        var level = FirstReached(info, platform, report.TeeTcbSvn);
        var moduleLevel = ModuleLevel(info, report.TeeTcbSvn, out var moduleStatus);

        var status = level is null || moduleStatus is TcbStatus.NotSupported ? TcbStatus.NotSupported : Converge(level.Status, moduleStatus);
        if (report.IsVersion15 && IsOnlyTheLaunchOld(platformLevel, status, moduleStatus, qeStatus))
        {
            status = JudgeRunning(info, report.TeeTcbSvn2, platformLevel!, status);
        }
        status = status is TcbStatus.NotSupported || qeStatus is TcbStatus.NotSupported ? TcbStatus.NotSupported : Converge(status, qeStatus);

        var advisories = new[] { level?.Advisories, moduleLevel?.Advisories, qe?.Advisories }.SelectMany(list => list ?? []).Distinct().Order(StringComparer.Ordinal);
        return new TcbVerdict(status, level, moduleStatus, qeStatus, [.. advisories]);
    }

    // The processor's part: every component and the provisioning enclave at least the level's.
    private static bool Reaches(PckExtensions platform, TcbLevel level) =>
        NoneLower(platform.TcbComponents.Span, level.Sgx.Span) && platform.PceSvn >= level.PceSvn;

    private static TcbLevel? FirstReached(TcbInfo info, PckExtensions platform, ReadOnlySpan<byte> teeTcbSvn)
    {
        // Since major version 1 the module has levels of its own; its two bytes are not compared here.
        int start = teeTcbSvn[1] > 0 ? 2 : 0;
        foreach (var level in info.Levels)
        {
            if (Reaches(platform, level) && NoneLower(teeTcbSvn[start..], level.Tdx.Span[start..]))
            {
                return level;
            }
        }
        return null;
    }

    private static IsvLevel? ModuleLevel(TcbInfo info, ReadOnlySpan<byte> teeTcbSvn, out TcbStatus status)
    {
        byte isvSvn = teeTcbSvn[0];
        var level = teeTcbSvn[1] == 0 ? null : info.FindModule(teeTcbSvn[1])?.Levels.FirstOrDefault(candidate => isvSvn >= candidate.IsvSvn);
        status = teeTcbSvn[1] == 0 ? TcbStatus.UpToDate : level?.Status ?? TcbStatus.NotSupported;
        return level;
    }

    // One part that is old makes the whole old; one that is revoked, revoked.
    private static TcbStatus Converge(TcbStatus whole, TcbStatus part) => (whole, part) switch
    {
        (TcbStatus.Revoked, _) or (_, TcbStatus.Revoked)                                                                            => TcbStatus.Revoked,
        (TcbStatus.UpToDate or TcbStatus.SwHardeningNeeded, not TcbStatus.UpToDate)                                                  => TcbStatus.OutOfDate,
        (TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSwHardeningNeeded, not TcbStatus.UpToDate)                       => TcbStatus.OutOfDateConfigurationNeeded,
        _                                                                                                                            => whole,
    };

    private static bool IsOnlyTheLaunchOld(TcbLevel? platform, TcbStatus tdx, TcbStatus module, TcbStatus qe) =>
        qe is TcbStatus.UpToDate
        && platform?.Status is TcbStatus.UpToDate or TcbStatus.SwHardeningNeeded or TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSwHardeningNeeded
        && tdx is TcbStatus.OutOfDate or TcbStatus.OutOfDateConfigurationNeeded
        && module is TcbStatus.OutOfDate;

    // The domain was launched by an old module. Where the one that runs now is as new as any, launching it again mends it.
    private static TcbStatus JudgeRunning(TcbInfo info, ReadOnlySpan<byte> running, TcbLevel platform, TcbStatus status)
    {
        var latest = info.Levels[0].Tdx.Span;
        int? newest = running[1] == 0 ? latest[0] : info.FindModule(running[1])?.Levels.FirstOrDefault()?.IsvSvn;
        return newest is null ? TcbStatus.NotSupported
            : running[0] < newest || running[2] < latest[2] ? status
            : platform.Status.NeedsConfiguration() || status.NeedsConfiguration() ? TcbStatus.TdRelaunchAdvisedConfigurationNeeded
            : TcbStatus.TdRelaunchAdvised;
    }

    private static bool NoneLower(ReadOnlySpan<byte> found, ReadOnlySpan<byte> least)
    {
        for (int i = 0; i < least.Length; i++)
        {
            if (found[i] < least[i])
            {
                return false;
            }
        }
        return true;
    }
}
