using System.Text;

namespace Cloister.Attestation.Tests;

public class PemCertificatesTests
{
    [Theory]
    [InlineData("-----BEGIN CERTIFICATE-----END CERTIFICATE-----")]
    [InlineData("-----BEGIN CERTIFICATE----------END CERTIFICATE-----")]
    [InlineData("-----END CERTIFICATE-----")]
    [InlineData("-----BEGIN CERTIFICATE-----")]
    [InlineData("text")]
    public void Text_that_is_not_wholly_certificates_is_refused(string text) => Assert.False(PemCertificates.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void An_empty_text_is_no_certificates()
    {
        Assert.True(PemCertificates.TryParse("\r\n\0"u8, out var certificates));
        Assert.Empty(certificates);
    }
}
