using Cloister.Attestation;
using Cloister.Enclave.Evidence;

namespace Cloister.Enclave.Tests.Program;

public class SnpCertificateTableTests
{
    [Fact]
    public void A_hosts_table_gives_the_chain_and_the_list()
    {
        var read = SnpCertificateTable.Read(Machine.CertificateTable());
        byte[] signer = read.Signer(SigningKey.Vcek);
        Assert.All(new[] { signer, read.Intermediate, read.Root, read.RevocationList! }, der => Assert.Equal(0x30, der[0]));
        Assert.Equal(4, new[] { signer, read.Intermediate, read.Root, read.RevocationList! }.Select(der => der.Length).Distinct().Count() + (read.Intermediate.Length == read.Root.Length ? 1 : 0));
    }

    [Theory]
    [InlineData(0, "lacks")]        // a name that nobody knows
    [InlineData(19, "malformed")]   // an offset behind the end
    [InlineData(23, "malformed")]   // a length beyond the end
    [InlineData(96, "malformed")]   // an end that is none
    public void A_spoiled_table_is_one_sentence(int at, string words)
    {
        byte[] table = Machine.CertificateTable();
        table[at] ^= 0x7f;
        Assert.Contains(words, Assert.Throws<IOException>(() => SnpCertificateTable.Read(table).Signer(SigningKey.Vcek)).Message);
    }

    [Fact]
    public void A_lent_key_stands_under_its_own_name()
    {
        var read = SnpCertificateTable.Read(Machine.CertificateTable(signer: "a8074bc2-a25a-483e-aae6-39c045a0b8a1"));
        Assert.Equal(0x30, read.Signer(SigningKey.Vlek)[0]);
        Assert.Contains("lacks the VCEK", Assert.Throws<IOException>(() => read.Signer(SigningKey.Vcek)).Message);
    }

    [Fact]
    public void A_table_cut_off_anywhere_is_refused_and_not_believed()
    {
        byte[] table = Machine.CertificateTable();
        for (int length = 0; length < table.Length; length += 7)
        {
            Assert.Throws<IOException>(() => SnpCertificateTable.Read(table.AsSpan(0, length)));
        }
    }
}
