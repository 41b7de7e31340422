using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Inference;

/// <summary>What steers a model, by SHA-256 in lower-case hex: what an enclave's statement names (docs/spec/inference.md, section 2).</summary>
/// <param name="Weights">The graph; where its weights are in files of their own, the listing of all of them.</param>
/// <param name="Tokenizer"><c>tokenizer.json</c>.</param>
/// <param name="Template">The listing of the smaller files: configuration, defaults of sampling, chat template.</param>
public sealed record ModelDigest(string Weights, string Tokenizer, string Template)
{
    internal static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    // As the command sha256sum prints it, in the order of the names: anybody can make it with that command.
    internal static string OfListing(IEnumerable<(string Name, string Digest)> files)
    {
        var listing = new StringBuilder();
        foreach (var (name, digest) in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            listing.Append(CultureInfo.InvariantCulture, $"{digest}  {name}\n");
        }
        return Of(Encoding.UTF8.GetBytes(listing.ToString()));
    }
}
