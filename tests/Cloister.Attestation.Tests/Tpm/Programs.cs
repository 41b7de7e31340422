using System.Diagnostics;

namespace Cloister.Attestation.Tests;

/// <summary>Real programs beside the tests: a software TPM, its tools, a machine without acceleration.</summary>
internal static class Programs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static void SkipWithout(params string[] files)
    {
        string? missing = Array.Find(files, file => !File.Exists(file));
        Assert.SkipWhen(missing is not null, $"There is no {missing}: ./test installs it, or apt-get install swtpm tpm2-tools qemu-system-x86 ovmf.");
    }

    public static Process Start(string program, IDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    /// <summary>Waits for the program's end and returns what it said; it is ended where it takes too long.</summary>
    public static async Task<(int Code, string Text)> RunAsync(string program, IDictionary<string, string> environment, params string[] arguments)
    {
        using var process = Start(program, environment, arguments);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output + await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}

/// <summary>A software TPM of its own state, in a folder that goes with it.</summary>
internal sealed class SoftwareTpm : IDisposable
{
    public const string Program = "/usr/bin/swtpm";

    private readonly Process _process;

    private SoftwareTpm(string folder, Process process) => (Folder, _process) = (folder, process);

    public string Folder { get; }

    /// <summary>Where a machine's emulator takes hold of it.</summary>
    public string Control => Path.Combine(Folder, "tpm.ctrl");

    /// <summary>What the TPM's tools need to find it.</summary>
    public Dictionary<string, string> Environment => new() { ["TPM2TOOLS_TCTI"] = $"swtpm:path={Folder}/tpm" };

    /// <param name="forMachine">For an emulated machine, which brings its own channel, or for tools.</param>
    public static async Task<SoftwareTpm> StartAsync(bool forMachine)
    {
        Programs.SkipWithout(Program);
        string folder = Directory.CreateTempSubdirectory("cloister-tpm").FullName;
        string[] arguments = ["socket", "--tpm2", "--tpmstate", $"dir={folder}", "--ctrl", $"type=unixio,path={folder}/tpm.ctrl",
            .. forMachine ? (string[])[] : ["--server", $"type=unixio,path={folder}/tpm", "--flags", "not-need-init,startup-clear"]];
        var tpm = new SoftwareTpm(folder, Programs.Start(Program, new Dictionary<string, string>(), arguments));
        string awaited = forMachine ? tpm.Control : Path.Combine(folder, "tpm");
        for (int i = 0; i < 200 && !File.Exists(awaited); i++)
        {
            await Task.Delay(25);
        }
        return tpm;
    }

    /// <summary>Runs one of the TPM's tools, with @ for the folder. What it loaded into the TPM's few places is put out again.</summary>
    public async Task ToolAsync(string tool, params string[] arguments)
    {
        await RunToolAsync(tool, arguments);
        await RunToolAsync("tpm2_flushcontext", "-t");
    }

    private async Task RunToolAsync(string tool, params string[] arguments)
    {
        var (code, text) = await Programs.RunAsync($"/usr/bin/{tool}", Environment, [.. arguments.Select(argument => argument.Replace("@", $"{Folder}/", StringComparison.Ordinal))]);
        Assert.True(code == 0, $"{tool}: {text}");
    }

    public byte[] Read(string file) => File.ReadAllBytes(Path.Combine(Folder, file));

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
