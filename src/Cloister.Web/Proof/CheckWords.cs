using System.Diagnostics;
using Cloister.Attestation;

namespace Cloister.Web.Proof;

/// <summary>In which part of the account a check stands.</summary>
internal enum CheckGroup { Statement, Signature, Machine, Isolation, Build }

/// <summary>Each check in plain words.</summary>
internal static class CheckWords
{
    public static string Title(CheckGroup group) => group switch
    {
        CheckGroup.Statement => "What the enclave says of itself",
        CheckGroup.Signature => "Who signed it",
        CheckGroup.Machine => "Which machine it is, and its firmware",
        CheckGroup.Isolation => "How it is closed to its host",
        CheckGroup.Build => "What runs in it",
        _ => throw new UnreachableException(),
    };

    public static string Title(CheckName name) => Words(name).Title;

    public static CheckGroup Group(CheckName name) => Words(name).Group;

    private static (CheckGroup Group, string Title) Words(CheckName name) => name switch
    {
        CheckName.BundleForm => (CheckGroup.Statement, "The bundle can be read"),
        CheckName.StatementForm => (CheckGroup.Statement, "The statement can be read"),
        CheckName.StatementVersion => (CheckGroup.Statement, "The statement's version is known"),
        CheckName.StatementRole => (CheckGroup.Statement, "It is an enclave that answers conversations"),
        CheckName.StatementValidity => (CheckGroup.Statement, "The statement is valid now"),
        CheckName.StatementAge => (CheckGroup.Statement, "The statement is recent"),
        CheckName.StatementBinding => (CheckGroup.Statement, "The hardware signed this very statement"),
        CheckName.EvidenceForm => (CheckGroup.Signature, "The evidence can be read"),
        CheckName.ReportForm => (CheckGroup.Signature, "The processor's report can be read"),
        CheckName.Root => (CheckGroup.Signature, "The chain ends in a root that the policy names"),
        CheckName.Simulation => (CheckGroup.Signature, "The kind of evidence is the one the policy asks for"),
        CheckName.CertificateChain => (CheckGroup.Signature, "Each certificate is signed by the next"),
        CheckName.CertificateValidity => (CheckGroup.Signature, "The certificates are valid now"),
        CheckName.Revocation => (CheckGroup.Signature, "No certificate was revoked"),
        CheckName.SignerKey => (CheckGroup.Signature, "The chip signed with its own key"),
        CheckName.ReportSignature => (CheckGroup.Signature, "The report's signature is right"),
        CheckName.EndorsedTcb => (CheckGroup.Machine, "The firmware is the one the certificate is for"),
        CheckName.EndorsedChip => (CheckGroup.Machine, "The chip is the one the certificate is for"),
        CheckName.Node => (CheckGroup.Machine, "The machine is the one the statement names"),
        CheckName.Product => (CheckGroup.Machine, "The processor is of an accepted kind"),
        CheckName.TcbFloor => (CheckGroup.Machine, "The firmware is recent enough"),
        CheckName.TcbOrder => (CheckGroup.Machine, "The firmware was not turned back"),
        CheckName.Mitigations => (CheckGroup.Machine, "The wanted mitigations are on"),
        CheckName.GuestDebug => (CheckGroup.Isolation, "The host cannot debug it"),
        CheckName.GuestMigration => (CheckGroup.Isolation, "It cannot be moved to another machine"),
        CheckName.GuestSmt => (CheckGroup.Isolation, "It shares no processor core"),
        CheckName.GuestCxl => (CheckGroup.Isolation, "It uses no memory outside of the machine's own"),
        CheckName.GuestAbi => (CheckGroup.Isolation, "It demands a recent firmware interface"),
        CheckName.GuestPolicyReserved => (CheckGroup.Isolation, "Its launch policy has no unknown bits"),
        CheckName.PlatformEcc => (CheckGroup.Isolation, "The memory corrects errors"),
        CheckName.PlatformAliasCheck => (CheckGroup.Isolation, "The firmware looked for aliased memory"),
        CheckName.PlatformCiphertextHiding => (CheckGroup.Isolation, "Even encrypted memory is hidden from the host"),
        CheckName.PlatformRapl => (CheckGroup.Isolation, "The power meter is off"),
        CheckName.PlatformReserved => (CheckGroup.Isolation, "The platform reports no unknown bits"),
        CheckName.Vmpl => (CheckGroup.Isolation, "It runs at the highest privilege level"),
        CheckName.Measurement => (CheckGroup.Build, "The build is one that the policy accepts"),
        CheckName.HostData => (CheckGroup.Build, "The host slipped nothing in at launch"),
        CheckName.IdKey => (CheckGroup.Build, "Nobody else's identity block was used"),
        CheckName.AuthorKey => (CheckGroup.Build, "Nobody else's author key was used"),
        CheckName.ShapingFloor => (CheckGroup.Build, "It hides sizes and timing well enough"),
        CheckName.Models => (CheckGroup.Build, "The models are the ones that the policy names"),
        _ => throw new UnreachableException(),
    };
}
