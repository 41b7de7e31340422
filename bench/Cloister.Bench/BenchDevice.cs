using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Bench;

/// <summary>A device with an account at an operator. What it sends is random bytes: sealing is measured elsewhere.</summary>
internal sealed class BenchDevice(HttpClient http)
{
    private readonly AccountNumber _account = AccountNumber.Generate();
    private readonly Ed25519PrivateKey _headKey = Ed25519PrivateKey.Generate();
    private readonly Ed25519PrivateKey _signIn = Ed25519PrivateKey.Generate();
    private readonly Identity _device = Identity.Generate();
    private readonly Queue<ChangeBatch> _prepared = new();
    private (int Items, int Size) _form;
    private SignedHead? _last; // that was prepared
    private SignedHead? _head;

    public string Token { get; private set; } = "";

    public ulong Sequence => _head?.Head.Sequence ?? 0;

    public async Task CreateAsync()
    {
        byte[] record = [.. EpochRecord.Begin(_account, 1, _headKey.PublicKey, RandomNumberGenerator.GetBytes(32)), .. RandomNumberGenerator.GetBytes(EpochRecord.SealedHeadKeySize)];
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        _headKey.Sign(record, signature);
        var body = new JsonObject
        {
            ["account"] = _account.ToString(),
            ["epoch_record"] = Base64.EncodeUrl([.. record, .. signature]),
            ["unlockers"] = new JsonArray(new JsonObject
            {
                ["id"] = _device.ToString(),
                ["kind"] = 4,
                ["sign_in_key"] = Base64.EncodeUrl(_signIn.PublicKey.Bytes),
                ["wrap"] = Base64.EncodeUrl([1, 0, 0, 0, 1, .. RandomNumberGenerator.GetBytes(60)]),
                ["renewed"] = null,
                ["added"] = "2026-11-25",
            }),
        };
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await http.PostAsync("/cloister/v1/accounts", content);
        Token = (string)JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["token"]!;
    }

    /// <summary>Makes batches to come, so that making them is not measured. What was prepared in another form before is forgotten.</summary>
    public void Prepare(int batches, int items, int size)
    {
        if (_form != (items, size))
        {
            _prepared.Clear();
            (_form, _last) = ((items, size), _head);
        }
        while (_prepared.Count < batches)
        {
            var batch = Make(_last, items, size);
            _prepared.Enqueue(batch);
            _last = batch.Head;
        }
    }

    /// <summary>Sends new items in one batch, until the operator says that it has them.</summary>
    public async Task PushAsync(int items, int size)
    {
        Prepare(1, items, size);
        var batch = _prepared.Dequeue();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/cloister/v1/account/changes") { Content = new ByteArrayContent(batch.ToBytes()) { Headers = { ContentType = new("application/octet-stream") } }, Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Token) } };
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        _head = batch.Head;
    }

    private ChangeBatch Make(SignedHead? previous, int items, int size)
    {
        var head = new Head(_account, 1, (previous?.Head.Sequence ?? 0) + 1, previous?.Hash() ?? new byte[32], new byte[32], 1, _device);
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        _headKey.Sign(head.ToBytes(), signature);
        return new ChangeBatch(SignedHead.Join(head, signature), [.. Enumerable.Range(0, items).Select(_ => new SealedChange(Identity.Generate(), 1, RandomNumberGenerator.GetBytes(size)))]);
    }

    /// <returns>How many bytes the page has.</returns>
    public async Task<int> PageAsync(ulong after)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/cloister/v1/account/changes?after={after}") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Token) } };
        using var response = await http.SendAsync(request);
        return (await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync()).Length;
    }
}
