namespace Cloister.Wire;

/// <summary>What was wrong with bytes that came from outside.</summary>
public enum WireFault : byte { None, Truncated, WrongValue, TooLong, DirtyPadding, TrailingBytes, BadText }

/// <summary>Where a message stopped making sense, and what was expected there. It holds no bytes of the message beyond one.</summary>
/// <param name="Fault">What kind of fault.</param>
/// <param name="Field">The field's name in its specification.</param>
/// <param name="Offset">Bytes (or characters, for text) from the start of the message.</param>
/// <param name="Expected">The length or value that would have been right.</param>
/// <param name="Actual">The length or value that was found.</param>
public readonly record struct WireError(WireFault Fault, string Field, int Offset, long Expected, long Actual)
{
    /// <summary>One sentence fit for a log: numbers and field names only.</summary>
    public override string ToString() => Fault switch
    {
        WireFault.None          => "well-formed",
        WireFault.Truncated     => $"{Field} at {Offset:x4}: needs {Expected} bytes, {Actual} remain",
        WireFault.WrongValue    => $"{Field} at {Offset:x4}: expected {Expected:x}, found {Actual:x}",
        WireFault.TooLong       => $"{Field} at {Offset:x4}: at most {Expected} bytes, announces {Actual}",
        WireFault.DirtyPadding  => $"{Field} at {Offset:x4}: {Actual} bytes follow and are not zero padding",
        WireFault.TrailingBytes => $"{Field} at {Offset:x4}: {Actual} bytes follow the last field",
        WireFault.BadText       => $"{Field} at {Offset:x4}: not in its one allowed encoding",
        _                       => throw new System.Diagnostics.UnreachableException(),
    };
}
