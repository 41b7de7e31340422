using System.CommandLine;

namespace Cloister.Cli.Measure;

/// <summary><c>cloister measure</c>: what machines that run an image will measure, computed from its files.</summary>
internal static class MeasureCommand
{
    public static Command Make() => new("measure", "Compute from the files of an image what the hardware will measure: reference values for a release.")
    {
        SnpCommand.Make(),
        TdxCommand.Make(),
        TpmCommand.Make(),
    };
}
