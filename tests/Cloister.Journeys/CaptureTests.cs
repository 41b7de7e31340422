using System.Buffers.Binary;
using System.Net;
using System.Text;
using Cloister.Channel;
using Cloister.Simulation;

namespace Cloister.Journeys;

/// <summary>Everything that the operator and the network see of a conversation.</summary>
public class CaptureTests
{
    private const string Canary = "CANARY-7f3d-the-letter-to-my-doctor";

    // docs/spec/channel.md, sections 3 and 7: the two messages of the handshake, then records of these sizes.
    private static readonly int[] HandshakeSizes = [1264, 1168];
    private static readonly int[] RecordSizes = [256, 1024, 4096, 16384];

    [Theory]
    [InlineData(ShapingProfile.Padded)]
    [InlineData(ShapingProfile.Paced)]
    public async Task Nothing_of_a_conversation_is_seen_and_sizes_are_those_of_the_profile(ShapingProfile shaping)
    {
        await using var server = await StandInServer.StartAsync();
        await using var enclave = await Parties.StartEnclaveAsync(server.Address);
        await using var inner = new RecordingWire(enclave.Endpoint);
        await using var carrier = await Parties.StartOperatorAsync(inner.Endpoint);
        var address = new Uri(carrier.Urls.First());
        await using var outer = new RecordingWire(new IPEndPoint(IPAddress.Loopback, address.Port));

        using (var client = Parties.Client(new Uri($"http://{outer.Endpoint}"), shaping))
        {
            string question = $$"""{"model":"stand-in","messages":[{"role":"user","content":"{{Canary}}"}]}""";
            using var answer = await client.PostAsync("v1/chat/completions", new StringContent(question, Encoding.UTF8, "application/json"));
            Assert.Contains(Canary, await answer.Content.ReadAsStringAsync());
        }

        var seen = inner.Recordings.Concat(outer.Recordings).ToList();
        Assert.NotEmpty(seen);
        foreach (string secret in Forms(Canary).Concat(["stand-in", "chat/completions", "tool_calls", "messages"]))
        {
            Assert.All(seen, recording => Assert.False(Holds(recording, secret), $"'{secret}' was seen on the way."));
        }

        var session = inner.Recordings.Single(recording => recording.Up.ToArray() is [1, ..]);
        foreach (byte[] direction in new[] { session.Up.ToArray()[1..], session.Down.ToArray() })
        {
            var sizes = Frames(direction);
            Assert.Contains(sizes[0], HandshakeSizes);
            Assert.True(sizes.Count > 1);
            Assert.All(sizes.Skip(1), size => Assert.Contains(size, RecordSizes));
        }
    }

    [Fact]
    public async Task An_enclave_that_the_policy_refuses_is_sent_nothing()
    {
        await using var enclave = await Parties.StartEnclaveAsync();
        await using var inner = new RecordingWire(enclave.Endpoint);
        await using var carrier = await Parties.StartOperatorAsync(inner.Endpoint);
        using var other = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);
        using var client = Parties.Client(new Uri(carrier.Urls.First()), policy: SimulatedEnclave.Policy(other));

        await Assert.ThrowsAsync<Client.EnclaveRefusedException>(() => client.PostAsync("v1/chat/completions", new StringContent(Canary)));

        // Only bundles were asked for: no session was begun.
        Assert.All(inner.Recordings, recording => Assert.Equal([2], recording.Up.ToArray()));
    }

    private static IEnumerable<string> Forms(string text) =>
        [text, Convert.ToBase64String(Encoding.UTF8.GetBytes(text))[..24], Convert.ToHexString(Encoding.UTF8.GetBytes(text)), Uri.EscapeDataString(text)];

    private static bool Holds(Recording recording, string secret)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(secret);
        return recording.Up.ToArray().AsSpan().IndexOf(bytes) >= 0 || recording.Down.ToArray().AsSpan().IndexOf(bytes) >= 0;
    }

    // docs/spec/operator.md, section 1.
    private static List<int> Frames(ReadOnlySpan<byte> bytes)
    {
        var sizes = new List<int>();
        while (bytes.Length >= 2 && BinaryPrimitives.ReadUInt16BigEndian(bytes) is var size && bytes.Length >= 2 + size)
        {
            sizes.Add(size);
            bytes = bytes[(2 + size)..];
        }
        return sizes;
    }
}
