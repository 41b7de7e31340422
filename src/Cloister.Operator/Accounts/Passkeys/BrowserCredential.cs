using System.Text;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Operator.Accounts.Passkeys;

/// <summary>A credential as a browser gives it, without what is not the operator's.</summary>
/// <param name="Json">For Identity's handler, which wants the results of extensions and does not look into them: there are none.</param>
/// <param name="Id">What it says it is; null where it says nothing.</param>
/// <param name="HasSecrets">Whether it brought what unlocks an account: a client that sends the output of PRF has a leak, and must hear of it.</param>
internal sealed record BrowserCredential(string Json, byte[]? Id, bool HasSecrets)
{
    private const string Extensions = "clientExtensionResults";

    /// <summary>Null where it is no object, or a text in it has half of a surrogate pair, which no browser sends.</summary>
    public static BrowserCredential? Read(JsonElement credential)
    {
        try
        {
            return credential.ValueKind is JsonValueKind.Object ? new(WithoutExtensions(credential), ReadId(credential), BringsSecrets(credential)) : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static byte[]? ReadId(JsonElement credential) =>
        credential.TryGetProperty("id", out var id) && id.ValueKind is JsonValueKind.String && Base64.TryDecodeUrl(id.GetString(), out byte[]? bytes) ? bytes : null;

    private static bool BringsSecrets(JsonElement credential) => Members(credential, Extensions).SelectMany(results => Members(results, "prf")).Any(prf => Members(prf, "results").Any(results => results.ValueKind is not JsonValueKind.Null));

    private static string WithoutExtensions(JsonElement credential)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            foreach (var member in credential.EnumerateObject().Where(member => !IsNamed(member, Extensions)))
            {
                member.WriteTo(json);
            }
            json.WriteStartObject(Extensions);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static IEnumerable<JsonElement> Members(JsonElement value, string name) =>
        value.ValueKind is JsonValueKind.Object ? value.EnumerateObject().Where(member => IsNamed(member, name)).Select(member => member.Value) : [];

    // The handler reads names in any case.
    private static bool IsNamed(JsonProperty member, string name) => member.Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
