using System.Collections.Immutable;
using System.Text;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Exchange;
using Cloister.Vault.Heads;
using Cloister.Vault.History;
using Cloister.Vault.Search;

namespace Cloister.Fuzz;

/// <summary>A small history with keys of fixed seeds: the same every time.</summary>
internal static class HistorySeeds
{
    private const string ClockText = "0193456789ab00003031323334353637";
    private const string Id = "AAAAAAAAAAAAAAAAAAAAAA";

    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly AccountNumber Account = AccountNumber.Read(new byte[10]);
    private static readonly Lazy<ImmutableArray<EpochRecord>> Made = new(() => [FirstEpoch()]);

    public static ImmutableArray<EpochRecord> Epochs => Made.Value;

    public static void Write(Action<string, int, byte[]> save)
    {
        var message = new MessageDraft(default, null, MessageRole.User, "the word 日本") { Model = "m", Attachments = [new(default, new byte[32], "a", "b/c", 3)] }.ToMessage(default, Clock.After(Now, null, default));
        var registers = new Registers(RegisterKind.Conversation, Id).With("title", "t", Now, default).With("order", "a1", Now, default);
        save("item-content", 1, message.ToBytes());
        save("item-content", 2, registers.ToBytes());
        save("item-content", 3, Encoding.UTF8.GetBytes($$$$"""{"kind":"unlockers","subject":"","fields":{"00000000000000000000000000000001":{"value":{"kind":4,"label":"l","public":null,"added":"2026-11-25"},"clock":"{{{{ClockText}}}}"}}}"""));
        save("history-order", 1, Encoding.ASCII.GetBytes(ClockText));
        save("history-order", 2, "aV01\naV1"u8.ToArray());
        save("change-feed", 1, Page().ToBytes());
        save("item-subtree", 1, Subtree.Empty(0).With([TreeLeaf.Of(Change(1)), TreeLeaf.Of(Change(2))]).ToBytes());
        save("search-text", 1, "gru 日本\nGrüße aus 今日本"u8.ToArray());
        save("history-import", 1, Export(message, registers));
        save("history-import", 2, """[{"title":"T","create_time":1.5,"id":"c","current_node":"b","mapping":{"a":{"parent":null,"message":{"author":{"role":"user"},"content":{"content_type":"multimodal_text","parts":["x",{"content_type":"image_asset_pointer"}]}}},"b":{"parent":"a","message":{"author":{"role":"assistant"},"create_time":2,"content":{"content_type":"code","text":"y"}}}}}]"""u8.ToArray());
        save("history-import", 3, """[{"uuid":"u","name":"N","created_at":"2024-03-01T10:00:00Z","chat_messages":[{"uuid":"m","sender":"human","text":"","content":[{"type":"text","text":"hi \ud83d"}],"attachments":[{"file_name":"f","extracted_content":"e"}]}]}]"""u8.ToArray());
        save("history-import", 4, Convert.FromBase64String("UEsDBBQAAAAIAAAAeV0pu0wNBAAAAAIAAAAKAAAAdXNlcnMuanNvbouOBQBQSwMEFAAAAAgAAAB5XVyoTJlHAAAAVQAAABIAAABjb252ZXJzYXRpb25zLmpzb26LrlYqLc1MUbJSKlXSUcpLzE0FMv2AzOSMxJL43NTi4sT01GIlq2i4ulygZHFqXkpqEZCTUZqbmAcUKEmtKAFxM5VqY2tjAVBLAQIUAxQAAAAIAAAAeV0pu0wNBAAAAAIAAAAKAAAAAAAAAAAAAACAAQAAAAB1c2Vycy5qc29uUEsBAhQDFAAAAAgAAAB5XVyoTJlHAAAAVQAAABIAAAAAAAAAAAAAAIABLAAAAGNvbnZlcnNhdGlvbnMuanNvblBLBQYAAAAAAgACAHgAAACjAAAAAAA="));
        Search(save, SearchDocument.Of(message));
    }

    private static void Search(Action<string, int, byte[]> save, SearchDocument document)
    {
        int bucket = 0;
        var index = Done(SearchIndex.Empty.AddAsync([document, document with { Message = Change(1).Item, Text = "the words" }], (stored, _) =>
        {
            save("search-bucket", ++bucket, stored.Content.ToArray());
            return default;
        }, default).AsTask());
        save("search-index", 1, index.ToBytes());
    }

    private static byte[] Export(Message message, Registers registers)
    {
        using var file = new MemoryStream();
        var export = Done(HistoryExport.BeginAsync(file, Account, Now, default).AsTask());
        Require(export.WriteAsync(default, message, default).AsTask());
        Require(export.WriteAsync(default, registers, default).AsTask());
        Require(export.WriteAsync(message.Attachments[0], new MemoryStream([1, 2, 3]), default).AsTask());
        return file.ToArray();
    }

    // On memory nothing waits.
    private static T Done<T>(Task<T> task)
    {
        Require(task);
        return task.Result;
    }

    private static void Require(Task task) => Targets.Require(task.IsCompletedSuccessfully);

    private static ChangePage Page()
    {
        SealedChange[] changes = [Change(1), Change(2)];
        var tree = ItemTree.Empty.With([Subtree.Empty(0).With(changes.Select(TreeLeaf.Of))]);
        var head = new Head(Account, 1, 1, new byte[32], tree.Root, tree.Leaves, default);
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        using var key = Ed25519PrivateKey.ImportSeed(new byte[32]);
        key.Sign(head.ToBytes(), signature);
        var signed = SignedHead.Join(head, signature);
        return new(signed, 1, [signed], [.. changes]);
    }

    private static SealedChange Change(byte last) => new(Identity.Read([.. new byte[15], last]), 1, new byte[] { last });

    private static EpochRecord FirstEpoch()
    {
        using var key = Ed25519PrivateKey.ImportSeed(new byte[32]);
        byte[] content = [.. EpochRecord.Begin(Account, 1, key.PublicKey, new byte[32]), .. new byte[EpochRecord.SealedHeadKeySize]];
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        key.Sign(content, signature);
        Targets.Require(EpochRecord.TryParse([.. content, .. signature], out var record, out _));
        return record!;
    }
}
