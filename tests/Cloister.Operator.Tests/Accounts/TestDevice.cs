using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>An unlocker that signs in. Its wraps are random: nobody here opens one.</summary>
internal sealed class TestUnlocker(UnlockerKind kind = UnlockerKind.Device)
{
    public Identity Id { get; init; } = Identity.Generate();

    public UnlockerKind Kind => kind;

    public Ed25519PrivateKey Key { get; } = Ed25519PrivateKey.Generate();

    public static byte[] Wrap(uint epoch) => Wrap(1, epoch, 65);

    public static byte[] WrapToKey(uint epoch) => Wrap(2, epoch, 1173);

    public JsonObject Json(uint epoch = 1, byte[]? wrap = null) => new()
    {
        ["id"] = Id.ToString(),
        ["kind"] = (int)kind,
        ["sign_in_key"] = kind is UnlockerKind.Passkey ? null : Api.Text(Key.PublicKey.Bytes),
        ["wrap"] = Api.Text(wrap ?? Wrap(epoch)),
        ["renewed"] = null,
        ["added"] = "2026-11-25",
    };

    public byte[] Sign(byte[] message)
    {
        byte[] signature = new byte[64];
        Key.Sign(message, signature);
        return signature;
    }

    private static byte[] Wrap(byte form, uint epoch, int size)
    {
        byte[] wrap = RandomNumberGenerator.GetBytes(size);
        wrap[0] = form;
        BinaryPrimitives.WriteUInt32BigEndian(wrap.AsSpan(1), epoch);
        return wrap;
    }
}

/// <summary>A device with an account: signs heads, sends batches of random bytes in place of sealed ones, remembers where it is.</summary>
internal sealed class TestDevice
{
    private readonly Identity _device = Identity.Generate();

    private TestDevice(Api api, AccountNumber account, TestUnlocker unlocker) => (Api, Account, Unlocker) = (api, account, unlocker);

    public Api Api { get; set; }

    public AccountNumber Account { get; }

    public TestUnlocker Unlocker { get; }

    public Ed25519PrivateKey HeadKey { get; set; } = Ed25519PrivateKey.Generate();

    public EpochRecord Record { get; set; } = null!;

    public uint Epoch => Record.Epoch;

    public string Token { get; set; } = "";

    public SignedHead? Head { get; set; }

    public ulong Sequence => Head?.Head.Sequence ?? 0;

    /// <summary>Not yet known to any operator.</summary>
    public static TestDevice New(Api api)
    {
        var device = new TestDevice(api, AccountNumber.Generate(), new TestUnlocker());
        device.Record = MakeRecord(device.Account, 1, device.HeadKey, device.HeadKey);
        return device;
    }

    public static async Task<TestDevice> CreateAsync(RunningOperator program) => await CreateAsync(new Api(program.Http));

    public static async Task<TestDevice> CreateAsync(Api api)
    {
        var device = New(api);
        var reply = await api.JsonAsync("POST", "/accounts", device.NewAccount());
        Assert.Equal(201, reply.Status);
        device.Token = (string)reply.Json["token"]!;
        return device;
    }

    /// <summary>A second device of the account, with the same unlocker and session.</summary>
    public TestDevice Beside(Api api) => new(api, Account, Unlocker) { HeadKey = HeadKey, Record = Record, Token = Token, Head = Head };

    public JsonObject NewAccount(params TestUnlocker[] others) => new()
    {
        ["account"] = Account.ToString(),
        ["epoch_record"] = Api.Text(Record.Bytes.Span),
        ["unlockers"] = new JsonArray([Unlocker.Json(), .. others.Select(other => other.Json())]),
    };

