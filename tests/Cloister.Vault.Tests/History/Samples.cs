using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Vault.Tests.History;

/// <summary>Small names for what tests need many of.</summary>
internal static class Samples
{
    public static readonly DateTimeOffset Now = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);

    public static Identity Id(int number)
    {
        Span<byte> bytes = stackalloc byte[Identity.Size];
        BinaryPrimitives.WriteInt32BigEndian(bytes[..4], number);
        BinaryPrimitives.WriteInt32BigEndian(bytes[12..], number);
        return Identity.Read(bytes);
    }

    public static Message Say(int id, int? parent, Clock clock, string text = "hello") => new()
    {
        Id = Id(id),
        Conversation = Id(1_000_000),
        Parent = parent is { } number ? Id(number) : null,
        Role = MessageRole.User,
        Clock = clock,
        Text = text,
    };

    public static Clock At(int milliseconds, int device = 1) => Clock.After(Now.AddMilliseconds(milliseconds), null, Id(device));

    public static ItemContent Parse(string json, Identity item = default)
    {
        Assert.True(ItemContent.TryParse(item, Encoding.UTF8.GetBytes(json), out var content, out var fault), $"{fault}");
        return content;
    }

    public static string Text(this ItemContent content) => Encoding.UTF8.GetString(content.ToBytes());

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement.Clone();
}
