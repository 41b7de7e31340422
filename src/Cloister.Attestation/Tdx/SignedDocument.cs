using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Primitives;

namespace Cloister.Attestation;

/// <summary>Collateral as Intel serves it (PCS API version 4): <c>{"tcbInfo":{…},"signature":"…"}</c>. The signature covers the inner object's exact bytes.</summary>
public sealed class SignedDocument
{
    /// <summary>In bytes. Intel's are under 32 KiB.</summary>
    public const int MaxSize = 256 * 1024;

    private const int SignatureSize = 64;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private readonly byte[] _signature;

    private SignedDocument(byte[] content, byte[] signature) => (Content, _signature) = (content, signature);

    internal byte[] Content { get; }

    /// <summary>True where the certificate's P-256 key made the signature. Says nothing of who that is.</summary>
    public bool IsSignedBy(Certificate signer) => IsSignedBy(signer.Key.P256);

    internal bool IsSignedBy(EcdsaPublicKey? key) => key?.Verify(Content, HashAlgorithmName.SHA256, _signature, EcdsaSignatureFormat.P1363) ?? false;

    /// <summary>Reads the outer object: exactly these two members, no member of any object twice.</summary>
    /// <param name="member">The inner object's name, <c>tcbInfo</c> or <c>enclaveIdentity</c>.</param>
    public static bool TryParse(ReadOnlyMemory<byte> json, string member, [NotNullWhen(true)] out SignedDocument? document)
    {
        document = null;
        if (json.Length > MaxSize)
        {
            return false;
        }
        try
        {
            using var parsed = JsonDocument.Parse(json, Strict);
            var root = parsed.RootElement;
            if (root.ValueKind is JsonValueKind.Object && root.GetPropertyCount() == 2
                && root.TryGetProperty(member, out var inner) && inner.ValueKind is JsonValueKind.Object
                && root.TryGetProperty("signature", out var signature) && signature.ValueKind is JsonValueKind.String
                && signature.GetString() is { Length: 2 * SignatureSize } hex)
            {
                document = new SignedDocument(JsonMarshal.GetRawUtf8Value(inner).ToArray(), Convert.FromHexString(hex));
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            // Not JSON, a member twice, or text that is no text: none of it is signed.
        }
        return document is not null;
    }
}

// Intel adds members to a version; those that are not known are passed over, since Intel signed them.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowDuplicateProperties = false, RespectNullableAnnotations = true, MaxDepth = 16)]
[JsonSerializable(typeof(TcbInfo.TcbInfoDocument))]
[JsonSerializable(typeof(QeIdentity.QeIdentityDocument))]
internal sealed partial class CollateralJson : JsonSerializerContext
{
    /// <summary>What Intel writes: UTC with whole seconds.</summary>
    public static DateTimeOffset Time(string text) =>
        DateTimeOffset.ParseExact(text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>The list, if it is there and holds no null: the serialiser looks into members, not into lists.</summary>
    public static ImmutableArray<T> List<T>(ImmutableArray<T> list, bool mayBeAbsent = false) where T : class =>
        list.IsDefault && mayBeAbsent ? [] : !list.IsDefault && !list.Contains(null!) ? list : throw new FormatException();

    public static byte[] Bytes(string hex, int length)
    {
        byte[] bytes = Convert.FromHexString(hex);
        return bytes.Length == length ? bytes : throw new FormatException();
    }
}
