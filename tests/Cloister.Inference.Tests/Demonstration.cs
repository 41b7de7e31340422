using System.Text.Json;
using Cloister.Testing;

namespace Cloister.Inference.Tests;

/// <summary>The model that ships with the sources, and what its training script says it does.</summary>
internal static class Demonstration
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "models", "demonstration");

    public static JsonElement Golden { get; } = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Root, "tools", "demonstration-model", "golden.json"))).RootElement;

    private static readonly Lazy<OnnxChatClient> Loaded = new(() => OnnxChatClient.Load(Folder, new EngineOptions { Threads = 1 }));

    public static OnnxChatClient Client => Loaded.Value;

    public static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(one => one.GetInt32())];
}
