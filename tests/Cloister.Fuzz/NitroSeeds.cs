using Cloister.Testing;

namespace Cloister.Fuzz;

/// <summary>A made-up AWS's documents, and one item of CBOR of each kind.</summary>
internal static class NitroSeeds
{
    public static void Write(DateTimeOffset now, Action<string, int, byte[]> save)
    {
        using var aws = new NitroAuthority(now);
        save("nitro-document", 1, aws.Document());
        save("nitro-document", 2, aws.Document(new NitroParts { Tagged = true, Definite = true, Nonce = new byte[20], PublicKey = [1] }));
        save("cbor", 1, TestCbor.Head(0, 1_800_000_000_000));
        save("cbor", 2, TestCbor.Bytes(new byte[300]));
        save("cbor", 3, TestCbor.Text("module_id ünïcödé"));
        save("cbor", 4, TestCbor.Array([0], [1]));
        save("cbor", 5, TestCbor.IndefiniteMap(([0], [1])));
        save("cbor", 6, TestCbor.Map(([0], [1])));
        save("cbor", 7, TestCbor.Negative(-1_800_000_000_000));
    }
}
