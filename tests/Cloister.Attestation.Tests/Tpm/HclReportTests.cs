using System.Security.Cryptography;
using System.Text;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>The paravisor's claims, whole and spoiled in one place.</summary>
public class HclReportTests
{
    private const string Key = """{"kid":"HCLAkPub","kty":"RSA","e":"AQAB","n":"AQID"}""";

    private static readonly TpmAuthority Tpm = new(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Claims_are_bound_by_their_hash_and_zeros_behind_it(byte hashType)
    {
        byte[] claims = Encoding.UTF8.GetBytes($$"""{"keys":[{{Key}}]}""");
        byte[] hash = hashType switch { 1 => SHA256.HashData(claims), 2 => SHA384.HashData(claims), _ => SHA512.HashData(claims) };
        byte[] bytes = Tpm.Hcl(claims: Encoding.UTF8.GetString(claims));
        bytes[1228] = hashType;
        Assert.True(HclReport.TryParse(bytes, out var report, out var error), $"{error}");
        byte[] reportData = [.. hash, .. new byte[64 - hash.Length]];
        Assert.True(report.IsBoundBy(reportData));
        Assert.False(report.IsBoundBy(reportData.AsSpan(0, 63)));
        reportData[63] ^= 1;
        Assert.False(report.IsBoundBy(reportData));
    }

    [Theory]
    [InlineData(0, "signature")]
    [InlineData(4, "version")]
    [InlineData(1220, "data_version")]
    [InlineData(1224, "report_type")]
    [InlineData(1228, "hash_type")]
    [InlineData(1235, "claims")]
    [InlineData(2599, "padding")]
    public void A_spoiled_field_is_refused_by_its_name(int offset, string field)
    {
        byte[] bytes = Tpm.Hcl();
        bytes[offset] ^= 0x40;
        Assert.False(HclReport.TryParse(bytes, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":{}}""")]
    [InlineData("""{"keys":[1]}""")]
    [InlineData("""{"keys":[]}""")]
    [InlineData($$"""{"keys":[{{Key}},{{Key}}]}""")]
    [InlineData($$"""{"keys":[{{Key}}],"keys":[]}""")]
    [InlineData($$"""{"keys":[{{Key}}]} """ + "\0")]
    [InlineData("""{"keys":[{"kid":"HCLAkPub","kty":"EC","e":"AQAB","n":"AQID"}]}""")]
    [InlineData("""{"keys":[{"kid":"HCLAkPub","kty":"RSA","e":"AQAB"}]}""")]
    [InlineData("""{"keys":[{"kid":"HCLAkPub","kty":"RSA","e":"AQAB","n":7}]}""")]
    [InlineData("""{"keys":[{"kid":"HCLAkPub","kty":"RSA","e":"AQAB","n":"AQI="}]}""")]
    [InlineData("""{"keys":[{"kid":"HCLAkPub","kty":"RSA","e":"","n":"AQID"}]}""")]
    [InlineData("""{"keys":[{"kid":"\ud800","kty":"RSA","e":"AQAB","n":"AQID"}]}""")]
    public void Claims_that_do_not_name_one_key_are_refused(string claims)
    {
        Assert.False(HclReport.TryParse(Tpm.Hcl(claims: claims), out _, out var error));
        Assert.Equal("claims", error.Field);
    }
}
