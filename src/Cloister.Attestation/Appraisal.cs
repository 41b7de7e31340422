using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Transparency;

namespace Cloister.Attestation;

/// <summary>Evidence in, account out (docs/spec/appraisal.md). A pure function: no network, no clock, nothing remembered.</summary>
public static class Appraisal
{
    /// <summary>Runs every check that the bundle allows to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="bundle">Bytes from the adversary.</param>
    /// <param name="now">The device's own time.</param>
    /// <param name="memory">What this device remembers of the log; null where nothing yet.</param>
    /// <returns>One verdict for each check. Whatever the bytes, nothing is thrown.</returns>
    public static AttestationResult Appraise(ReadOnlyMemory<byte> bundle, AppraisalPolicy policy, DateTimeOffset now, LogMemory? memory = null) =>
        new Appraiser(policy, null, memory, now).Run(bundle);

    /// <summary>Proof that a session ends in its machine now: the same checks, over evidence bound to the session (docs/spec/statement.md, section 6).</summary>
    /// <param name="bundle">What the enclave answered within the session: its statement, with new evidence.</param>
    public static AttestationResult AppraiseSession(ReadOnlyMemory<byte> bundle, SessionBinding session, AppraisalPolicy policy, DateTimeOffset now, LogMemory? memory = null) =>
        new Appraiser(policy, session, memory, now).Run(bundle);
}

/// <summary>One session, and a question that nobody could have known before.</summary>
/// <param name="StatementHash">SHA-256 of the statement that the session was opened to.</param>
/// <param name="HandshakeHash">Noise's h after the last message, 32 bytes: no two sessions have the same.</param>
/// <param name="Nonce">32 random bytes, made by the client for this question.</param>
public sealed record SessionBinding(ReadOnlyMemory<byte> StatementHash, ReadOnlyMemory<byte> HandshakeHash, ReadOnlyMemory<byte> Nonce)
{
    public const int NonceSize = 32;

    /// <summary>Where an enclave answers a nonce, within the session.</summary>
    public const string Path = "/cloister/v1/session-evidence";

    /// <summary>SHA-512("cloister session v1\0" ‖ statement hash ‖ handshake hash ‖ nonce): what the hardware signs.</summary>
    public byte[] ReportData() => SHA512.HashData([.. "cloister session v1\0"u8, .. StatementHash.Span, .. HandshakeHash.Span, .. Nonce.Span]);
}

/// <summary>One appraisal in progress, in the order of docs/spec/appraisal.md, section 2.</summary>
internal sealed class Appraiser(AppraisalPolicy policy, SessionBinding? session, LogMemory? memory, DateTimeOffset now)
{
    /// <summary>How far a device's clock may be behind.</summary>
    internal static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    private readonly Findings<BundleCheck> _own = new();
    private readonly List<Check> _platforms = [];
    private readonly PublicationAppraisal? _publication = policy.Publication is { } demands ? new PublicationAppraisal(demands, memory, now) : null;
    private AcceptedRelease? _release;

    public AttestationResult Run(ReadOnlyMemory<byte> bytes)
    {
        That(BundleCheck.PolicyCurrent, now <= policy.Expires, $"until {policy.NotAfter}", now <= policy.Expires ? "current" : "expired");
        That(BundleCheck.Published, policy.Publication is not null, "a witnessed log", policy.Publication is null ? "the policy names none" : $"releases of {Shown.Text(policy.Publication.Namespace)}");
        bool parsed = EnclaveBundle.TryParse(bytes.Span, out var bundle);
        That(BundleCheck.BundleForm, parsed, $"a bundle of version 1, at most {EnclaveBundle.MaxSize / 1024} KiB", parsed ? $"{bytes.Length} bytes, well-formed" : "malformed");
        return parsed ? Run(bundle!) : Account(null, [], null, false);
    }

    private AttestationResult Run(EnclaveBundle bundle)
    {
        byte[] hash = EnclaveStatement.Hash(bundle.Statement.Span);
        var statement = JudgeStatement(bundle.Statement.Span);
        JudgeSession(hash);
        _release = _publication?.Run(bundle.Publication, statement);

        var shown = Platform.All.Where(platform => bundle.Evidence.Any(evidence => evidence.Platform == platform.Name)).ToList();
        JudgeSelection(shown);
        var machine = MachinesOf(shown) is [var only] ? only : null;
        var findings = JudgeEvidence(bundle, shown, statement);
        if (machine is not null && findings.GetValueOrDefault(machine) is { } found)
        {
            JudgeMachine(machine, found, statement);
        }
        return Account(statement, hash, machine, findings.Values.Any(one => one.IsSimulated));
    }

