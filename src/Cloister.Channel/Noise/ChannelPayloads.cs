using Cloister.Wire;

namespace Cloister.Channel.Noise;

/// <summary>Payload of the first handshake message: what the client can speak and which shaping it asks for. Docs/spec/channel.md, section 3.</summary>
internal readonly record struct ChannelRequest(byte OldestVersion, byte NewestVersion, ShapingProfile Shaping)
{
    public const int Length = 16;

    public void Write(Span<byte> payload)
    {
        var writer = new WireWriter(payload);
        writer.UInt8(OldestVersion);
        writer.UInt8(NewestVersion);
        writer.UInt8((byte)Shaping);
        writer.Zeros(Length - writer.Offset);
    }

    public static bool TryParse(ReadOnlySpan<byte> payload, out ChannelRequest request, out WireError error)
    {
        var reader = new WireReader(payload);
        request = new(reader.UInt8("oldest_version"), reader.UInt8("newest_version"), (ShapingProfile)reader.UInt8("shaping"));
        if (request.OldestVersion == 0 || request.OldestVersion > request.NewestVersion)
        {
            reader.Refuse("oldest_version", request.NewestVersion, request.OldestVersion);
        }
        if (!Enum.IsDefined(request.Shaping))
        {
            reader.Refuse("shaping", (byte)ShapingProfile.Paced, (byte)request.Shaping);
        }
        reader.Zeros("reserved", Length - 3);
        reader.ExpectEnd("end");

        error = reader.Error;
        return !reader.Failed;
    }
}

/// <summary>Payload of the second handshake message: what holds for this session.</summary>
internal readonly record struct ChannelAgreement(byte Version, ShapingProfile Shaping)
{
    public const int Length = 16;

    public void Write(Span<byte> payload)
    {
        var writer = new WireWriter(payload);
        writer.UInt8(Version);
        writer.UInt8((byte)Shaping);
        writer.Zeros(Length - writer.Offset);
    }

    public static bool TryParse(ReadOnlySpan<byte> payload, out ChannelAgreement agreement, out WireError error)
    {
        var reader = new WireReader(payload);
        agreement = new(reader.UInt8("version"), (ShapingProfile)reader.UInt8("shaping"));
        if (!Enum.IsDefined(agreement.Shaping))
        {
            reader.Refuse("shaping", (byte)ShapingProfile.Paced, (byte)agreement.Shaping);
        }
        reader.Zeros("reserved", Length - 2);
        reader.ExpectEnd("end");

        error = reader.Error;
        return !reader.Failed;
    }
}
