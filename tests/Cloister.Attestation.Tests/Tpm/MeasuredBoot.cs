using System.Buffers.Binary;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>A machine that really starts: OVMF measures into a software TPM, its log and a quote come out. Recorded once, or made now.</summary>
internal sealed record MeasuredBoot(byte[] Program, TpmEvidence Evidence)
{
    private const string Emulator = "/usr/bin/qemu-system-x86_64";
    private const string Firmware = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    private const string Variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    // TPM2_CreatePrimary of a restricted P-256 key under the endorsement hierarchy; TPM2_Quote of registers 0 to 7; TPM2_PCR_Read of the same. Password sessions, no password.
    private const string Session = "00000009400000090000000000";
    private const string Template = "0023000b00050072000000100018000b0003001000000000";
    private const string Selection = "00000001000b03ff0000";

    public static readonly byte[] Nonce = TpmQuote.ExtraDataOf("a measured boot of our own"u8);

    private static string Recorded => Path.Combine(Repository.Root, "tests", "Cloister.Attestation.Tests", "Tpm", "Recorded");

    public static MeasuredBoot Read() => new(File.ReadAllBytes(Path.Combine(Recorded, "program.bin")), new TpmEvidence
    {
        Quote = File.ReadAllBytes(Path.Combine(Recorded, "quote.bin")),
        Signature = File.ReadAllBytes(Path.Combine(Recorded, "signature.bin")),
        Key = File.ReadAllBytes(Path.Combine(Recorded, "key.bin")),
        RegisterValues = File.ReadAllBytes(Path.Combine(Recorded, "registers.bin")),
        EventLog = File.ReadAllBytes(Path.Combine(Recorded, "log.bin")),
    });

    public void Write()
    {
        Directory.CreateDirectory(Recorded);
        File.WriteAllBytes(Path.Combine(Recorded, "program.bin"), Program);
        File.WriteAllBytes(Path.Combine(Recorded, "quote.bin"), Evidence.Quote.Span);
        File.WriteAllBytes(Path.Combine(Recorded, "signature.bin"), Evidence.Signature.Span);
        File.WriteAllBytes(Path.Combine(Recorded, "key.bin"), Evidence.Key.Span);
        File.WriteAllBytes(Path.Combine(Recorded, "registers.bin"), Evidence.RegisterValues.Span);
        File.WriteAllBytes(Path.Combine(Recorded, "log.bin"), Evidence.EventLog.Span);
    }

    public static async Task<MeasuredBoot> RunAsync()
    {
        Programs.SkipWithout(SoftwareTpm.Program, Emulator, Firmware, Variables);
        byte[] program = EfiProgram.Make(
            Command(0x8002, 0x131, $"4000000b{Session}000400000000{Template.Length / 2:x4}{Template}000000000000"),
            Command(0x8002, 0x158, $"80000000{Session}0020{Convert.ToHexStringLower(Nonce)}0010{Selection}"),
            Command(0x8001, 0x17e, Selection));

        using var tpm = await SoftwareTpm.StartAsync(forMachine: true);
        string disk = Directory.CreateDirectory(Path.Combine(tpm.Folder, "disk", "EFI", "BOOT")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(disk, "BOOTX64.EFI"), program);
        File.Copy(Variables, Path.Combine(tpm.Folder, "variables"));
        var (code, text) = await Programs.RunAsync(Emulator, new Dictionary<string, string>(),
            "-machine", "q35,accel=tcg", "-m", "128", "-display", "none", "-serial", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
            "-drive", $"if=pflash,format=raw,readonly=on,file={Firmware}", "-drive", $"if=pflash,format=raw,file={tpm.Folder}/variables",
            "-drive", $"format=raw,file=fat:rw:{tpm.Folder}/disk",
            "-chardev", $"socket,id=tpm,path={tpm.Control}", "-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm",
            "-chardev", $"file,id=out,path={tpm.Folder}/out", "-device", "isa-debugcon,iobase=0xe9,chardev=out", "-device", "isa-debug-exit,iobase=0xf4");
        Assert.True((code & 1) == 1, $"The machine did not end by the program's word ({code}): {text}");
        return Read(program, tpm.Read("out"));
    }

    private static MeasuredBoot Read(byte[] program, byte[] output)
    {
        Assert.Equal(sizeof(ulong) + EfiProgram.LogSize + 3 * EfiProgram.AnswerSize, output.Length);
        var log = output.AsSpan(sizeof(ulong), EfiProgram.LogSize);
        var (created, quoted, registers) = (Answer(0), Answer(1), Answer(2));

        // Behind the head: the handle and the size of what follows it, or that size alone.
        byte[] parameters = created[18..];
        int keyLength = BinaryPrimitives.ReadUInt16BigEndian(parameters);
        byte[] quote = quoted[14..];
        int quoteLength = BinaryPrimitives.ReadUInt16BigEndian(quote);
        int signatureLength = BinaryPrimitives.ReadInt32BigEndian(quoted.AsSpan(10)) - 2 - quoteLength;

        // Behind the head: a counter of updates and the selection; then eight digests, each with its size.
        byte[] values = [.. Enumerable.Range(0, 8).SelectMany(i => registers[(28 + 34 * i + 2)..(28 + 34 * i + 34)])];
        return new MeasuredBoot(program, new TpmEvidence
        {
            Key = parameters.AsMemory(2, keyLength),
            Quote = quote.AsMemory(2, quoteLength),
            Signature = quote.AsMemory(2 + quoteLength, signatureLength),
            RegisterValues = values,
            EventLog = log[..EndOf(log, (int)BinaryPrimitives.ReadUInt64LittleEndian(output))].ToArray(),
        });

        byte[] Answer(int number)
        {
            byte[] answer = output[(sizeof(ulong) + EfiProgram.LogSize + number * EfiProgram.AnswerSize)..];
            Assert.Equal(0, BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(6)));
            return answer[..BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(2))];
        }
    }

    // The firmware says where the last event begins; its digests and its data say where it ends.
    private static int EndOf(ReadOnlySpan<byte> log, int last)
    {
        int offset = last + 12;
        for (int count = BinaryPrimitives.ReadInt32LittleEndian(log[(last + 8)..]); count > 0; count--)
        {
            offset += 2 + TpmHashes.SizeOf((TpmHash)BinaryPrimitives.ReadUInt16LittleEndian(log[offset..]));
        }
        return offset + 4 + BinaryPrimitives.ReadInt32LittleEndian(log[offset..]);
    }

    private static byte[] Command(ushort tag, uint code, string body) => Convert.FromHexString($"{tag:x4}{10 + body.Length / 2:x8}{code:x8}{body}");
}
