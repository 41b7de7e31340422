using System.CommandLine;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;

namespace Cloister.Cli.Collateral;

/// <summary><c>cloister collateral</c>: beside a host's enclaves, fetches what the makers of their hardware say of it (docs/spec/collateral.md).</summary>
internal static class CollateralCommand
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(20);

    public static Command Make()
    {
        var folders = new Argument<string[]>("folder") { Description = "One for each enclave. It says in 'wanted' what it needs, and finds it in 'endorsements'; both are made where they lack.", Arity = ArgumentArity.OneOrMore };
        var report = new Option<string?>("--report") { Description = "An SEV-SNP report or TDX quote of the one enclave, for one that cannot say itself what it needs.", HelpName = "FILE" };
        var once = new Option<bool>("--once") { Description = "One look, for a timer. The exit code is 0 only if everything that is wanted is there." };
        var kept = new Option<string?>("--kept") { Description = "Where answers are kept. Left out: ~/.local/share/cloister/collateral.", HelpName = "DIR" };
        var amd = Address("--amd", "AMD's key distribution service, or a mirror.", Vendors.UsualAmd);
        var intel = Address("--intel", "Intel's provisioning certification service, or a mirror.", Vendors.UsualIntel);
        var intelRoot = Address("--intel-root-list", "The revocation list of Intel's root.", Vendors.UsualIntelRootList);
        var manifests = Address("--nvidia-manifests", "NVIDIA's reference integrity manifests.", Vendors.UsualNvidiaManifests);
        var ocsp = Address("--nvidia-ocsp", "NVIDIA's responder for revocation.", Vendors.UsualNvidiaOcsp);

        var collateral = new TaughtCommand("collateral", "Keep what AMD, Intel and NVIDIA say of this host's enclaves where those find it. Nobody trusts it: clients verify everything themselves.", """
            cloister collateral /srv/enclaves/one /srv/enclaves/two
            cloister collateral /srv/enclaves/one --report report.bin --once
            """)
        { folders, report, once, kept, amd, intel, intelRoot, manifests, ocsp };
        collateral.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            var vendors = new Vendors
            {
                Amd = Folder(parsed.GetRequiredValue(amd)),
                Intel = Folder(parsed.GetRequiredValue(intel)),
                IntelRootList = Vendors.ReadAddress(parsed.GetRequiredValue(intelRoot)),
                NvidiaManifests = Folder(parsed.GetRequiredValue(manifests)),
                NvidiaOcsp = Vendors.ReadAddress(parsed.GetRequiredValue(ocsp)),
            };
            string[] enclaves = parsed.GetRequiredValue(folders);
            try
            {
                if (parsed.GetValue(report) is { } file)
                {
                    WriteWanted(enclaves, file);
                }
                return await RunAsync(enclaves, Make(parsed.GetValue(kept)), vendors, parsed.GetValue(once), interruption.Token);
            }
            catch (IOException fault)
            {
                throw new CommandFault(ExitCode.Usage, fault.Message, fault);
            }
        });
        return collateral;
    }

    private static async Task<int> RunAsync(string[] enclaves, SharedFolder kept, Vendors vendors, bool once, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new CommandFault(ExitCode.Usage, "Enclaves have their hosts on Linux, and so has this.");
        }

        // Two of us would write each other's drafts.
        using var alone = Lock(kept);
        using var web = new VendorWeb(TimeProvider.System);
        var answers = new KeptAnswers(web, kept, TimeProvider.System);
        var rounds = enclaves.Select(folder => new CollateralRounds(Make(Path.Combine(folder, "wanted")), Make(Path.Combine(folder, "endorsements")), answers, vendors, TimeProvider.System)).ToList();
        string said = "";
        while (true)
        {
            bool whole = true;
            var sentences = new List<string>();
            foreach (var enclave in rounds)
            {
                var round = await enclave.RunAsync(cancellation);
                whole &= round.IsWhole;
                sentences.AddRange(round.Faults);
                round.Written.ForEach(name => Console.Out.WriteLine(Path.Combine(enclave.Endorsements.Path, name)));
            }

            // The same fault is told once, not three times a minute.
            string now = string.Join('\n', sentences);
            if (now != said)
            {
                sentences.ForEach(Speech.Error.WriteSentence);
                said = now;
            }
            if (once)
            {
                return whole ? ExitCode.Done : ExitCode.Unreachable;
            }
            try
            {
                await Task.Delay(Period, cancellation);
            }
            catch (OperationCanceledException)
            {
                return ExitCode.Done;
            }
        }
    }

    // For an enclave that shares no folder to write into: its report says the same.
    private static void WriteWanted(string[] enclaves, string file)
    {
        if (enclaves is not [var only])
        {
            throw new CommandFault(ExitCode.Usage, "--report is about one enclave: name one folder with it.");
        }
        if (!File.Exists(file))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no report '{file}'.");
        }
        byte[] report = File.ReadAllBytes(file);
        var wanted = SnpReport.TryParse(report, out var snp, out _) ? new WantedCollateral { Snp = SnpWant.Of(snp) }
            : TdxQuote.TryParse(report, out var quote, out _) ? new WantedCollateral { Tdx = TdxWant.Of(quote, out _) }
            : throw new CommandFault(ExitCode.Usage, $"{file} is neither an SEV-SNP report nor a TDX quote.");
        byte[] json = wanted.ToBytes();
        if (!WantedCollateral.TryParse(json, out _))
        {
            throw new CommandFault(ExitCode.Usage, $"{file} does not name the processor that it is of, as reports of version 2 do not.");
        }
        Make(Path.Combine(only, "wanted")).Replace(WantedCollateral.FileName, json);
    }

    private static FileStream Lock(SharedFolder kept)
    {
        try
        {
            return new FileStream(Path.Combine(kept.Path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException fault)
        {
            throw new CommandFault(ExitCode.Usage, $"Another 'cloister collateral' keeps its answers in {kept.Path}: one serves every enclave of a host.", fault);
        }
    }

    private static SharedFolder Make(string? path) => new(Directory.CreateDirectory(path ?? DataFolder.Default.CollateralPath).FullName);

    private static Uri Folder(string text) => Vendors.ReadAddress(text.TrimEnd('/') + "/");

    private static Option<string> Address(string name, string description, string usual) => new(name) { Description = description, DefaultValueFactory = _ => usual, HelpName = "URL" };
}
