using System.Collections.Immutable;

namespace Cloister.Channel.Exchanges;

/// <summary>What was wrong with a Binary HTTP message from the peer.</summary>
public enum BinaryHttpFault : byte { None, Truncated, BadFraming, BadControlData, BadStatus, BadField, TooManyFields, HeadTooLong, BadPadding, ContentTooLong }

/// <summary>A field line: a lower-case name and a value in Latin-1.</summary>
public readonly record struct Field(string Name, string Value);

/// <summary>Everything before a request's content (RFC 9292, sections 3.4 and 3.6).</summary>
public sealed record RequestHead(string Method, string Scheme, string Authority, string Path, ImmutableArray<Field> Fields);

/// <summary>Everything before a response's content (section 3.5). Informational responses before it are read and dropped.</summary>
public sealed record ResponseHead(int Status, ImmutableArray<Field> Fields);

/// <summary>A whole message in memory. Exactly one of <see cref="Request"/> and <see cref="Response"/> is there.</summary>
public sealed record BinaryHttpMessage(RequestHead? Request, ResponseHead? Response, ReadOnlyMemory<byte> Content, ImmutableArray<Field> Trailers);

/// <summary>The peer sent something that is no Binary HTTP. The message names the fault and holds nothing that the peer sent.</summary>
public sealed class BinaryHttpException(BinaryHttpFault fault) : IOException($"Malformed Binary HTTP: {fault}.")
{
    public BinaryHttpFault Fault { get; } = fault;
}

/// <summary>Bounds on what a peer can make us hold (docs/spec/exchanges.md, section 2).</summary>
internal static class BinaryHttpLimits
{
    public const int MaxHead = 16 * 1024;
    public const int MaxFields = 64;
    public const int MaxInformational = 8;
}

/// <summary>The first number of a message (section 3.3).</summary>
internal enum Framing : byte { KnownRequest = 0, KnownResponse = 1, IndeterminateRequest = 2, IndeterminateResponse = 3 }

internal static class Framings
{
    public static bool IsKnownLength(this Framing framing) => framing is Framing.KnownRequest or Framing.KnownResponse;
}
