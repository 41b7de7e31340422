using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Cloister.Transparency;

/// <summary>A signature's AlgorithmIdentifier (RFC 5280, section 4.1.1.2), as far as certificates and timestamps of Sigstore have them.</summary>
internal sealed record SignatureScheme(SignatureFamily Family, HashAlgorithmName Hash)
{
    private static readonly Dictionary<string, SignatureScheme> Known = new(StringComparer.Ordinal)
    {
        ["1.2.840.10045.4.3.2"] = new(SignatureFamily.Ecdsa, HashAlgorithmName.SHA256),
        ["1.2.840.10045.4.3.3"] = new(SignatureFamily.Ecdsa, HashAlgorithmName.SHA384),
        ["1.2.840.10045.4.3.4"] = new(SignatureFamily.Ecdsa, HashAlgorithmName.SHA512),
        ["1.2.840.113549.1.1.11"] = new(SignatureFamily.Rsa, HashAlgorithmName.SHA256),
        ["1.2.840.113549.1.1.12"] = new(SignatureFamily.Rsa, HashAlgorithmName.SHA384),
        ["1.2.840.113549.1.1.13"] = new(SignatureFamily.Rsa, HashAlgorithmName.SHA512),
        ["1.3.101.112"] = new(SignatureFamily.Ed25519, HashAlgorithmName.SHA512),
    };

    private const string RsaEncryption = "1.2.840.113549.1.1.1";

    /// <summary>Null where it is another algorithm.</summary>
    public static SignatureScheme? Read(ReadOnlyMemory<byte> algorithm)
    {
        var reader = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence();
        return Known.GetValueOrDefault(reader.ReadObjectIdentifier());
    }

    /// <summary>The same for CMS, where RSA may be named without its hash (RFC 5754, section 3.2).</summary>
    public static SignatureScheme? Read(ReadOnlyMemory<byte> algorithm, HashAlgorithmName digest)
    {
        string name = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier();
        return name is RsaEncryption ? new(SignatureFamily.Rsa, digest) : Known.GetValueOrDefault(name);
    }

    /// <summary>False also for a key of another kind.</summary>
    public bool Verify(SigstoreKey key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        bool fits = Family switch
        {
            SignatureFamily.Ecdsa => key.IsEcdsa,
            SignatureFamily.Rsa => key.IsRsa,
            _ => !key.SignsHashes,
        };
        return fits && key.Verify(Hash, message, signature);
    }
}

internal enum SignatureFamily : byte { Ecdsa, Rsa, Ed25519 }

/// <summary>SHA-2 by the names that each format has for it.</summary>
internal static class HashNames
{
    /// <summary>Null where it is another hash.</summary>
    public static HashAlgorithmName? Read(string name) => name switch
    {
        "SHA2_256" or "sha256" or "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
        "SHA2_384" or "sha384" or "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
        "SHA2_512" or "sha512" or "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
        _ => null,
    };
}
