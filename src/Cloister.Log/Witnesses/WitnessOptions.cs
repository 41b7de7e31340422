using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Transparency;

namespace Cloister.Log.Witnesses;

/// <summary>Everything that steers a witness. Neither the environment nor any other file does, but for those that it names.</summary>
public sealed record WitnessOptions
{
    /// <summary>Where to listen: an address and a port, as in <c>127.0.0.1:8460</c>. Port 0 takes a free one.</summary>
    public required string Listen { get; init; }

    /// <summary>The files of the witness's private keys, type 4 or 6. Each cosigns.</summary>
    public required ImmutableArray<string> Keys { get; init; }

    /// <summary>The folder of what the witness remembers. Whoever loses it must take new keys.</summary>
    public required string Folder { get; init; }

    /// <summary>The logs that the witness watches: their public keys, each named like its log's origin.</summary>
    public required ImmutableArray<string> Logs { get; init; }

    /// <summary>Every fault, each as a sentence; empty where there is none.</summary>
    public ImmutableArray<string> Faults() =>
    [
        .. OptionFaults.Endpoint("listen", Listen),
        .. OptionFaults.Unless(!string.IsNullOrEmpty(Folder), "folder: there must be one."),
        .. OptionFaults.Unless(!Keys.IsDefaultOrEmpty, "keys: there must be one."),
        .. (Keys.IsDefault ? [] : Keys).SelectMany(file => KeyFiles.Faults("keys", file, NoteKeyType.Ed25519Cosignature, NoteKeyType.MlDsa44Cosignature)),
        .. OptionFaults.Unless(!Logs.IsDefaultOrEmpty, "logs: there must be one."),
        .. (Logs.IsDefault ? [] : Logs).SelectMany(text => OptionFaults.Unless(VerifierKey.TryParse(text, out var key) && key.Type is not NoteKeyType.Ed25519Cosignature, $"logs: '{text}' is not a log's public key.")),
    ];

    /// <summary>Reads and checks a JSON file. An unknown, repeated or missing member is a fault.</summary>
    public static bool TryRead(string file, [NotNullWhen(true)] out WitnessOptions? options, out ImmutableArray<string> faults) =>
        OptionFaults.TryRead(file, OptionsJson.Default.WitnessOptions, one => one.Faults(), out options, out faults);
}
