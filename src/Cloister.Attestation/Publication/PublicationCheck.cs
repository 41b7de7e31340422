using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What is asked of a build's publication (docs/spec/publication.md, section 3).</summary>
public enum PublicationCheck : byte { Form, Logged, Witnesses, Recent, Signed, Valid, NotRecalled, SecurityVersion, Rebuilds, Continuity, Statement, Models, Fleet }

internal static class PublicationCheckTexts
{
    public const string Prefix = "Release.";

    private const string Publisher = "Ask the publisher; nothing of this build should be used until it answers.";
    private const string Operator = "The operator must run a current release and hand out its current proof.";

    public static ImmutableArray<CheckDescription> Descriptions { get; } = CheckDescription.List("How the build was published", Prefix, Of, PublicationCheck.Rebuilds, PublicationCheck.Models, PublicationCheck.Fleet);

    public static CheckText Of(PublicationCheck check) => check switch
    {
        PublicationCheck.Form            => new("the release and its proof are there and well-formed", "Nothing shows that this build was published.", Operator),
        PublicationCheck.Logged          => new("the release is under a checkpoint that a log of the policy signed", "The build is not in the log: it was published in secret, or not at all.", Publisher),
        PublicationCheck.Witnesses       => new("as many witnesses as the policy asks for have seen that checkpoint", "Too few independent parties have seen the log that this build is in.", Operator),
        PublicationCheck.Recent          => new("their signatures are no older than the policy accepts", "What the witnesses saw is too old to tell whether the build was recalled.", Operator),
        PublicationCheck.Signed          => new("as many publishers as the policy asks for signed it as a release, in the policy's namespace", "The publishers of the policy did not make this build.", Publisher),
        PublicationCheck.Valid           => new("the release is valid now", "The release has expired, or has not begun.", Operator),
        PublicationCheck.NotRecalled     => new("no recall that the publishers signed names it", "The publishers recalled this build.", "The operator must run another release."),
        PublicationCheck.SecurityVersion => new("its security version is not below the policy's nor below what another shown release demands", "The build has holes that later ones do not have.", Operator),
        PublicationCheck.Rebuilds        => new("as many independent builders as the policy asks for got the same artifacts", "Too few independent parties could build the same from the sources.", Publisher),
        PublicationCheck.Continuity      => new("the log has only grown since this device last saw it", "The log shows this device something else than it did before.", "Keep both checkpoints and make them public: one log does not have two histories."),
        PublicationCheck.Statement       => new("it is the release that the statement names", "The enclave says that it runs another release than the one shown.", Operator),
        PublicationCheck.Models          => new("each model that is served is one of the release's, with its digests", "A model is served that the release does not name.", Publisher),
        PublicationCheck.Fleet           => new("where a fleet is shown, it is logged, signed by the publishers and valid", "The fleet that is shown is not a published one.", Operator),
        _                                => throw new System.Diagnostics.UnreachableException(),
    };
}
