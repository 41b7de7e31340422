using System.Collections.Immutable;
using System.CommandLine;
using Cloister.Attestation.ReferenceValues;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Measure;

/// <summary><c>cloister measure tpm</c>: platform configuration registers after the boot of a unified kernel image.</summary>
internal static class TpmCommand
{
    private const RegisterBank Bank = RegisterBank.Sha256;

    private static readonly int[] Usual = [4, 7, 11];

    private static readonly int[] Known = [4, 7, 9, 11];

    public static Command Make()
    {
        var uki = new Option<string>("--uki") { Description = "The unified kernel image, as the firmware finds it (signed, if it is).", HelpName = "FILE", Required = true };
        var shape = MeasureOptions.Shape();
        var stub = new Option<int?>("--stub-version") { Description = "The version of systemd that the stub is of, where it does not say.", HelpName = "N" };
        var failed = new Option<int>("--failed-boot-options") { Description = "How many boot options the firmware tries in vain before: each is measured into PCR 4.", HelpName = "N" };
        var outside = new Option<bool>("--kernel-unmeasured") { Description = "The firmware does not measure the kernel within the image into PCR 4: with Secure Boot, stubs of 252 load it past the firmware." };
        var phases = new Option<string>("--phases") { Description = "How far the boot has come when PCR 11 is read, for example enter-initrd:leave-initrd:sysinit:ready. Left out: as the stub leaves it.", HelpName = "WORDS", DefaultValueFactory = _ => "" };
        var platformKey = MeasureOptions.File("--pk", "Secure Boot: the variable PK, without the attributes in front. With any of these five options Secure Boot is on.");
        var exchange = MeasureOptions.File("--kek", "Secure Boot: the variable KEK.");
        var allowed = MeasureOptions.File("--db", "Secure Boot: the variable db.");
        var forbidden = MeasureOptions.File("--dbx", "Secure Boot: the variable dbx.");
        var authorities = MeasureOptions.Files("--authority", "Secure Boot: an entry of db (owner and certificate) that vouches for what is loaded; once for each, in the order of loading.");
        var pcrs = new Option<int[]>("--pcr") { Description = "Which registers: 4, 7, 9, 11; once for each. Left out: 4, 7 and 11.", HelpName = "N", DefaultValueFactory = _ => Usual };
        var json = MeasureOptions.Json();

        var tpm = new TaughtCommand("tpm", "A TPM's registers (SHA-256) after UEFI firmware booted a unified kernel image.", """
            cloister measure tpm --uki cloister.efi --shape vm
            cloister measure tpm --uki cloister.efi --shape vm --phases enter-initrd:leave-initrd --pk PK --kek KEK --db db --dbx dbx --authority db-entry --json
            """)
        { uki, shape, stub, failed, outside, phases, platformKey, exchange, allowed, forbidden, authorities, pcrs, json };
        tpm.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(uki);
            var kernel = MeasuredFile.ReadUnifiedKernel(path, parsed.GetValue(stub));
            var variables = ReadVariables(parsed.GetValue(platformKey), parsed.GetValue(exchange), parsed.GetValue(allowed), parsed.GetValue(forbidden), parsed.GetRequiredValue(authorities));
            int vain = parsed.GetValue(failed);
            MeasureOptions.Require(vain is >= 0 and <= 100, "--failed-boot-options takes 0 to 100.");
            string[] words = parsed.GetRequiredValue(phases).Split(':', StringSplitOptions.RemoveEmptyEntries);
            int[] wanted = [.. parsed.GetRequiredValue(pcrs).Distinct().Order()];
            MeasureOptions.Require(wanted.All(Known.Contains), "--pcr takes 4, 7, 9 or 11.");

            IEnumerable<byte[]> Events(int register) => register switch
            {
                4 => PlatformRegisters.BootManagerEvents(Bank, vain, Applications(kernel, path, parsed.GetValue(outside))),
                7 => variables.Events(Bank),
                9 => PlatformRegisters.KernelEvents(Bank, kernel.CommandLine ?? throw new CommandFault(ExitCode.Usage, $"{path} has no command line of its own in ASCII: its PCR 9 is not known."), kernel.Initrd.Span),
                _ => kernel.StubEvents(Bank, words),
            };
            return MeasurementOutput.Write(new TpmReference(parsed.GetRequiredValue(shape), [.. wanted.Select(index => new Pcr(index, Hex.Encode(MeasuredRegister.Replay(Bank, Events(index)))))]), parsed.GetValue(json));
        });
        return tpm;
    }

    private static IEnumerable<byte[]> Applications(UnifiedKernel kernel, string path, bool kernelOutside)
    {
        yield return MeasuredEvent.Application(Bank, kernel.Image);
        if (!kernelOutside)
        {
            yield return MeasuredEvent.Application(Bank, MeasuredFile.ToImage(kernel.Linux, $"The kernel in {path}"));
        }
    }

    private static SecureBootVariables ReadVariables(string? platformKey, string? exchange, string? allowed, string? forbidden, string[] authorities)
    {
        bool on = (platformKey ?? exchange ?? allowed ?? forbidden) is not null || authorities.Length > 0;
        return !on ? SecureBootVariables.Off : new SecureBootVariables
        {
            SecureBoot = new byte[] { 1 },
            PlatformKey = MeasuredFile.ReadOrNothing(platformKey),
            KeyExchangeKeys = MeasuredFile.ReadOrNothing(exchange),
            Allowed = MeasuredFile.ReadOrNothing(allowed),
            Forbidden = MeasuredFile.ReadOrNothing(forbidden),
            Authorities = [.. authorities.Select(path => (ReadOnlyMemory<byte>)MeasuredFile.Read(path))],
        };
    }
}
