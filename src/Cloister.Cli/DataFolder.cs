using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Simulation;

namespace Cloister.Cli;

/// <summary>What the command keeps on this machine: the development authority, its policy, pulled models, and where <c>up</c> runs.</summary>
internal sealed class DataFolder(string path)
{
    /// <summary><c>$XDG_DATA_HOME/cloister</c>, usually <c>~/.local/share/cloister</c>.</summary>
    public static DataFolder Default => new(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "cloister"));

    public string ModelsPath => Path.Combine(path, "models");

    public string CollateralPath => Path.Combine(path, "collateral");

    public string PolicyPath => Path.Combine(path, "policy.json");

    /// <summary>What was accepted of each log.</summary>
    public string CheckpointsPath => Path.Combine(path, "checkpoints");

    /// <summary>The development log, its witnesses, its publisher, and what was published there.</summary>
    public string LogPath => Path.Combine(path, "log");

    /// <summary>This machine's way to an account, and the account's history: for this user's eyes only.</summary>
    public string AccountPath => Path.Combine(path, "account");

    /// <summary>Accounts at the operator that <c>up</c> runs: what it may see of them.</summary>
    public string AccountsDatabase => Path.Combine(path, "accounts.db");

    private string AuthorityPath => Path.Combine(path, "authority.json");

    private string AddressPath => Path.Combine(path, "address");

    /// <summary>The address of the deployment that <c>up</c> runs, or ran last.</summary>
    public Uri? Address
    {
        get => File.Exists(AddressPath) && Uri.TryCreate(File.ReadAllText(AddressPath).Trim(), UriKind.Absolute, out var address) ? address : null;
        set
        {
            Directory.CreateDirectory(path);
            File.WriteAllText(AddressPath, $"{value}\n");
        }
    }

    /// <summary>The authority that signs simulated evidence, made on first use. Its key is for this user's eyes only.</summary>
    public DevelopmentAuthority OpenAuthority(DateTimeOffset now)
    {
        if (File.Exists(AuthorityPath))
        {
            try
            {
                return DevelopmentAuthority.Load(File.ReadAllBytes(AuthorityPath));
            }
            catch (Exception fault) when (fault is JsonException or FormatException or CryptographicException)
            {
                throw new CommandFault(ExitCode.Usage, $"The development authority in {AuthorityPath} is not readable: remove the file, and a new one is made.", fault);
            }
        }

        Directory.CreateDirectory(path);
        var authority = DevelopmentAuthority.Create(now);
        var forThisUser = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            forThisUser.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using var file = new FileStream(AuthorityPath, forThisUser);
        file.Write(authority.Save());
        return authority;
    }

    /// <summary>Writes the policy that accepts what this machine's authority vouches for, and nothing else.</summary>
    public void WritePolicy(AppraisalPolicy policy)
    {
        Directory.CreateDirectory(path);
        File.WriteAllBytes(PolicyPath, policy.ToBytes());
    }
}
