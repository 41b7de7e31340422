using Cloister.Channel.Records;

namespace Cloister.Channel.Shaping;

/// <summary>The lengths of records that the network sees. Docs/spec/channel.md, section 7.</summary>
internal static class RecordSizes
{
    public const int Small = 256;
    public const int Medium = 1024;
    public const int Large = 4096;
    public const int Bulk = Record.MaxLength;

    /// <summary>How many bytes of data a record of that length carries.</summary>
    public static int Capacity(int size) => size - Record.Overhead;

    /// <summary>The smallest size that carries so much data; the largest, where none does.</summary>
    public static int For(int length) =>
        length <= Capacity(Small)  ? Small
      : length <= Capacity(Medium) ? Medium
      : length <= Capacity(Large)  ? Large
      :                              Bulk;

    /// <summary>Whether a record of that length may arrive at all.</summary>
    public static bool Allows(this ShapingProfile profile, int size) =>
        profile is ShapingProfile.None ? size is >= Record.Overhead and <= Record.MaxLength : size is Small or Medium or Large or Bulk;
}
