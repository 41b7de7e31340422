using System.Buffers;
using Cloister.Channel.Noise;
using Cloister.Channel.Records;
using Cloister.Primitives;

namespace Cloister.Channel;

/// <summary>What a handshake leaves behind.</summary>
internal sealed record SealedSession(RecordSealer Sealer, RecordOpener Opener, ShapingProfile Shaping, byte[] HandshakeHash)
{
    /// <summary>The client's handshake. Docs/spec/channel.md, sections 1 to 3.</summary>
    public static async Task<(ChannelFault, SealedSession?)> RequestAsync(
        MessageTransport transport, X25519PublicKey channelKey, ReadOnlyMemory<byte> statementHash, ShapingProfile shaping, CancellationToken cancellationToken)
    {
        using var handshake = SealedHandshake.Initiate(channelKey, statementHash.Span);
        using var buffer = MemoryPool<byte>.Shared.Rent(SealedHandshake.RequestLength);

        var request = buffer.Memory[..SealedHandshake.RequestLength];
        if (handshake.WriteRequest(new(SealedHandshake.Version, SealedHandshake.Version, shaping), request.Span) is var unable and not ChannelFault.None)
        {
            return (unable, null);
        }
        await transport.SendAsync(request, cancellationToken).ConfigureAwait(false);

        int length = await transport.ReceiveAsync(buffer.Memory, cancellationToken).ConfigureAwait(false);
        if (Length(length) is var cut and not ChannelFault.None)
        {
            return (cut, null);
        }
        var fault = handshake.ReadAgreement(buffer.Memory.Span[..length], out var agreement);
        return fault is not ChannelFault.None                  ? (fault, null)
             : agreement.Version != SealedHandshake.Version    ? (handshake.Refuse(ChannelFault.NoCommonVersion), null)
             : agreement.Shaping != shaping                    ? (handshake.Refuse(ChannelFault.ShapingRefused), null)
             :                                                   (ChannelFault.None, Of(handshake, shaping));
    }

    /// <summary>The enclave's handshake.</summary>
    /// <param name="floor">The least shaping that is accepted.</param>
    public static async Task<(ChannelFault, SealedSession?)> RespondAsync(
        MessageTransport transport, X25519PrivateKey channelKey, ReadOnlyMemory<byte> statementHash, ShapingProfile floor, CancellationToken cancellationToken)
    {
        using var handshake = SealedHandshake.Respond(channelKey, statementHash.Span);
        await transport.WaitAsync(cancellationToken).ConfigureAwait(false);
        using var buffer = MemoryPool<byte>.Shared.Rent(SealedHandshake.RequestLength);

        int length = await transport.ReceiveAsync(buffer.Memory, cancellationToken).ConfigureAwait(false);
        if (Length(length) is var cut and not ChannelFault.None)
        {
            return (cut, null);
        }
        var fault = handshake.ReadRequest(buffer.Memory.Span[..length], out var request);
        if (fault is not ChannelFault.None)
        {
            return (fault, null);
        }
        if (request.OldestVersion > SealedHandshake.Version)
        {
            return (handshake.Refuse(ChannelFault.NoCommonVersion), null);
        }
        if (request.Shaping < floor)
        {
            return (handshake.Refuse(ChannelFault.ShapingRefused), null);
        }

        var agreement = buffer.Memory[..SealedHandshake.AgreementLength];
        fault = handshake.WriteAgreement(new(SealedHandshake.Version, request.Shaping), agreement.Span);
        if (fault is not ChannelFault.None)
        {
            return (fault, null);
        }

        var session = Of(handshake, request.Shaping);
        try
        {
            await transport.SendAsync(agreement, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            session.Wipe();
            throw;
        }
        return (ChannelFault.None, session);
    }

    private static SealedSession Of(SealedHandshake handshake, ShapingProfile shaping)
    {
        byte[] hash = handshake.Hash.ToArray();
        var (sealer, opener) = handshake.Split();
        return new(sealer, opener, shaping, hash);
    }

    private static ChannelFault Length(int received) => received switch
    {
        0                        => ChannelFault.Truncated,
        MessageTransport.TooLong => ChannelFault.BadLength,
        _                        => ChannelFault.None,
    };

    private void Wipe()
    {
        Sealer.Dispose();
        Opener.Dispose();
    }
}
