using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cloister.Ledger;
using Cloister.Testing;
using Cloister.Vault.Attachments;
using Cloister.Vault.Keys;
using Cloister.Vault.Pairing;
using Cloister.Vault.Unlockers;
using static Cloister.Vault.Tests.Vectors.FixedAccount;

namespace Cloister.Vault.Tests.Vectors;

/// <summary>Holds docs/spec/vectors/vault.json to the code: section 10 of the specification. What is sealed there the second reading sealed, and the vault opens it.</summary>
public class VectorTests
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly CancellationToken Now = CancellationToken.None;
    private static readonly FixedAccount Vectors = new();
    private static readonly string[] Derived = ["items", "item commitment", "head key", "previous epoch", "key commitment", "names", "device cache"];
    private static readonly (string Kind, string Subject)[] Named = [("settings", ""), ("conversation", "AAAAAAAAAAAAAAAAAAAAAA")];

    // Other implementations are tested against the file. If this fails, a format has changed: that needs a new version of it, and not another content for the file.
    [Fact]
    public async Task The_published_vectors_are_what_the_code_makes()
    {
        string made = JsonSerializer.Serialize(await MakeAsync(), Format) + "\n";
        string path = Path.Combine(Repository.Root, "docs", "spec", "vectors", "vault.json"), beside = Path.Combine(AppContext.BaseDirectory, "vault.json");
        File.WriteAllText(beside, made);
        Assert.True(File.Exists(path), $"{path} is missing; what the code makes is in {beside}.");
        Assert.Equal(File.ReadAllText(path), made);
    }

    [Fact]
    public void Account_keys_derive_as_the_second_reading_does()
    {
        using var key = AccountKey.Import(Number, First);
        Assert.All(Derived, purpose => Assert.Equal(SecondReading.Hkdf(First, Account, $"cloister account v1 {purpose}", 32), key.DeriveBytes(Encoding.ASCII.GetBytes($"cloister account v1 {purpose}"))));
    }

    [Fact]
    public void What_is_sealed_in_the_records_opens()
    {
        using var second = AccountKey.Import(Number, Second);
        Assert.True(EpochChain.IsWhole(Records(), Number));
        byte[] seed = new byte[32];
        Assert.True(EpochSealing.TryOpenHeadSeed(second, Records()[1], seed));
        Assert.Equal(SecondHead, seed);
        using var first = EpochSealing.OpenPrevious(second, Records()[1]);
        Assert.Equal(First, first!.Bytes.ToArray());
    }

    [Fact]
    public async Task Words_open_the_account_its_items_and_what_the_device_keeps()
    {
        using var keys = await OpenAsync();
        var opened = await keys.OpenAsync([.. Vectors.Items.Select(item => item.Change)], Now);
        Assert.Equal(Vectors.Items.Select(item => Hex(item.Content)), opened.Select(item => Hex(item.Content.Span)));
        Assert.All(opened, item => Assert.Equal(OpenFault.None, item.Fault));
        Assert.Equal("titles"u8.ToArray(), await keys.OpenForDeviceAsync(Purpose, Vectors.ForDevice, Now));
        Assert.Equal(SecondReading.Sign(SecondHead, Vectors.Head.ToBytes()), (await keys.SignAsync(Vectors.Head, Now)).Bytes.Span[Head.Size..].ToArray());
        Assert.All(Named, name => Assert.Equal(SecondReading.Hmac(SecondReading.Hkdf(First, Account, "cloister account v1 names", 32), Encoding.UTF8.GetBytes($"{name.Kind}\0{name.Subject}"))[..16], keys.Name(name.Kind, name.Subject).ToArray()));
    }

    // The other way: what the vault seals, the second reading seals alike once it has the nonce.
    [Fact]
    public async Task The_second_reading_seals_as_the_vault_does()
    {
        using var keys = await OpenAsync();
        foreach (var item in Vectors.Items)
        {
            byte[] made = (await keys.SealAsync([new(Identity.Read(item.Item), item.Version, item.Content)], Now))[0].Sealed.ToArray();
            Assert.Equal(Hex(SecondReading.Item(Account, item.Item, item.Version, 2, Second, made[5..29], item.Content)), Hex(made));
        }
    }

    [Fact]
    public void Any_three_shares_give_the_secret_in_both_readings()
    {
        var all = Shares();
        foreach (int without in Enumerable.Range(0, all.Length * all.Length).Where(pair => pair / all.Length < pair % all.Length))
        {
            string[] three = [.. all.Where((_, i) => i != without / all.Length && i != without % all.Length)];
            Assert.True(Trustees.TryJoin(three, out _, out byte[] joined, out var fault), $"{fault}");
            Assert.Equal(TrusteesSecret, joined);
            Assert.Equal(TrusteesSecret, SecondReading.SecretOf([.. three.Select(Share)]));
        }
    }

    [Fact]
    public void The_attachment_opens()
    {
        byte[] part = AttachmentPart();
        Assert.True(AttachmentOpener.TryCreate(Number, Identity.Read(Attachment), AttachmentKey, AttachmentContent.Length, part, out var opener));
        using (opener)
        {
            Assert.True(opener.TryOpen(0, part, out byte[] content));
            Assert.Equal(AttachmentContent, content);
        }
    }

    [Fact]
    public void Padding_is_the_same_in_both_readings() => Assert.All(Enumerable.Range(256, 20_000), length => Assert.Equal(SecondReading.Padme(length), (int)Padding.Padme(length)));

    private static ImmutableArray<EpochRecord> Records() => [.. Vectors.Epochs.Select(bytes => EpochRecord.TryParse(bytes, out var record, out var error) ? record : throw new InvalidDataException($"{error}"))];

    private static async Task<VaultKeys> OpenAsync()
    {
        var custody = new MemoryCustody();
        using var secret = MemorySecret.Import(UnlockerKind.RecoveryWords, WordsSecret);
        var outcome = await custody.UnlockAsync(secret, new(Identity.Read(Words), Vectors.BySecret, Vectors.ToKey), Records(), null);
        Assert.Equal(UnlockFault.None, outcome.Fault);
        using var unlocked = outcome.Unlocked!;
        return await unlocked.KeysAsync();
    }

    private static ImmutableArray<string> Shares() => Trustees.Split(TrusteesSecret, 3, 5, SharesSet, Coefficients);

    private static (byte X, byte[] Values) Share(string text)
    {
        byte[] share = new byte[48];
        Assert.True(CrockfordBase32.TryDecode(text, share));
        return (share[3], share[12..44]);
    }

    private static async Task<object> MakeAsync()
    {
        using var words = MemorySecret.Import(UnlockerKind.RecoveryWords, RecoveryWords.Of(Entropy).Secret());
        using var passphrase = (MemorySecret)await Passphrase.ToSecretAsync(Typed, Number, new MemoryCustody());
        return new
        {
            account = Hex(Account),
            account_written = Number.ToString(),
            account_keys = new[] { Hex(First), Hex(Second) },
            derived_from_first = Derived.ToDictionary(purpose => $"cloister account v1 {purpose}", purpose => Hex(DerivedFromFirst(purpose))),
            names = Named.Select(name => new { name.Kind, name.Subject, item = Hex(SecondReading.Hmac(DerivedFromFirst("names"), Encoding.UTF8.GetBytes($"{name.Kind}\0{name.Subject}")).AsSpan(0, 16)) }),
            head_seeds = new[] { Hex(FirstHead), Hex(SecondHead) },
            epochs = Vectors.Epochs.Select(record => Hex(record)),
            words = new
            {
                entropy = Hex(Entropy),
                text = RecoveryWords.Of(Entropy).Text,
                secret = Hex(words.DangerousExport()),
                unlocker = Hex(RecoveryWords.Of(Entropy).Unlocker.ToArray()),
                sign_in_key = Hex((await words.SignInKeyAsync(Number)).Bytes),
                public_key = Hex(await words.PublicKeyAsync(Number)),
            },
            wraps = new
            {
                by_secret = new { unlocker = Hex(Words), kind = 3, epoch = 1, associated = Hex(SecondReading.WrapAssociated(Account, Words, 3, 1)), wrap = Hex(Vectors.BySecret) },
                to_key = new { unlocker = Hex(Words), kind = 3, epoch = 2, associated = Hex(SecondReading.WrapAssociated(Account, Words, 3, 2)), ephemeral_private = Hex(Ephemeral), encapsulation_seed = Hex(Encapsulation), key = Hex(Vectors.ToKeyKey), wrap = Hex(Vectors.ToKey) },
            },
            passphrase = new { text = Typed, secret = Hex(passphrase.DangerousExport()), unlocker = Hex(Passphrase.Unlocker(Number).ToArray()) },
            trustees = new { secret = Hex(TrusteesSecret), needed = 3, set = Hex(SharesSet), coefficients = Hex(Coefficients), shares = Shares() },
            pairing = await PairingAsync(words),
            items = Vectors.Items.Select(item => new { item = Hex(item.Item), version = item.Version.ToString(System.Globalization.CultureInfo.InvariantCulture), item.Epoch, content = Hex(item.Content), associated = Hex(item.Associated), @sealed = Hex(item.Sealed) }),
            attachment = new { attachment = Hex(Attachment), key = Hex(AttachmentKey), salt = Hex(AttachmentSalt), content = Hex(AttachmentContent), parts = new[] { Hex(AttachmentPart()) } },
            head = new { bytes = Hex(Vectors.Head.ToBytes()), signature = Hex(SecondReading.Sign(SecondHead, Vectors.Head.ToBytes())) },
            device_cache = new { purpose = Purpose, content = Hex("titles"u8), @sealed = Hex(Vectors.ForDevice) },
        };
    }

    private static byte[] DerivedFromFirst(string purpose)
    {
        using var key = AccountKey.Import(Number, First);
        return key.DeriveBytes(Encoding.ASCII.GetBytes($"cloister account v1 {purpose}"));
    }

    private static async Task<object> PairingAsync(MemorySecret secret)
    {
        byte[] first = new NewDevice(Identity.Read(Words), await secret.SignInKeyAsync(Number), Vectors.PublicKey, "Laptop in Zürich").ToBytes();
        byte[] answer = [1, .. Fixed("nonce of the new device")], reveal = [1, .. Fixed("nonce of the old device"), .. Account, 0, 0, 0, 2, .. Records()[1].KeyCommitment.Span];
        byte[] promise = PairingMessages.Promise(reveal, first);
        byte[] again = [1, .. SHA256.HashData(SecondReading.Join(SecondReading.Ascii("cloister pairing v1\0"), reveal[1..], SHA256.HashData(first)))];
        Assert.Equal(again, promise);
        return new { messages = new[] { Hex(first), Hex(promise), Hex(answer), Hex(reveal) }, digits = PairingMessages.Digits(first, promise, answer, reveal) };
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
