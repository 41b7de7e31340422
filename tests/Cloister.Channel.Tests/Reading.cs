using System.Text;

namespace Cloister.Channel.Tests;

internal static class Reading
{
    /// <summary>Everything up to the end of the stream, in reads of at most that size.</summary>
    public static async Task<byte[]> ReadAllAsync(this Stream stream, int size = 4096)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[size];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
        {
            all.Write(buffer, 0, read);
        }
        return all.ToArray();
    }

    public static async Task<string> ReadTextAsync(this Stream stream) => Encoding.ASCII.GetString(await stream.ReadAllAsync());

    public static async Task<string> ReadTextAsync(this Stream stream, int length) => Encoding.ASCII.GetString(await stream.ReadExactlyAsync(length));

    /// <summary>How reading on fails, which it must, with nothing delivered.</summary>
    public static async Task<ChannelFault> ReadFaultAsync(this Stream stream)
    {
        byte[] buffer = new byte[100];
        var fault = await Assert.ThrowsAsync<ChannelException>(async () => Assert.Equal(0, await stream.ReadAsync(buffer)));
        Assert.Equal(new byte[100], buffer);
        return fault.Fault;
    }

    public static async Task<byte[]> ReadExactlyAsync(this Stream stream, int length)
    {
        byte[] data = new byte[length];
        await stream.ReadExactlyAsync(data);
        return data;
    }
}
