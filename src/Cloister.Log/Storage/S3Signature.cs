using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloister.Wire;

namespace Cloister.Log.Storage;

/// <summary>AWS Signature Version 4 in a request's header, as S3 asks for it.</summary>
internal static class S3Signature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The value of <c>Authorization</c>.</summary>
    /// <param name="path">Encoded already, from the first slash on. There is no query.</param>
    /// <param name="headers">All that are signed, by their names in lower case; <c>host</c>, <c>x-amz-date</c> and <c>x-amz-content-sha256</c> among them.</param>
    public static string Authorization(string method, string path, SortedDictionary<string, string> headers, string region, string keyId, string secret, DateTimeOffset now)
    {
        string date = now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        string scope = $"{date}/{region}/s3/aws4_request", names = string.Join(';', headers.Keys);
        string request = $"{method}\n{path}\n\n{string.Concat(headers.Select(header => $"{header.Key}:{header.Value}\n"))}\n{names}\n{headers["x-amz-content-sha256"]}";
        string toSign = $"{Algorithm}\n{TimeOf(now)}\n{scope}\n{Digest(Encoding.UTF8.GetBytes(request))}";

        byte[] key = Encoding.UTF8.GetBytes($"AWS4{secret}");
        foreach (string part in (string[])[date, region, "s3", "aws4_request", toSign])
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        }
        return $"{Algorithm} Credential={keyId}/{scope},SignedHeaders={names},Signature={Hex.Encode(key)}";
    }

    /// <summary>The value of <c>x-amz-date</c>.</summary>
    public static string TimeOf(DateTimeOffset now) => now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    public static string Digest(ReadOnlySpan<byte> bytes) => Hex.Encode(SHA256.HashData(bytes));
}