    private EnclaveStatement? JudgeStatement(ReadOnlySpan<byte> bytes)
    {
        bool parsed = EnclaveStatement.TryParse(bytes, out var statement);
        That(BundleCheck.StatementForm, parsed, "every member known, present once and well-formed", parsed ? "well-formed" : "malformed");
        if (!parsed)
        {
            return null;
        }

        That(BundleCheck.StatementVersion, statement!.Version == EnclaveStatement.CurrentVersion, $"version {EnclaveStatement.CurrentVersion}", $"version {statement.Version}");
        That(BundleCheck.StatementRole, statement.Role == EnclaveStatement.InferenceRole, EnclaveStatement.InferenceRole, Shown.Text(statement.Role));

        var lifetime = statement.Expires - statement.Issued;
        bool valid = lifetime > TimeSpan.Zero && lifetime <= EnclaveStatement.MaxValidity && statement.Issued <= now + ClockSkew && now < statement.Expires;
        That(BundleCheck.StatementValidity, valid, $"valid now, for at most {(int)EnclaveStatement.MaxValidity.TotalMinutes} minutes in all", $"from {statement.IssuedAt} to {statement.ExpiresAt}");

        var age = now - statement.Issued;
        That(BundleCheck.StatementAge, age <= TimeSpan.FromSeconds(policy.MaximumAgeSeconds), $"at most {policy.MaximumAgeSeconds} s old", Shown.Age(age));
        That(BundleCheck.ShapingFloor, statement.Config.ShapingFloor >= policy.MinimumShaping, $"{policy.MinimumShaping} or stronger", $"{statement.Config.ShapingFloor}");

        var missing = policy.Models.FirstOrDefault(wanted => !statement.Models.Contains(wanted));
        That(BundleCheck.Models, missing is null, policy.Models.IsEmpty ? "no particular model" : $"{policy.Models.Length} models with their digests", missing is null ? $"{statement.Models.Length} served" : $"{Shown.Text(missing.Name)} is missing or another one");
        return statement;
    }

    private void JudgeSession(byte[] hash)
    {
        if (session is not null)
        {
            bool same = CryptographicOperations.FixedTimeEquals(hash, session.StatementHash.Span);
            That(BundleCheck.Session, same, "the statement that this session was opened to", same ? "the same" : "another statement");
        }
    }

    // A platform that the policy does not name vouches for nothing, and one that it names is not left out.
    private void JudgeSelection(List<Platform> shown)
    {
        var machines = MachinesOf(shown);
        bool one = machines is [var machine] && machine.IsNamedBy(policy);
        That(BundleCheck.Machine, one, $"one of {Titles(Platform.All.Where(platform => (platform.IsMachine || platform.StandsAlone(policy)) && platform.IsNamedBy(policy)))}", Titles(machines));
        bool confidential = machines.Exists(platform => platform.IsMachine);
        That(BundleCheck.Confidential, confidential, "a machine that protects its memory", confidential ? "one that does" : "none");

        var companions = shown.Where(platform => !platform.IsMachine).ToList();
        var wanted = Platform.All.Where(platform => !platform.IsMachine && platform.IsNamedBy(policy)).ToList();
        That(BundleCheck.Companions, companions.SequenceEqual(wanted), Titles(wanted), Titles(companions));
    }

    // What an accompanying platform stands alone for it is the machine of, where there is no other.
    private List<Platform> MachinesOf(List<Platform> shown) =>
        shown.Where(platform => platform.IsMachine).ToList() is { Count: > 0 } machines ? machines : [.. shown.Where(platform => platform.StandsAlone(policy))];

