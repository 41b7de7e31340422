using System.CommandLine;
using Cloister.Cli.Log;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary><c>cloister release</c>: from files to an entry, to signatures, to the log, to the proof that an enclave shows.</summary>
internal static class ReleaseCommand
{
    public static Command Make() => new TaughtCommand("release", "Publish a build where everybody can see it, and recall it.", """
        cloister release key example.com/publisher --out publisher.key
        cloister release new enclave.img --revision COMMIT --version 1.4.0 --security-version 3 --measurements measured.json --model MODEL --namespace example.com/assistant --out release.entry
        cloister release diff published/release.entry release.entry
        cloister release sign release.entry --key publisher.key
        cloister release publish release.entry --log https://log.example/ --policy policy.json --out publication.json
        cloister release recall release.entry --reason "A hole in the parser" --key publisher.key --out recall.entry
        """)
    {
        KeyCommand.Make("Make a publisher's or a builder's key.", NoteKeyType.Ed25519),
        NewCommand.Make(),
        FleetCommand.Make(),
        WebCommand.Make(),
        PolicyEntryCommand.Make(),
        RebuildCommand.Make(),
        RecallCommand.Make(),
        SignCommand.Make(),
        PublishCommand.Make(),
        RefreshCommand.Make(),
        VerifyPublicationCommand.Make(),
        DiffCommand.Make(),
    };
}
