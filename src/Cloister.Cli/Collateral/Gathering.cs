using System.Text;
using Cloister.Wire;

namespace Cloister.Cli.Collateral;

/// <summary>One set in the making: what was asked for it, and the faults that kept answers bridged.</summary>
internal sealed class Gathering(KeptAnswers answers, CancellationToken cancellation)
{
    private readonly List<VendorItem> _used = [];

    public List<VendorFault> Bridged { get; } = [];

    public Task<VendorAnswer> GetAsync(VendorItem item)
    {
        _used.Add(item);
        return answers.GetAsync(item, Bridged.Add, cancellation);
    }

    /// <summary>The answers do not belong together, as when a maker changed one between two questions: none is kept, so that all are asked for again.</summary>
    public VendorFault Discord(Uri vendor)
    {
        _used.ForEach(answers.Forget);
        return new VendorFault($"What {vendor.Host} answered does not belong together: one of the signatures is not the other's.");
    }
}

internal static class PemText
{
    /// <summary>The DER of each certificate of a text that was read before.</summary>
    public static IEnumerable<byte[]> Ders(byte[] pem) => Encoding.Latin1.GetString(pem)
        .Split("-----BEGIN CERTIFICATE-----").Skip(1)
        .Select(part => part.Split("-----END CERTIFICATE-----")[0].ReplaceLineEndings("").Trim())
        .Select(body => Base64.TryDecode(body, out var der) ? der : []);
}