    private Dictionary<Platform, PlatformFindings> JudgeEvidence(EnclaveBundle bundle, List<Platform> shown, EnclaveStatement? statement)
    {
        byte[] reportData = session?.ReportData() ?? EnclaveStatement.ReportData(bundle.Statement.Span);
        ReadOnlyMemory<byte>? carried = null;
        foreach (var platform in shown)
        {
            carried ??= platform.CarriedReportData(bundle.EvidenceOf(platform).Span, policy);
        }
        var nonce = statement?.GpuEvidence is null ? [] : EnclaveStatement.GpuNonce(bundle.Statement.Span);
        var binding = new Binding(reportData, carried ?? reportData, nonce, _release?.Manifest.Measurements, now);

        JudgeGpuBinding(bundle, shown.Find(platform => platform is NvidiaPlatform), statement);

        var findings = new Dictionary<Platform, PlatformFindings>();
        bool formed = true;
        foreach (var platform in shown.Where(platform => platform.IsNamedBy(policy)))
        {
            if (platform.Appraise(bundle.EvidenceOf(platform).Span, policy, binding) is { } found)
            {
                findings.Add(platform, found);
                _platforms.AddRange(found.Checks.Select(Weigh));
            }
            else
            {
                formed = false;
            }
        }
        That(BundleCheck.EvidenceForm, formed && shown.Count > 0, "evidence of each platform in its form", formed ? $"{Titles(shown)}, well-formed" : "malformed");
        bool allowed = policy.Profile is AppraisalProfile.Development || !findings.Values.Any(one => one.IsSimulated);
        if (findings.Count > 0)
        {
            That(BundleCheck.Simulation, allowed, policy.Profile is AppraisalProfile.Development ? "simulated evidence, for development" : "evidence made by hardware", findings.Values.Any(one => one.IsSimulated) ? "simulated" : "made by hardware");
        }
        return findings;
    }

    // The hardware signed the statement, the statement names the evidence, and the evidence answers the rest of the statement.
    private void JudgeGpuBinding(EnclaveBundle bundle, Platform? gpus, EnclaveStatement? statement)
    {
        if (statement is not null)
        {
            string? shown = gpus is null ? null : Convert.ToHexStringLower(SHA256.HashData(bundle.EvidenceOf(gpus).Span));
            That(BundleCheck.GpuBinding, statement.GpuEvidence == shown, statement.GpuEvidence is null ? "no evidence of GPUs" : $"{statement.GpuEvidence[..16]}…", shown is null ? "none" : $"{shown[..16]}…");
        }
    }

    private void JudgeMachine(Platform platform, PlatformFindings machine, EnclaveStatement? statement)
    {
        if (statement is not null)
        {
            bool same = machine.Node is not null && machine.Node == statement.Node;
            That(BundleCheck.Node, same, "the machine that the statement names", same ? "the same" : machine.Node is null ? "a machine without a name" : "another machine");
        }
        var published = _publication?.Fleet ?? [];
        bool known = machine.Node is not null && (policy.Fleet.Contains(machine.Node) || published.Contains(new FleetNode(platform.Name, machine.Node)));
        That(BundleCheck.Fleet, known, $"one of {policy.Fleet.Length + published.Length} machines", known ? "one of them" : "another machine");
    }

    private AttestationResult Account(EnclaveStatement? statement, byte[] hash, Platform? machine, bool simulated)
    {
        // Walks the names, not what was run: a check that nobody ran is one that failed. Those of a platform that is asked for and was not
        // judged are among them; where no machine is known, it is the check of that name that has failed.
        var own = _own.ToImmutable().Where(finding => session is not null || finding.Name is not BundleCheck.Session).Select(finding => Weigh(finding.ToCheck("")));
        var expected = Platform.All.Where(platform => platform == machine || (!platform.IsMachine && platform.IsNamedBy(policy))).SelectMany(platform => platform.Checks);
        var judged = _platforms.ToDictionary(check => check.Name);
        var platforms = expected.Select(check => judged.GetValueOrDefault(check.Name) ?? new Check(check.Name, Verdict.Failed, "to be checked", Check.NotReached));
        var published = _publication?.Checks.Select(Weigh) ?? [];
        return new AttestationResult([.. own, .. published, .. platforms], policy, statement, hash, machine?.Title, _release, simulated);
    }

    // A waived check is run all the same; what proves something is never waived, whatever the policy says.
    private Check Weigh(Check check) =>
        check.Verdict is Verdict.Failed && policy.Waivers.TryGetValue(check.Name, out var reason) && CheckCatalogue.Of(check.Name).IsWaivable
            ? check with { Verdict = Verdict.Waived, Reason = reason }
            : check;

    private void That(BundleCheck name, bool holds, string expected, string found) => _own.That(name, holds, expected, found);

    private static string Titles(IEnumerable<Platform> platforms) => string.Join(", ", platforms.Select(platform => platform.Title)) is { Length: > 0 } titles ? titles : "none";
}
