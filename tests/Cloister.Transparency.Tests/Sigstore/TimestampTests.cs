using System.Text;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Transparency.Tests.Sigstore;

/// <summary>One timestamp that counts, and what is spoiled in it alone.</summary>
public class TimestampTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigstoreAuthority Authority = new(Now);
    private static readonly byte[] Message = "signature"u8.ToArray();

    private static StampAuthority Stamps => Authority.Stamps;

    [Fact]
    public void A_timestamp_counts_with_its_certificate_and_without()
    {
        Assert.True(Counts(Stamps.Stamp(Message, Now)));
        Assert.True(Counts(Stamps.Stamp(Message, Now, withCertificate: false)));
        Assert.True(Counts(Stamps.Stamp(Message, Now, status: 1)));
        Assert.True(TimestampResponse.TryParse(Stamps.Stamp(Message, Now), out var response) && response.Time == Now);
    }

    [Fact]
    public void The_root_may_name_only_who_is_above()
    {
        Assert.True(Counts(Stamps.Stamp(Message, Now), Stamps.Root));
        Assert.False(Counts(Stamps.Stamp(Message, Now, withCertificate: false), Stamps.Root));
        Assert.False(Counts(Stamps.Stamp(Message, Now), Authority.Certificates.Root));
    }

    [Fact]
    public void What_is_spoiled_does_not_count()
    {
        Assert.False(Counts(Stamps.Stamp([1], Now)));
        Assert.False(Counts(Stamps.Stamp(Message, Now, status: 2)));
        Assert.False(Counts(Stamps.Stamp(Message, Now, version: 2)));
        Assert.False(Counts(Stamps.Stamp(Message, Now, spoilInfo: info => info[^1] ^= 1)));
        Assert.False(Counts(Stamps.Stamp(Message, Now, contentType: "1.2.840.113549.1.7.1")));
        Assert.False(Counts(Stamps.Stamp(Message, Now, named: Stamps.Root)));
        Assert.False(Counts(Stamps.Stamp(Message, Now.AddDays(301))));
        Assert.False(Counts(Stamps.Stamp(Message, Now, extension: [0xa1, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x01, 0x01, 0xff, 0x04, 0x00])));
        Assert.True(Counts(Stamps.Stamp(Message, Now, extension: [0xa1, 0x09, 0x30, 0x07, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x04, 0x00])));
        Assert.False(Counts([.. Stamps.Stamp(Message, Now), 0]));
        Assert.False(Counts(Stamps.Stamp(Message, Now)[..^1]));
        Assert.False(Counts(new byte[TimestampResponse.MaxSize + 1]));
    }

    [Fact]
    public void A_signer_is_for_timestamps_alone_and_says_so_critically()
    {
        foreach (var (purpose, critical, good) in new[] { ("1.3.6.1.5.5.7.3.8", true, true), ("1.3.6.1.5.5.7.3.8", false, false), ("1.3.6.1.5.5.7.3.3", true, false) })
        {
            byte[] signer = Stamps.Certify(Now, purpose, critical);
            Assert.Equal(good, Counts(Stamps.Stamp(Message, Now, withCertificate: false, named: signer), signer, Stamps.Root));
        }
    }

    [Fact]
    public void No_changed_byte_of_what_is_signed_goes_unnoticed()
    {
        byte[] good = Stamps.Stamp(Message, Now, withCertificate: false);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 0x55;
            Assert.False(Counts(bad) && TimestampResponse.TryParse(bad, out var response) && response.Time != Now);
        }
    }

    [Fact]
    public void Outside_of_the_roots_period_it_does_not_count()
    {
        byte[] stamp = Stamps.Stamp(Message, Now);
        Assert.True(Counts(stamp, period: $$"""{"start":"2026-11-01T12:00:00Z","end":"2026-11-01T12:00:00Z"}"""));
        Assert.False(Counts(stamp, period: """{"start":"2026-11-01T12:00:01Z"}"""));
        Assert.False(Counts(stamp, period: """{"end":"2026-11-01T11:59:59.999Z"}"""));
    }

    private static bool Counts(byte[] der, params byte[][] chain) => Counts(der, "{}", chain);

    private static bool Counts(byte[] der, string period, params byte[][] chain)
    {
        string root = Authority.TrustedRoot(all =>
        {
            var authority = all["timestampAuthorities"]![0]!;
            authority["validFor"] = JsonNode.Parse(period);
            if (chain.Length > 0)
            {
                authority["certChain"]!["certificates"] = new JsonArray([.. chain.Select(SigstoreAuthority.Raw)]);
            }
        });
        Assert.True(SigstoreTrustedRoot.TryParse(Encoding.UTF8.GetBytes(root), out var trusted));
        return TimestampResponse.TryParse(der, out var response) && response.IsOf(Message) && response.IsBy(trusted.TimestampAuthorities[0]);
    }
}
