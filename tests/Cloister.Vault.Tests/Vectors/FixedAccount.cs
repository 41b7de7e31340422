using System.Security.Cryptography;
using System.Text;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Tests.Vectors;

/// <summary>An account of two epochs in which nothing is left to chance: what is random elsewhere is SHA-256 of its own name here.</summary>
internal sealed class FixedAccount
{
    public static readonly byte[] Account = Fixed("account")[..10];
    public static readonly byte[] First = Fixed("first account key");
    public static readonly byte[] Second = Fixed("second account key");
    public static readonly byte[] FirstHead = Fixed("first head key");
    public static readonly byte[] SecondHead = Fixed("second head key");
    public static readonly byte[] Entropy = Fixed("recovery words")[..16];
    public static readonly byte[] SharesSet = Fixed("set of shares")[..8];
    public static readonly byte[] Coefficients = [.. Fixed("first coefficients"), .. Fixed("second coefficients")];
    public static readonly byte[] TrusteesSecret = Fixed("trustees");
    public static readonly byte[] Ephemeral = Fixed("ephemeral key");
    public static readonly byte[] Encapsulation = Fixed("encapsulation");
    public static readonly byte[] AttachmentKey = Fixed("attachment key");
    public static readonly byte[] AttachmentSalt = Fixed("attachment salt")[..24];
    public static readonly byte[] Attachment = Fixed("attachment")[..16];
    public static readonly byte[] AttachmentContent = Content(100);
    public const string Typed = "correct horse battery staple ✓";
    public const string Purpose = "list";

    public static readonly byte[] WordsSecret = SecondReading.Hkdf(Entropy, [], "cloister recovery words v1", 32);
    public static readonly byte[] Words = SecondReading.Hkdf(WordsSecret, [], "cloister unlocker v1 id", 16);

    public FixedAccount()
    {
        using var secret = MemorySecret.Import(UnlockerKind.RecoveryWords, WordsSecret);
        PublicKey = secret.PublicKeyAsync(Number).AsTask().Result;
        Epochs =
        [
            SecondReading.EpochRecord(Account, 1, First, null, FirstHead, FirstHead, Nonce("first head key"), []),
            SecondReading.EpochRecord(Account, 2, Second, First, SecondHead, FirstHead, Nonce("second head key"), Nonce("previous epoch")),
        ];
        BySecret = SecondReading.WrapBySecret(Account, Words, 3, 1, WordsSecret, Nonce("wrap"), First);
        ToKey = SecondReading.WrapToKey(Account, Words, 3, 2, PublicKey, Ephemeral, Encapsulation, Second, out var key);
        ToKeyKey = key;
        Items =
        [
            Seal("empty", 1, 1, []),
            Seal("message", 1, 1, Encoding.UTF8.GetBytes("""{"kind":"message","text":"Grüße"}""")),
            Seal("message", 2, 2, Encoding.UTF8.GetBytes("""{"kind":"message","text":"Grüße aus Zürich"}""")),
            Seal("just without padding", ulong.MaxValue, 2, Content(252)),
            Seal("just with more", 3, 2, Content(253)),
        ];
        Head = new(Number, 2, 7, Fixed("head before"), Fixed("root"), 3, Identity.Read(Fixed("device").AsSpan(0, 16)));
        ForDevice = SecondReading.Sealed(SecondReading.Hkdf(Second, Account, "cloister account v1 device cache", 32), Nonce("device cache"), Encoding.UTF8.GetBytes("titles"), Encoding.UTF8.GetBytes(Purpose));
    }

    public static AccountNumber Number => AccountNumber.Read(Account);

    public byte[] PublicKey { get; }

    public byte[][] Epochs { get; }

    public byte[] BySecret { get; }

    public byte[] ToKey { get; }

    /// <summary>The AES key of <see cref="ToKey"/>.</summary>
    public byte[] ToKeyKey { get; }

    public IReadOnlyList<FixedItem> Items { get; }

    public Head Head { get; }

    public byte[] ForDevice { get; }

    /// <summary>The one part of the attachment.</summary>
    public static byte[] AttachmentPart()
    {
        byte[] padded = new byte[SecondReading.Padme(AttachmentContent.Length)], part = new byte[padded.Length + AeadKey.TagSize];
        AttachmentContent.CopyTo(padded, 0);
        using var sealer = new ChunkSealer(AttachmentKey, SecondReading.Join(SecondReading.Ascii("cloister attachment v1\0"), Account, Attachment), AttachmentSalt, Backend.Native);
        sealer.Seal(padded, part);
        return SecondReading.Join(sealer.Header.ToArray(), part);
    }

    public static byte[] Fixed(string name) => SHA256.HashData(Encoding.UTF8.GetBytes($"cloister vault vectors: {name}"));

    private static byte[] Nonce(string name) => Fixed($"nonce of {name}")[..12];

    private static byte[] Content(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)i)];

    private static FixedItem Seal(string name, ulong version, uint epoch, byte[] content)
    {
        byte[] item = Fixed($"item: {name}")[..16], nonce = Fixed($"nonce of {name}, {version}")[..24];
        return new(item, version, epoch, content, SecondReading.ItemAssociated(Account, item, version, epoch), SecondReading.Item(Account, item, version, epoch, epoch == 1 ? First : Second, nonce, content));
    }
}

internal sealed record FixedItem(byte[] Item, ulong Version, uint Epoch, byte[] Content, byte[] Associated, byte[] Sealed)
{
    public SealedChange Change => new(Identity.Read(Item), Version, Sealed);
}
