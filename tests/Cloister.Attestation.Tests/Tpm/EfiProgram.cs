using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>
/// A program for UEFI machines on x86-64 that asks the firmware for its event log (EFI_TCG2_PROTOCOL.GetEventLog) and gives the TPM the commands that are
/// written behind it (SubmitCommand), again where the TPM says TPM_RC_RETRY. To port e9 it writes eight bytes of the last event's offset, 64 KiB of log and 4 KiB for
/// each answer; then it writes to port f4, which ends the machine.
/// </summary>
internal static class EfiProgram
{
    public const int LogSize = 64 * 1024;
    public const int AnswerSize = 4 * 1024;

    private const int Header = 0x200;
    private const int Section = 0x400;

    // 64 bytes of DOS and 4 of PE, 20 of COFF: here the optional header begins.
    private const int Optional = 88;

    // Made with GNU as from: LocateProtocol(607f766c-7455-42be-930b-e4d76db2720f), GetEventLog(TCG_2), outs, { SubmitCommand, outs }, out f4, cli, hlt.
    private const string Code =
        "554889e54881ec60200000488b4260488d0db000000031d24c8d45f8ff90400100004885c00f8592000000488b4df8ba020000004c8d45f04c8d4de8488d45e0"
        + "4889442420ff51084885c07570488b7df048297de8488d75e8b908000000bae9000000f36e4889feb900000100f36e488d1d600000008b1385d274414c8d4304"
        + "488b4df841b900100000488d7c244048897c2420ff51184885c07521817f060000092274d18b03488d5c03044889feb900100000bae9000000f36eebb966baf4"
        + "00effaf4ebf76c767f605574be42930be4d76db2720f";

    public static byte[] Make(params byte[][] commands)
    {
        byte[] code = Convert.FromHexString(Code);
        byte[] text = [.. code, .. commands.SelectMany(command => (byte[])[.. BitConverter.GetBytes(command.Length), .. command]), 0, 0, 0, 0];
        Assert.True(text.Length <= Section);

        var image = new byte[Header + Section];
        "MZ"u8.CopyTo(image);
        image[60] = 64;
        "PE\0\0"u8.CopyTo(image.AsSpan(64));
        UInt16(68, 0x8664, 1);                              // x86-64, one section
        UInt16(84, 240, 0x22);                              // size of the optional header; executable, large addresses
        UInt16(Optional, 0x20b);                            // PE32+
        UInt32(Optional + 4, Section, 0, 0, 0x1000, 0x1000); // code, data, nothing more, entry, base
        UInt32(Optional + 32, 0x1000, 0x200);               // alignments
        UInt32(Optional + 56, 0x2000, Header);              // sizes of image and header
        UInt16(Optional + 68, 10);                          // an EFI application
        UInt32(Optional + 108, 16);                         // empty directories
        Encoding.ASCII.GetBytes(".text").CopyTo(image, Optional + 240);
        UInt32(Optional + 248, (uint)text.Length, 0x1000, Section, Header);
        UInt32(Optional + 276, 0x6000_0020);                // code, executable, readable
        text.CopyTo(image, Header);
        return image;

        void UInt16(int offset, params ushort[] values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(offset + 2 * i), values[i]);
            }
        }

        void UInt32(int offset, params uint[] values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(offset + 4 * i), values[i]);
            }
        }
    }

    /// <summary>What the firmware measures of such a program: all of it but its check sum and the place of its signature (Authenticode, in lower-case hex).</summary>
    public static string Digest(byte[] image) =>
        Hex.Encode(SHA256.HashData([.. image[..(Optional + 64)], .. image[(Optional + 68)..(Optional + 144)], .. image[(Optional + 152)..]]));
}
