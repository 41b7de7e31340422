using Cloister.Client.Accounts;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Testing.Devices;

/// <summary>The memory of a device that is measured: one program, one run, nothing on a disk.</summary>
internal sealed class InThisRun : DeviceMemory
{
    private byte[]? _record;
    private byte[]? _secret;

    public override ValueTask<RememberedDevice?> LoadAsync(CancellationToken cancellationToken) => new(_record is null ? null : new RememberedDevice(_record, MemorySecret.Import(UnlockerKind.Device, _secret)));

    public override ValueTask<bool> TrySaveAsync(RememberedDevice device, ReadOnlyMemory<byte>? before, CancellationToken cancellationToken)
    {
        (_record, _secret) = (device.Record.ToArray(), ((MemorySecret)device.Secret).DangerousExport());
        return new(true);
    }

    public override ValueTask<bool> TryForgetAsync(ReadOnlyMemory<byte> before, CancellationToken cancellationToken) => new(true);
}
