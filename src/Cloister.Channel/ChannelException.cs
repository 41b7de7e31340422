namespace Cloister.Channel;

/// <summary>The session ended because of what the peer, or the way to it, did. Nothing more can be read or written.</summary>
/// <remarks>The message names the fault and holds nothing that the peer sent.</remarks>
public sealed class ChannelException(ChannelFault fault, Exception? inner = null) : IOException($"The sealed channel ended: {fault}.", inner)
{
    public ChannelFault Fault { get; } = fault;
}
