using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

public sealed class AttachmentsInSqlite(InSqlite database) : AttachmentTests(database), IClassFixture<InSqlite>;

public sealed class AttachmentsInPostgres(InPostgres database) : AttachmentTests(database), IClassFixture<InPostgres>;

/// <summary>docs/spec/accounts.md, section 4.</summary>
public abstract class AttachmentTests(AccountsDatabase database)
{
    private const int MaxPart = ChunkedEncryption.HeaderSize + (64 * ChunkedEncryption.SealedChunkSize);

    private readonly string _id = TestDevice.NewItem().ToString();

    [Fact]
    public async Task Parts_are_kept_by_number_and_never_change()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        byte[] first = RandomNumberGenerator.GetBytes(MaxPart), third = [7];
        Assert.Equal("404 unknown", (await device.GetAsync($"/account/attachments/{_id}")).Verdict);
        Assert.Equal(200, (await PutAsync(device, "0", first)).Status);
        Assert.Equal(200, (await PutAsync(device, "2", third)).Status);
        Assert.Equal(200, (await PutAsync(device, "0", first)).Status);
        first[5] ^= 1;
        Assert.Equal("409 taken", (await PutAsync(device, "0", first)).Verdict);
        first[5] ^= 1;
        var reply = await device.GetAsync($"/account/attachments/{_id}/0");
        Assert.Equal((200, "application/octet-stream"), (reply.Status, reply.ContentType));
        Assert.Equal(first, reply.Bytes);
        Assert.Equal("404 unknown", (await device.GetAsync($"/account/attachments/{_id}/1")).Verdict);
        Assert.Equal($$"""{"parts":[0,2],"bytes":{{MaxPart + 1}}}""", (await device.GetAsync($"/account/attachments/{_id}")).Json.ToJsonString());
        Assert.InRange((long)(await device.GetAsync("/account")).Json["used"]!, MaxPart + 1, MaxPart + 1000);

        // Another account knows none of it.
        var other = await TestDevice.CreateAsync(program);
        Assert.Equal("404 unknown", (await other.GetAsync($"/account/attachments/{_id}/0")).Verdict);
        Assert.Equal("404 unknown", (await other.GetAsync($"/account/attachments/{_id}")).Verdict);
        Assert.Equal(200, (await PutAsync(other, "0", third)).Status);
        Assert.Equal(204, (await other.Api.AskAsync("DELETE", $"/account/attachments/{_id}", other.Token)).Status);

        Assert.Equal(204, (await device.Api.AskAsync("DELETE", $"/account/attachments/{_id}", device.Token)).Status);
        Assert.Equal("404 unknown", (await device.GetAsync($"/account/attachments/{_id}/0")).Verdict);
        Assert.Equal(0, (long)(await device.GetAsync("/account")).Json["used"]!);
    }

    [Fact]
    public async Task An_attachment_of_many_parts_is_deleted_whole()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        for (int part = 0; part < 40; part++)
        {
            Assert.Equal(200, (await PutAsync(device, $"{part}", [1])).Status);
        }
        Assert.Equal(204, (await device.Api.AskAsync("DELETE", $"/account/attachments/{_id}", device.Token)).Status);
        Assert.Equal("404 unknown", (await device.GetAsync($"/account/attachments/{_id}")).Verdict);
        Assert.Equal(0, (long)(await device.GetAsync("/account")).Json["used"]!);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("01")]
    [InlineData("65536")]
    [InlineData("x")]
    [InlineData("1.0")]
    public async Task A_part_is_a_number(string part)
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        Assert.Equal("404 unknown", (await PutAsync(device, part, [1])).Verdict);
    }

    [Fact]
    public async Task A_part_has_bytes_and_not_too_many()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        Assert.Equal("413 too_large", (await PutAsync(device, "0", new byte[MaxPart + 1])).Verdict);
        Assert.Equal("400 malformed", (await PutAsync(device, "0", [])).Verdict);
        Assert.Equal("404 unknown", (await device.Api.OctetsAsync("PUT", "/account/attachments/AAAAAAAAAAAAAAAAAAAAAB/0", [1], device.Token)).Verdict);
        Assert.Equal("415 content_type", (await device.Api.JsonAsync("PUT", $"/account/attachments/{_id}/0", "1", device.Token)).Verdict);
    }

    private Task<Reply> PutAsync(TestDevice device, string part, byte[] bytes) => device.Api.OctetsAsync("PUT", $"/account/attachments/{_id}/{part}", bytes, device.Token);
}
