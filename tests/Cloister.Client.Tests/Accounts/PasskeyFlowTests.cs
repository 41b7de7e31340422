using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Operator.Tests.Accounts;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Tests.Accounts
{
    /// <summary>Passkeys through the flows, with a software authenticator whose PRF the test plays.</summary>
    public sealed class PasskeyFlowTests : IAsyncLifetime
    {
        private RealOperator _operator = null!;
        private SoftAuthenticator _key = null!;
        private readonly byte[] _prf = RandomNumberGenerator.GetBytes(32);

        public async ValueTask InitializeAsync()
        {
            _operator = await RealOperator.StartAsync();
            _key = new SoftAuthenticator($"http://localhost:{_operator.Address.Port}");
        }

        public ValueTask DisposeAsync() => _operator.DisposeAsync();

        [Fact]
        public async Task A_passkey_opens_the_account_on_another_device()
        {
            using var laptop = new TestDevice(_operator, "laptop");
            using var phone = new TestDevice(_operator, "phone");
            var (device, _) = await laptop.SignUpAsync();
            await using var first = device;
            await first.SayAsync("hello");
            Assert.True(await first.AddPasskeyAsync(Make(withPrf: true), "Security key", null, default));
            await using var second = await phone.Entrance.EnterWithPasskeyAsync(Ask(withPrf: true), "phone", default);
            Assert.Equal(["hello"], await second!.ReadAsync());
            Assert.DoesNotContain(laptop.Wire.Requests.Concat(phone.Wire.Requests), request => request.Contains(Convert.ToHexString(_prf), StringComparison.OrdinalIgnoreCase));
        }

        [Fact]
        public async Task Without_a_PRF_it_signs_in_and_unlocks_nothing_and_can_be_removed()
        {
            using var laptop = new TestDevice(_operator, "laptop");
            using var phone = new TestDevice(_operator, "phone");
            var (device, _) = await laptop.SignUpAsync();
            await using var first = device;
            Assert.True(await first.AddPasskeyAsync(Make(withPrf: false), "Old key", null, default));
            var standing = (await first.CompareUnlockersAsync(default)).Single(one => one.Label == "Old key");
            Assert.Equal(Standing.SignsInOnly, standing.Standing);
            var fault = await Assert.ThrowsAsync<AccountFaultException>(() => phone.Entrance.EnterWithPasskeyAsync(Ask(withPrf: false), "phone", default));
            Assert.Equal(AccountFault.UnlocksNothing, fault.Fault);
            fault = await Assert.ThrowsAsync<AccountFaultException>(() => phone.Entrance.EnterWithPasskeyAsync(Ask(withPrf: true), "phone", default));
            Assert.Equal(AccountFault.UnlocksNothing, fault.Fault);

            await first.RemoveAsync(standing.Id, default);
            Assert.DoesNotContain(await first.CompareUnlockersAsync(default), one => one.Id == standing.Id);
        }

        [Fact]
        public async Task It_opens_after_a_new_epoch_and_not_once_it_was_removed()
        {
            using var laptop = new TestDevice(_operator, "laptop");
            using var phone = new TestDevice(_operator, "phone");
            using var tablet = new TestDevice(_operator, "tablet");
            var (device, words) = await laptop.SignUpAsync();
            await using var first = device;
            await first.AddPasskeyAsync(Make(withPrf: true), "Security key", null, default);
            await first.RemoveAsync(words.Unlocker, default);
            await first.SayAsync("after");
            await using (var second = await phone.Entrance.EnterWithPasskeyAsync(Ask(withPrf: true), "phone", default))
            {
                Assert.Equal(["after"], await second!.ReadAsync());
            }
            await first.RemoveAsync(first.Unlockers.Single(one => one.Label == "Security key").Id, default);
            var fault = await Assert.ThrowsAsync<AccountFaultException>(() => tablet.Entrance.EnterWithPasskeyAsync(Ask(withPrf: true), "tablet", default));
            Assert.Equal(AccountFault.Wrong, fault.Fault);
        }

        [Fact]
        public async Task One_whose_wrap_never_arrived_is_removed_by_an_epoch_and_at_the_operator()
        {
            using var laptop = new TestDevice(_operator, "laptop");
            using var phone = new TestDevice(_operator, "phone");
            var (device, words) = await laptop.SignUpAsync();
            await using var first = device;
            await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
            laptop.Wire.Before = request =>
            {
                if (Wire.Is(request, "PUT", "account/unlockers"))
                {
                    throw new HttpRequestException("no network");
                }
            };
            await Assert.ThrowsAsync<OperatorUnreachableException>(() => first.AddPasskeyAsync(Make(withPrf: true), "Security key", null, default));
            await first.History.SyncNowAsync(default);
            await second.History.SyncNowAsync(default);

            var passkey = second.Unlockers.Single(one => one.Label == "Security key");
            Assert.False(passkey.PublicKey.IsEmpty);
            await second.RemoveAsync(passkey.Id, default);
            var listing = await second.ListingAsync(default);
            Assert.Equal(2, listing.Epochs.Length);
            Assert.DoesNotContain(listing.Unlockers, one => one.Id == passkey.Id);
            Assert.DoesNotContain(second.Unlockers, one => one.Id == passkey.Id);
        }

        [Fact]
        public async Task Somebody_who_says_no_changes_nothing()
        {
            using var laptop = new TestDevice(_operator, "laptop");
            using var phone = new TestDevice(_operator, "phone");
            var (device, _) = await laptop.SignUpAsync();
            await using var first = device;
            Assert.False(await first.AddPasskeyAsync((_, _) => Task.FromResult<PasskeyAnswer?>(null), "Security key", null, default));
            Assert.Null(await phone.Entrance.EnterWithPasskeyAsync((_, _) => Task.FromResult<PasskeyAnswer?>(null), "phone", default));
            Assert.Equal(2, (await first.CompareUnlockersAsync(default)).Length);
        }

        private PasskeyCeremony Make(bool withPrf) => (question, _) => AnswerAsync(_key.Create(JsonNode.Parse(question.OptionsJson)!), withPrf);

        private PasskeyCeremony Ask(bool withPrf) => (question, _) => AnswerAsync(_key.Get(JsonNode.Parse(question.OptionsJson)!), withPrf);

        private Task<PasskeyAnswer?> AnswerAsync(JsonObject credential, bool withPrf) =>
            Task.FromResult<PasskeyAnswer?>(new(credential.ToJsonString(), withPrf ? MemorySecret.Import(UnlockerKind.Passkey, _prf) : null));
    }
}

namespace Cloister.Operator.Tests.Accounts
{
    /// <summary>The two words of the operator's tests that their authenticator needs.</summary>
    internal static class Api
    {
        public static byte[] Bytes(JsonNode? text) => System.Buffers.Text.Base64Url.DecodeFromChars((string)text!);

        public static string Text(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }
}
