using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>A unified kernel image: systemd's stub with kernel, command line, initrd and more as sections (docs/spec/reference-values.md, section 5.3).</summary>
public sealed class UnifiedKernel
{
    public const int MinStubVersion = 252;

    private const string Kernel = ".linux";

    // systemd, src/fundamental/uki.h: the order in which the stub measures. The signature over the result is no part of it.
    private static readonly (string Name, int Since)[] Measured =
    [
        (Kernel, 252), (".osrel", 252), (".cmdline", 252), (".initrd", 252), (".ucode", 256), (".splash", 252), (".dtb", 252),
        (".uname", 254), (".sbat", 254), (".pcrpkey", 252), (".profile", 257), (".hwids", 257),
    ];

    private static readonly string[] ChosenByMachine = [".dtbauto", ".efifw"];

    private UnifiedKernel(PeImage image, int stubVersion, ImmutableArray<(string Name, ReadOnlyMemory<byte> Contents)> sections) =>
        (Image, StubVersion, Sections) = (image, stubVersion, sections);

    public PeImage Image { get; }

    /// <summary>The major version of systemd that the stub is of.</summary>
    public int StubVersion { get; }

    /// <summary>What the stub measures, in its order.</summary>
    public ImmutableArray<(string Name, ReadOnlyMemory<byte> Contents)> Sections { get; }

    /// <summary>The kernel that the stub hands back to the firmware to load.</summary>
    public ReadOnlyMemory<byte> Linux => Sections[0].Contents;

    /// <summary>Empty where the image has none.</summary>
    public ReadOnlyMemory<byte> Initrd => Sections.FirstOrDefault(section => section.Name == ".initrd").Contents;

    /// <summary>The command line of the image; null where it has none, or one that is not ASCII.</summary>
    public string? CommandLine =>
        Sections.FirstOrDefault(section => section.Name == ".cmdline") is { Name: not null, Contents: var contents } && Ascii.IsValid(contents.Span) ? Encoding.ASCII.GetString(contents.Span) : null;

    /// <param name="stubVersion">For a stub that does not name its version; null: it is read from the stub.</param>
    public static bool TryRead(PeImage image, int? stubVersion, [NotNullWhen(true)] out UnifiedKernel? kernel, out MeasurementFault fault)
    {
        kernel = null;
        var names = image.Sections.Select(section => section.Name).ToList();
        int version = stubVersion ?? VersionOf(image);
        fault = names switch
        {
            _ when !names.Contains(Kernel)                                                                       => MeasurementFault.NotUnified,
            _ when ChosenByMachine.Any(names.Contains) || Measured.Any(one => names.Count(name => name == one.Name) > 1) => MeasurementFault.AmbiguousSections,
            _ when !IsKnown(version)                                                                             => MeasurementFault.UnknownStub,
            _ when image.Sections.Any(section => Measured.Any(one => one.Name == section.Name) && section.MemorySize > section.Size) => MeasurementFault.AmbiguousSections,
            _                                                                                                    => MeasurementFault.None,
        };
        if (fault is MeasurementFault.None)
        {
            var sections = from one in Measured
                           where one.Since <= version
                           from section in image.Sections
                           where section.Name == one.Name
                           select (one.Name, image.Contents(section));
            kernel = new(image, version, [.. sections]);
        }
        return fault is MeasurementFault.None;
    }

    /// <summary>PCR 11, or what of it goes into RTMR 2: for each section its name with a NUL and its contents, then the words of the boot's phases.</summary>
    /// <param name="phases">For example <c>enter-initrd</c>, <c>leave-initrd</c>, <c>sysinit</c>, <c>ready</c>, as far as the boot has come; empty: as the stub leaves it.</param>
    public IEnumerable<byte[]> StubEvents(RegisterBank bank, params IEnumerable<string> phases) =>
    [
        .. Sections.SelectMany(section => (byte[][])[MeasuredEvent.Data(bank, [.. Encoding.ASCII.GetBytes(section.Name), 0]), MeasuredEvent.Data(bank, section.Contents.Span)]),
        .. phases.Select(phase => MeasuredEvent.Data(bank, Encoding.ASCII.GetBytes(phase))),
    ];

    // 253 changed which sections are measured in ways that we have not seen documented.
    private static bool IsKnown(int version) => version is >= MinStubVersion and not 253;

    private static int VersionOf(PeImage image)
    {
        const string Mark = "LoaderInfo: systemd-stub ";
        var section = image.Sections.FirstOrDefault(section => section.Name == ".sdmagic");
        string text = Encoding.ASCII.GetString(image.Contents(section).Span);
        int start = text.IndexOf(Mark, StringComparison.Ordinal) is >= 0 and var at ? at + Mark.Length : text.Length;
        string digits = new([.. text[start..].TakeWhile(char.IsAsciiDigit).Take(6)]);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int version) ? version : 0;
    }
}
