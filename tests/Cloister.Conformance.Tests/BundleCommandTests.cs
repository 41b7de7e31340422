using System.Security.Cryptography;
using Cloister.Testing;

namespace Cloister.Conformance.Tests;

/// <summary><c>verify-bundle</c> with files, as the public conformance suite calls it.</summary>
public sealed class BundleCommandTests : IDisposable
{
    // The program has a clock of its own: long ago, so that no clock is before it.
    private static readonly DateTimeOffset Now = new(2025, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigstoreAuthority Sigstore = new(Now);

    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-").FullName;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_bundle_is_accepted_for_its_artifact_and_signer(bool envelope)
    {
        var parts = new SigstoreParts { Envelope = envelope };
        string bundle = Save("bundle", Sigstore.Bundle(parts)), root = Save("root", Sigstore.TrustedRoot()), artifact = Save("artifact", "an artifact");
        string digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(parts.Artifact))}";
        string[] Keyless(string identity = SigstoreAuthority.Identity, string issuer = SigstoreAuthority.Issuer, string? target = null) =>
            ["--bundle", bundle, "--certificate-identity", identity, "--certificate-oidc-issuer", issuer, "--trusted-root", root, target ?? artifact];

        Assert.Equal(0, await RunAsync(Keyless()));
        Assert.Equal(0, await RunAsync(Keyless(target: digest)));
        Assert.Equal(10, await RunAsync(Keyless(identity: "someone")));
        Assert.Equal(10, await RunAsync(Keyless(issuer: "https://other.example")));
        Assert.Equal(10, await RunAsync(Keyless(target: Save("other", "another artifact"))));
        Assert.Equal(10, await RunAsync(Keyless(target: $"sha256:{new string('0', 64)}")));
        Assert.Equal(10, await RunAsync([.. Keyless()[..6], artifact])); // under the public instance's root
        Assert.Equal(10, await RunAsync([.. Keyless()[..7], bundle, artifact]));
    }

    [Fact]
    public async Task A_known_key_is_enough_and_is_needed()
    {
        using var key = SigstoreAuthority.P256();
        using var other = SigstoreAuthority.P256();
        string bundle = Save("bundle", Sigstore.Bundle(new() { ManagedKey = key, Envelope = false })), root = Save("root", Sigstore.TrustedRoot()), artifact = Save("artifact", "an artifact");
        Assert.Equal(0, await RunAsync(["--bundle", bundle, "--key", Save("key", key.ExportSubjectPublicKeyInfoPem()), "--trusted-root", root, artifact]));
        Assert.Equal(10, await RunAsync(["--bundle", bundle, "--key", Save("key", other.ExportSubjectPublicKeyInfoPem()), "--trusted-root", root, artifact]));
        Assert.Equal(10, await RunAsync(["--bundle", bundle, "--key", artifact, "--trusted-root", root, artifact]));
        Assert.Equal(10, await RunAsync(["--bundle", bundle, "--certificate-identity", "a", "--certificate-oidc-issuer", "b", "--trusted-root", root, artifact]));
    }

    [Fact]
    public async Task Arguments_that_make_no_sense_are_malformed()
    {
        string file = Save("file", "{}");
        string[][] malformed =
        [
            [], [file], ["--bundle", file, file], ["--bundle", file, "--certificate-identity", "a", file], ["--bundle", file, "--key", file, "--certificate-identity", "a", "--certificate-oidc-issuer", "b", file],
            ["--bundle", file, "--key", file], ["--bundle", file, "--key", file, file, file], ["--bundle", file, "--bundle", file, "--key", file, file], ["--other", file, "--key", file, file],
            ["--bundle", Path.Combine(_folder, "none"), "--key", file, file], [file, "--bundle"],
        ];
        foreach (string[] arguments in malformed)
        {
            Assert.Equal(30, await RunAsync(arguments));
        }
    }

    private static async Task<int> RunAsync(string[] arguments) => (await ConformanceProgram.RunAsync(["verify-bundle", .. arguments], "")).ExitCode;

    private string Save(string name, string text)
    {
        string file = Path.Combine(_folder, name);
        File.WriteAllText(file, text);
        return file;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
