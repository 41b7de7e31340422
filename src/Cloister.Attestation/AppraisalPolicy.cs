using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Attestation;

/// <summary>What a client demands of an enclave before it sends one byte of plaintext (docs/spec/appraisal.md).</summary>
/// <remarks>It is data: the same record as JSON goes to a terminal client and to the web app. A platform that is not named is refused, not passed over.</remarks>
public sealed record AppraisalPolicy
{
    public required AppraisalProfile Profile { get; init; }

    /// <summary>RFC 3339 in UTC with whole seconds. After it nothing is accepted: what the policy knows of firmware is out of date.</summary>
    public required string NotAfter { get; init; }

    /// <summary>The machines that may be accepted, each as the statement names it: lower-case hex. An empty list accepts none.</summary>
    public required ImmutableArray<string> Fleet { get; init; }

    /// <summary>The oldest statement, in seconds.</summary>
    public required int MaximumAgeSeconds { get; init; }

    /// <summary>The weakest shaping floor that an enclave may have.</summary>
    public required ShapingFloor MinimumShaping { get; init; }

    /// <summary>Models that must be served with exactly these digests. A model that is not listed may be served besides.</summary>
    public required ImmutableArray<ServedModel> Models { get; init; }

    /// <summary>Checks that may fail, each with the reason, which is shown wherever the result is.</summary>
    public required ImmutableDictionary<string, string> Waivers { get; init; }

    /// <summary>Where the build must have been published. Null asks for no publication, which is a failure of <see cref="BundleCheck.Published"/>.</summary>
    public PublicationDemands? Publication { get; init; }

    /// <summary>The SEV-SNP machines that are accepted. Null refuses them all.</summary>
    public SnpMachines? Snp { get; init; }

    /// <summary>The TDX machines that are accepted. Null refuses them all.</summary>
    public TdxMachines? Tdx { get; init; }

    /// <summary>The AWS Nitro enclaves that are accepted. Null refuses them all, and no profile names them: AWS itself would have to be trusted.</summary>
    public NitroMachines? Nitro { get; init; }

    /// <summary>The TPM that must accompany the machine, or stand for it. Null refuses evidence of any.</summary>
    public TpmMachines? Tpm { get; init; }

    /// <summary>The GPUs that must accompany the machine. Null refuses evidence of any: a model that runs on one would be outside of what was proved.</summary>
    public NvidiaGpus? NvidiaGpu { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.AppraisalPolicy);

    /// <summary>Reads a policy strictly. <paramref name="fault"/> says in a sentence what is wrong with one that is refused.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out AppraisalPolicy? policy, [NotNullWhen(false)] out string? fault)
    {
        policy = AttestationJson.Read(json, AttestationJson.Default.AppraisalPolicy);
        fault = policy is null ? "The policy is not well-formed: a member is missing, unknown, repeated or of the wrong type." : policy.Fault();
        if (fault is not null)
        {
            policy = null;
        }
        return policy is not null;
    }

    /// <summary>Every hardening that current machines offer.</summary>
    /// <param name="measurements">SEV-SNP launch measurements of accepted builds.</param>
    /// <param name="fleet">The machines that may be accepted.</param>
    public static AppraisalPolicy Strict(ImmutableArray<string> measurements, params ImmutableArray<string> fleet) => new()
    {
        Profile = AppraisalProfile.Strict,
        NotAfter = FloorsExpire,
        Fleet = fleet,
        MaximumAgeSeconds = 3600,
        MinimumShaping = ShapingFloor.Padded,
        Models = [],
        Waivers = ImmutableDictionary<string, string>.Empty,
        Snp = SnpMachines.Strict(measurements),
        Tdx = TdxMachines.Strict([]),
    };

