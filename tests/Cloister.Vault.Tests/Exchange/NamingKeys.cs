using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.Keys;
using Cloister.Vault.Tests.Heads;

namespace Cloister.Vault.Tests.Exchange;

/// <summary>Keys that name items and do nothing else.</summary>
internal sealed class NamingKeys(byte name) : VaultKeys(new TestAccount(name).Epochs, new byte[32].Select(_ => name).ToArray())
{
    public override ValueTask<ImmutableArray<SealedChange>> SealAsync(IReadOnlyList<PlainItem> items, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<ImmutableArray<OpenedItem>> OpenAsync(IReadOnlyList<SealedChange> items, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<SignedHead> SignAsync(Head head, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<byte[]> SealForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<byte[]?> OpenForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new InvalidOperationException();
}
