using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What is asked of every bundle, whatever hardware vouches for it.</summary>
public enum BundleCheck : byte
{
    PolicyCurrent, BundleForm, StatementForm, StatementVersion, StatementRole, StatementValidity, StatementAge,
    EvidenceForm, Machine, Confidential, Companions, GpuBinding, Simulation, Node, Fleet, ShapingFloor, Models, Published, Session,
}

internal static class BundleCheckTexts
{
    private const string Operator = "The operator must hand out a current bundle of an enclave as the publisher configures it.";
    private const string Publisher = "Ask the publisher for its current policy.";

    public static ImmutableArray<CheckDescription> Descriptions { get; } =
        CheckDescription.List<BundleCheck>("What the enclave says of itself", "", Of, BundleCheck.Node, BundleCheck.Fleet, BundleCheck.ShapingFloor, BundleCheck.Models, BundleCheck.Published, BundleCheck.Confidential);

    public static CheckText Of(BundleCheck check) => check switch
    {
        BundleCheck.PolicyCurrent     => new("the policy has not expired", "What the policy knows of firmware and builds is out of date, or this device's clock is wrong.", $"Check the clock of this device. {Publisher}"),
        BundleCheck.BundleForm        => new("the bytes are a bundle", "What the operator shows is no evidence of an enclave.", Operator),
        BundleCheck.StatementForm     => new("the statement is well-formed", "What the enclave says of itself cannot be read.", "A newer Cloister may read it; otherwise the operator must run a current enclave."),
        BundleCheck.StatementVersion  => new("the statement is of version 1", "The statement is of a version whose meaning is not known here.", "A newer Cloister may know it."),
        BundleCheck.StatementRole     => new("its role is `inference`", "It is an enclave for something else.", Operator),
        BundleCheck.StatementValidity => new("it is issued, not expired, and at most one hour lies between", "The statement is out of date, or this device's clock is wrong.", $"Check the clock of this device. {Operator}"),
        BundleCheck.StatementAge      => new("it is no older than the policy's maximum age", "The statement is older than the policy accepts.", Operator),
        BundleCheck.EvidenceForm      => new("each platform's evidence is well-formed", "The hardware's evidence cannot be read.", Operator),
        BundleCheck.Machine           => new("there is evidence of exactly one machine, of a platform that the policy names", "No hardware that the policy accepts vouches for the enclave.", "The operator must run it on hardware that the policy names."),
        BundleCheck.Confidential      => new("the machine protects its memory from whoever has it", "Whoever has the machine can read its memory.", "The operator must run it on confidential hardware."),
        BundleCheck.Companions        => new("evidence of accompanying hardware is there exactly where the policy asks for it", "A part of the enclave is not vouched for, or nobody asked for it.", "The operator must hand out evidence of every device."),
        BundleCheck.GpuBinding        => new("the statement names the evidence of the GPUs, and names none where there is none", "The GPUs that are shown are not those of this enclave.", Operator),
        BundleCheck.Simulation        => new("hardware made the evidence, or the policy is of the development profile", "The evidence is simulated: it protects nothing.", "The operator must run the enclave on confidential hardware."),
        BundleCheck.Node              => new("the statement's node is the machine of the evidence", "The statement names another machine than the one that signed it.", Operator),
        BundleCheck.Fleet             => new("the machine is one of the policy's fleet, or of a published one", "The machine is not one that the operator is known to run.", Publisher),
        BundleCheck.ShapingFloor      => new("the enclave's shaping floor is no weaker than the policy's", "It would let clients show more by sizes and timing than the policy accepts.", Operator),
        BundleCheck.Models            => new("each model that the policy names is served with exactly its digests", "A model is missing or is another one.", Publisher),
        BundleCheck.Published         => new("the policy asks for a build that was published in a witnessed log", "Which builds are good is the policy's word alone: somebody could be given another policy than everybody else.", Publisher),
        BundleCheck.Session           => new("the evidence is for this very session: its statement is the one that the session was opened to", "This session does not end in the machine that shows the evidence.", "Close this session: it may end somewhere else."),
        _                             => throw new System.Diagnostics.UnreachableException(),
    };
}