    /// <summary>What today's clouds offer. Each hardening that they lack is waived with its reason.</summary>
    public static AppraisalPolicy Base(ImmutableArray<string> measurements)
    {
        var strict = Strict(measurements);
        return strict with
        {
            Profile = AppraisalProfile.Base,
            Snp = strict.Snp! with { MinimumAbi = new FirmwareAbi(0, 0) },
            Tdx = strict.Tdx! with { AcceptedStatuses = [TcbStatus.UpToDate, TcbStatus.SwHardeningNeeded] },
            Waivers = new Dictionary<string, string>
            {
                [nameof(BundleCheck.Published)] = "this policy names no log",
                [nameof(BundleCheck.Fleet)] = "clouds do not publish which machines they run",
                ["Snp.RevocationList"] = "clouds hand out certificates without the revocation list",
                ["Snp.Smt"] = "clouds share a core's two threads within one virtual machine",
                ["Snp.CiphertextHiding"] = "only Turin and later hide ciphertext from the host",
                ["Snp.Rapl"] = "clouds leave the power meter on",
                ["Snp.AliasCheck"] = "older firmware does not report the memory alias check",
                ["Snp.Abi"] = "clouds launch guests with a policy that demands no firmware version",
            }.ToImmutableDictionary(),
        };
    }

    /// <summary>For a machine without confidential hardware: the strict checks, under a root made on that machine and under no other.</summary>
    /// <param name="rootFingerprint">SHA-256 of the development root's public key, lower-case hex.</param>
    /// <param name="node">The simulated chip.</param>
    /// <param name="expires">When the root's own certificate does.</param>
    public static AppraisalPolicy Development(string rootFingerprint, ImmutableArray<string> measurements, string node, DateTimeOffset expires) => Strict(measurements, node) with
    {
        Profile = AppraisalProfile.Development,
        NotAfter = EnclaveStatement.FormatTime(expires),
        Waivers = ImmutableDictionary<string, string>.Empty.Add(nameof(BundleCheck.Published), "no log runs beside this development enclave"),
        Snp = SnpMachines.Strict(measurements) with { Roots = [new TrustedRoot { Fingerprint = rootFingerprint, Product = SnpProduct.Genoa, Simulated = true }] },
        Tdx = null,
    };

    // A year after the floors that are compiled in were last looked at.
    private const string FloorsExpire = "2027-11-30T00:00:00Z";

    [JsonIgnore]
    internal DateTimeOffset Expires => EnclaveStatement.ParseTime(NotAfter) ?? DateTimeOffset.MinValue;

    private string? Fault()
    {
        if (Fleet.IsDefault || Models.IsDefault || Waivers is null)
        {
            return "A list of the policy is missing.";
        }
        if (Platform.All.Where(platform => platform.IsNamedBy(this)).Select(platform => platform.FaultOf(this)).FirstOrDefault(fault => fault is not null) is { } wrong)
        {
            return wrong;
        }
        if (Publication?.Fault() is { } unpublished)
        {
            return unpublished;
        }
        if (Waivers.Keys.FirstOrDefault(name => CheckCatalogue.Find(name) is not { IsWaivable: true }) is { } name)
        {
            return CheckCatalogue.Find(name) is null ? "A waiver is for a check that does not exist." : $"The check {name} cannot be waived: without it nothing is proved.";
        }
        if (Snp is not null && (Snp.Roots.Any(root => root.Simulated) != (Profile is AppraisalProfile.Development) || Snp.Roots.Any(root => root.Simulated) != Snp.Roots.All(root => root.Simulated)))
        {
            return "A simulated root belongs to the development profile, and the development profile has no other.";
        }
        return !Fleet.All(node => node is not null && EnclaveStatement.IsNode(node)) ? "A machine of the fleet is not named in lower-case hex of 8 to 128 bytes."
            : EnclaveStatement.ParseTime(NotAfter) is null ? "The policy does not say until when it holds."
            : MaximumAgeSeconds is < 1 or > 3600 ? "The maximum age is from 1 to 3600 seconds." : null;
    }
}

public enum AppraisalProfile : byte { Strict, Base, Development }
