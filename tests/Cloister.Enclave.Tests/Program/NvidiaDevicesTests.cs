using System.Buffers.Binary;
using Cloister.Enclave.Evidence;

namespace Cloister.Enclave.Tests.Program;

/// <summary>GPUs behind their library's table of functions, as its header describes them. No real one was ever behind it.</summary>
public class NvidiaDevicesTests
{
    private static readonly byte[] Nonce = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    [Fact]
    public void Each_device_signs_the_nonce_and_shows_its_chain()
    {
        var library = new Library { Devices = 2 };
        using (var devices = NvidiaDevices.Open(library.Functions()))
        {
            Assert.Equal(2, devices.Count);
            var answers = devices.Attest(Nonce);
            Assert.Equal([[0xe0, .. Nonce, 100], [0xe0, .. Nonce, 101]], answers.Select(answer => (byte[])[answer.Report[1], .. answer.Report[4..36], answer.Report[^1]]));
            Assert.Equal([[100, 1], [101, 1]], answers.Select(answer => answer.CertificateChain));
        }
        Assert.Equal(0, library.Open);
    }

    [Fact]
    public void The_structures_have_the_sizes_of_the_header() =>
        Assert.Equal((12, 3 * 4 + 32 + 0x2000 + 0x1000, 2 * 4 + 0x1000 + 0x1400), (NvmlState.Size, NvmlReport.Size, NvmlCertificate.Size));

    public static TheoryData<string, Library> Faults => new()
    {
        { "not in confidential mode", new Library { Feature = 0 } },
        { "not in confidential mode", new Library { Tools = 1 } },
        { "has 0 GPUs", new Library { Devices = 0 } },
        { "has 65 GPUs", new Library { Devices = 65 } },
        { "could not be opened: their library says 9", new Library { Initialised = 9 } },
        { "could not report: their library says 3", new Library { Reported = 3 } },
        { "not over what it was asked", new Library { Echo = 1 } },
        { "a length that none can have", new Library { ReportLength = 35 } },
        { "a length that none can have", new Library { ReportLength = 0x2001 } },
        { "a length that none can have", new Library { ChainLength = 0 } },
        { "a length that none can have", new Library { ChainLength = 0x1401 } },
    };

    [Theory, MemberData(nameof(Faults))]
    public void A_fault_is_one_sentence_and_the_library_is_left(string words, Library library)
    {
        var fault = Assert.Throws<IOException>(() =>
        {
            using var devices = NvidiaDevices.Open(library.Functions());
            devices.Attest(Nonce);
        });
        Assert.Contains(words, fault.Message);
        Assert.Equal(0, library.Open);
    }

    [Fact]
    public void A_machine_without_a_driver_is_one_sentence()
    {
        Assert.SkipWhen(File.Exists("/proc/driver/nvidia/version"), "This machine has a driver.");
        Assert.Contains("no driver", Assert.Throws<IOException>(NvidiaDevices.Open).Message);
    }

    [Fact]
    public void A_nonce_has_32_bytes()
    {
        using var devices = NvidiaDevices.Open(new Library().Functions());
        Assert.Throws<ArgumentOutOfRangeException>(() => devices.Attest(new byte[31]));
    }

    /// <summary>The driver's library, and what is other than it should be in it.</summary>
    public sealed class Library
    {
        public int Open { get; private set; }
        public int Initialised { get; init; }
        public uint Feature { get; init; } = 1;
        public uint Tools { get; init; }
        public uint Devices { get; init; } = 1;
        public int Reported { get; init; }
        public byte Echo { get; init; }
        public int ReportLength { get; init; } = 400;
        public int ChainLength { get; init; } = 2;

        internal Nvml Functions() => new()
        {
            Initialise = () =>
            {
                Open += Initialised == 0 ? 1 : 0;
                return Initialised;
            },
            ShutDown = () =>
            {
                Open--;
                return 0;
            },
            Count = (out count) =>
            {
                count = Devices;
                return 0;
            },
            Handle = (index, out device) =>
            {
                device = (nint)index + 100;
                return 0;
            },
            State = state =>
            {
                BinaryPrimitives.WriteUInt32LittleEndian(state[4..], Feature);
                BinaryPrimitives.WriteUInt32LittleEndian(state[8..], Tools);
                return 0;
            },
            Report = (device, structure) =>
            {
                BinaryPrimitives.WriteInt32LittleEndian(structure[4..], ReportLength);
                var report = structure[44..];
                (report[0], report[1]) = (0x11, 0xe0);
                structure.Slice(12, 32).CopyTo(report[4..]);
                report[4] ^= Echo;
                report[Math.Min(ReportLength, 0x2000) - 1] = (byte)device;
                return Reported;
            },
            Certificate = (device, structure) =>
            {
                BinaryPrimitives.WriteInt32LittleEndian(structure[4..], ChainLength);
                (structure[8 + 0x1000], structure[8 + 0x1000 + 1]) = ((byte)device, 1);
                return 0;
            },
        };

        public override string ToString() => $"{Initialised} {Feature} {Tools} {Devices} {Reported} {Echo} {ReportLength} {ChainLength}";
    }
}
