using System.Collections.Immutable;
using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cloister.Enclave.Evidence;

namespace Cloister.Enclave.Tests.Program;

/// <summary>A TPM: a software one where this machine has it, and one that answers with something else.</summary>
public sealed class TpmDeviceTests
{
    private const uint Key = 0x8101_0004;

    private static readonly ImmutableArray<int> All = [.. Enumerable.Range(0, TpmDevice.Registers)];

    [Fact]
    public async Task A_software_TPM_quotes_its_registers_with_a_key_of_its_own()
    {
        using var machine = await SoftwareTpm.StartAsync(Patience);
        using var tpm = machine.Open();
        byte[] point = await MakeKeyAsync(tpm);
        byte[] nonce = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

        var before = await tpm.ReadRegistersAsync(All, Patience);
        await tpm.ExecuteAsync(0x8002, 0x182, Convert.FromHexString("00000017" + "00000009400000090000000000" + "00000001000b" + new string('a', 64)), Patience); // TPM2_PCR_Extend
        var after = await tpm.ReadRegistersAsync(All, Patience);
        Assert.Equal(Enumerable.Range(0, 23), Enumerable.Range(0, 24).Where(i => before[i].AsSpan().SequenceEqual(after[i])));

        var quote = await tpm.QuoteAsync(Key, nonce, [0, 7, 23], Patience);
        Assert.Equal(Convert.FromHexString("ff544347" + "8018"), quote.Attest[..6]);
        Assert.True(quote.Attest.AsSpan().IndexOf(nonce) > 0);
        Assert.Equal(SHA256.HashData([.. after[0], .. after[7], .. after[23]]), quote.Attest[^32..]);

        // TPMT_SIGNATURE: ECDSA with SHA-256, r and s.
        Assert.Equal(Convert.FromHexString("0018000b0020"), quote.Signature[..6]);
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[..32], Y = point[32..] } });
        Assert.True(key.VerifyData(quote.Attest, (byte[])[.. quote.Signature[6..38], .. quote.Signature[40..72]], HashAlgorithmName.SHA256));
        Assert.Contains("refuses command 173", (await Assert.ThrowsAsync<IOException>(() => tpm.ReadPublicAsync(Key + 1, Patience))).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8001")]
    [InlineData("80010000000900000000")]
    [InlineData("8001ffffffff00000000")]
    [InlineData("80010000000b00000000")]
    [InlineData("8001000000090000000000")]
    [InlineData("80020000000a00000000")]
    [InlineData("80010000000a00000101")]
    [InlineData("80010000000a00000000")]
    [InlineData("80010000001000000000" + "0001ff000000")]
    [InlineData("80010000001100000000" + "00000000000000")]
    public async Task An_answer_that_is_none_is_one_sentence(string answer)
    {
        using var tpm = new TpmDevice(new Answering(Convert.FromHexString(answer)));
        Assert.Matches("^The TPM", (await Assert.ThrowsAsync<IOException>(() => tpm.ReadPublicAsync(Key, Patience))).Message);
    }

    [Theory]
    [InlineData("00000001" + "00000001000b03010000" + "00000000")]
    [InlineData("00000001" + "00000001000b03010000" + "00000002" + "0020")]
    [InlineData("00000001" + "00000001000b03020000" + "00000001" + "0020")]
    [InlineData("00000001" + "00000001000403010000" + "00000001" + "0020")]
    [InlineData("00000001" + "00000001000b03010000" + "00000001" + "0014")]
    public async Task Registers_other_than_those_asked_for_are_refused(string head)
    {
        byte[] body = [.. Convert.FromHexString(head), .. new byte[32]];
        using var tpm = new TpmDevice(new Answering([0x80, 1, 0, 0, 0, (byte)(10 + body.Length), 0, 0, 0, 0, .. body]));
        Assert.Contains("malformed", (await Assert.ThrowsAsync<IOException>(() => tpm.ReadRegistersAsync([0], Patience))).Message);
    }

    [Fact]
    public async Task Registers_are_named_in_order()
    {
        using var tpm = new TpmDevice(new Answering([]));
        foreach (ImmutableArray<int> registers in new ImmutableArray<int>[] { [24], [-1], [1, 1], [2, 1] })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => tpm.ReadRegistersAsync(registers, Patience));
        }
    }

    // TPM2_CreatePrimary of a restricted signing key on P-256 in the owner's hierarchy, and TPM2_EvictControl to where it stays.
    private static async Task<byte[]> MakeKeyAsync(TpmDevice tpm)
    {
        const string session = "00000009400000090000000000", template = "0023000b000500720000" + "0010" + "0018000b" + "0003" + "0010" + "0000" + "0000";
        byte[] made = await tpm.ExecuteAsync(0x8002, 0x131, Convert.FromHexString("40000001" + session + "000400000000" + $"{template.Length / 2:x4}" + template + "0000" + "00000000"), Patience);
        await tpm.ExecuteAsync(0x8002, 0x120, [.. Convert.FromHexString("40000001"), .. made[..4], .. Convert.FromHexString(session), .. Convert.FromHexString($"{Key:x8}")], Patience);

        byte[] area = await tpm.ReadPublicAsync(Key, Patience);
        Assert.Equal(Convert.FromHexString("0023000b"), area[..4]);
        Assert.Equal(Convert.FromHexString("0020"), area[^34..^32]);
        return [.. area[^66..^34], .. area[^32..]];
    }

    private static CancellationToken Patience => TestContext.Current.CancellationToken;

    /// <summary><c>swtpm</c> on a socket of its own.</summary>
    private sealed class SoftwareTpm : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("swtpm-");
        private Process? _process;

        private string Address => Path.Combine(_folder.FullName, "socket");

        public static async Task<SoftwareTpm> StartAsync(CancellationToken cancellation)
        {
            Assert.SkipUnless(File.Exists("/usr/bin/swtpm"), "There is no software TPM on this machine (apt install swtpm).");
            var tpm = new SoftwareTpm();
            tpm._process = Process.Start("/usr/bin/swtpm", ["socket", "--tpm2", "--tpmstate", $"dir={tpm._folder.FullName}", "--server", $"type=unixio,path={tpm.Address}", "--flags", "not-need-init,startup-clear"]);
            while (!File.Exists(tpm.Address))
            {
                await Task.Delay(20, cancellation);
            }
            return tpm;
        }

        public TpmDevice Open()
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(Address));
            return new TpmDevice(new NetworkStream(socket, ownsSocket: true));
        }

        public void Dispose()
        {
            if (_process is { HasExited: false })
            {
                _process.Kill();
                _process.WaitForExit();
            }
            _process?.Dispose();
            _folder.Delete(recursive: true);
        }
    }

    /// <summary>Answers everything with the same bytes, one at a time, and then ends.</summary>
    private sealed class Answering(byte[] answer) : MemoryStream(answer)
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