    /// <summary>The record of an epoch, with random bytes where keys are sealed.</summary>
    public static EpochRecord MakeRecord(AccountNumber account, uint epoch, Ed25519PrivateKey headKey, Ed25519PrivateKey signer)
    {
        byte[] begun = EpochRecord.Begin(account, epoch, headKey.PublicKey, RandomNumberGenerator.GetBytes(32));
        byte[] signed = [.. begun, .. RandomNumberGenerator.GetBytes(EpochRecord.SealedHeadKeySize + (epoch == 1 ? 0 : EpochRecord.SealedPreviousSize))];
        byte[] signature = new byte[64];
        signer.Sign(signed, signature);
        return EpochRecord.TryParse([.. signed, .. signature], out var record, out var error) ? record : throw new InvalidOperationException($"{error}");
    }

    public Task<Reply> GetAsync(string path) => Api.AskAsync("GET", path, Token);

    public async Task<byte[]> ChallengeAsync() => Api.Bytes((await Api.AskAsync("POST", "/sign-in/challenge")).Json["challenge"]);

    /// <summary>A proof that names the account.</summary>
    public static JsonObject Proof(TestUnlocker unlocker, byte[] challenge, AccountNumber account)
    {
        var proof = Proof(unlocker, challenge);
        proof["account"] = account.ToString();
        return proof;
    }

    public static JsonObject Proof(TestUnlocker unlocker, byte[] challenge, bool delete = false) => new()
    {
        ["unlocker"] = unlocker.Id.ToString(),
        ["challenge"] = Api.Text(challenge),
        ["signature"] = Api.Text(unlocker.Sign(delete ? SignInMessage.DeleteAccount(unlocker.Id, challenge) : SignInMessage.SignIn(unlocker.Id, challenge))),
    };

    public async Task<Reply> SignInAsync(TestUnlocker? unlocker = null) => await Api.JsonAsync("POST", "/sign-in", Proof(unlocker ?? Unlocker, await ChallengeAsync()));

    /// <summary>A change with random bytes; none for a tombstone.</summary>
    public static SealedChange Change(Identity? item = null, ulong version = 1, int size = 300) => new(item ?? NewItem(), version, RandomNumberGenerator.GetBytes(size));

    public static Identity NewItem() => Identity.Generate();

    /// <summary>A batch that follows what the device knows; <paramref name="spoil"/> changes its head before it is signed.</summary>
    public ChangeBatch Batch(IEnumerable<SealedChange> changes, Func<Head, Head>? spoil = null, Ed25519PrivateKey? signer = null)
    {
        var head = new Head(Account, Epoch, Sequence + 1, Head?.Hash() ?? new byte[32], RandomNumberGenerator.GetBytes(32), 1, _device);
        head = spoil?.Invoke(head) ?? head;
        byte[] signature = new byte[64];
        (signer ?? HeadKey).Sign(head.ToBytes(), signature);
        return new(SignedHead.Join(head, signature), [.. changes]);
    }

    public Task<Reply> PushAsync(ChangeBatch batch) => Api.OctetsAsync("POST", "/account/changes", batch.ToBytes(), Token);

    /// <summary>Sends a batch that must be taken.</summary>
    public async Task<ChangeBatch> PushAsync(params SealedChange[] changes)
    {
        var batch = Batch(changes);
        var reply = await PushAsync(batch);
        Assert.Equal((200, batch.Head.Head.Sequence), (reply.Status, (ulong)reply.Json["sequence"]!));
        Head = batch.Head;
        return batch;
    }

    public async Task<ChangePage> PageAsync(ulong after)
    {
        var reply = await GetAsync($"/account/changes?after={after}");
        Assert.Equal(200, reply.Status);
        Assert.True(ChangePage.TryParse(reply.Bytes, out var page, out var error), $"{error}");
        return page;
    }

    /// <summary>Everything from the start, by as many pages as it takes: the newest of each item.</summary>
    public async Task<Dictionary<Identity, SealedChange>> EverythingAsync()
    {
        var items = new Dictionary<Identity, SealedChange>();
        for (ulong after = 0; ;)
        {
            var page = await PageAsync(after);
            foreach (var change in page.Changes)
            {
                items[change.Item] = change;
            }
            if (page.Through == page.Newest.Head.Sequence)
            {
                return items;
            }
            Assert.True(page.Through > after);
            after = page.Through;
        }
    }
}
