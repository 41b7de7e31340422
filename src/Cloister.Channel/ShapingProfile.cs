namespace Cloister.Channel;

/// <summary>How much the sizes and times of records say. A greater value says less. Docs/spec/channel.md, section 7.</summary>
/// <remarks>The numbers are frozen: they are sent in the handshake.</remarks>
public enum ShapingProfile : byte
{
    /// <summary>Records are as long as their data and leave at once. Only for an enclave whose measured configuration says so.</summary>
    None = 1,

    /// <summary>Records have one of four sizes and leave at once.</summary>
    Padded = 2,

    /// <summary>As <see cref="Padded"/>, and while an answer is in progress records leave at a fixed pace, with or without data.</summary>
    Paced = 3,
}
