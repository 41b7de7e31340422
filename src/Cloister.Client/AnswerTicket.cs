using System.Security.Cryptography;
using Cloister.Channel.Exchanges;
using Cloister.Wire;

namespace Cloister.Client;

/// <summary>The name of a request, and the key to its answer if that may be resumed. Fresh for each request (docs/spec/exchanges.md, sections 3 and 4).</summary>
internal sealed record AnswerTicket(string Name, string? ResumeKey)
{
    // Reading is cheap to ask again; what makes an answer is not.
    public static AnswerTicket For(HttpMethod method) => new(NewName(), method == HttpMethod.Get || method == HttpMethod.Head ? null : Random(Exchanges.ResumeKeySize));

    public static string NewName() => Random(Exchanges.RequestNameSize);

    private static string Random(int size) => Base64.EncodeUrl(RandomNumberGenerator.GetBytes(size));
}
