using System.Security.Cryptography;

namespace Cloister.Primitives;

/// <summary>How a signature is made: RFC 8017, FIPS 186-5, RFC 8032.</summary>
public enum SignatureScheme : byte { RsaPss, RsaPkcs1, EcdsaP256, EcdsaP384, Ed25519 }

/// <summary>Did this key make this signature over this message?</summary>
/// <param name="Hash">Of the message; RSA-PSS: of the mask too, and the salt is as long. Ed25519: none.</param>
/// <param name="Key">RSA: the modulus, big-endian without leading zeros. ECDSA: 04 ‖ x ‖ y. Ed25519: 32 bytes.</param>
/// <param name="Exponent">RSA: big-endian without leading zeros. Otherwise empty.</param>
/// <param name="Signature">RSA: as long as the modulus. ECDSA: r ‖ s, each as long as the curve's order. Ed25519: 64 bytes.</param>
public sealed record SignatureQuestion(
    SignatureScheme Scheme, HashAlgorithmName Hash, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Exponent, ReadOnlyMemory<byte> Message, ReadOnlyMemory<byte> Signature);

/// <summary>
/// Whoever checks signatures faster than managed code, but has to be waited for: a browser. What verifies does not wait; so it runs twice, and in between
/// the questions that it asked are answered.
/// </summary>
/// <remarks>The checker is believed: it must be as trustworthy as this library.</remarks>
public abstract class SignatureChecker
{
    /// <returns>Null where it cannot say, or the key is none. Then all of it is checked here.</returns>
    protected abstract Task<bool?> CheckAsync(SignatureQuestion question);

    /// <summary>Runs a verification, with the checker's answers in it.</summary>
    /// <param name="verification">
    /// A pure function, which runs twice. The first time every signature passes for genuine, and the result is dropped. The second time the answers count, and
    /// what was not asked before is checked here.
    /// </param>
    public async Task<T> RunAsync<T>(Func<T> verification)
    {
        var run = new SignatureRun();
        _ = run.Use(verification);
        var asked = run.Questions.Select(CheckAsync).ToList();
        bool?[] answers = new bool?[asked.Count];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = await asked[i].ConfigureAwait(false);
        }
        run.Answers = answers;
        return run.Use(verification);
    }
}

/// <summary>The questions of one verification, and their answers once they are there.</summary>
internal sealed class SignatureRun
{
    [ThreadStatic]
    private static SignatureRun? _current;

    private readonly List<SignatureQuestion> _questions = [];

    public IReadOnlyList<SignatureQuestion> Questions => _questions;

    /// <summary>In the order of the questions. Null as long as these are only noted.</summary>
    public bool?[]? Answers { private get; set; }

    /// <summary>Notes what the verification asks, or lets it have the answers.</summary>
    public T Use<T>(Func<T> verification)
    {
        var before = _current;
        _current = this;
        try
        {
            return verification();
        }
        finally
        {
            _current = before;
        }
    }

    /// <summary>What is known of a signature where a verification runs on this thread that was given answers. Null: it is to be checked.</summary>
    public static bool? AnswerTo(
        SignatureScheme scheme, HashAlgorithmName hash, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> exponent, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (_current is not { } run)
        {
            return null;
        }
        int asked = run.IndexOf(scheme, hash, key.Span, exponent.Span, message, signature);
        if (run.Answers is { } answers)
        {
            return asked < 0 ? null : answers[asked];
        }
        if (asked < 0)
        {
            run._questions.Add(new SignatureQuestion(scheme, hash, key, exponent, message.ToArray(), signature.ToArray()));
        }
        return true;
    }

    /// <summary>
    /// Whether a key is one, where a verification runs on this thread. At first each of the right form counts as one; then each whose signatures were answered, because whoever answered had to read it.
    /// Null: it is to be checked.
    /// </summary>
    public static bool? IsKey(SignatureScheme scheme, ReadOnlySpan<byte> key)
    {
        if (_current is not { } run)
        {
            return null;
        }
        for (int i = 0; i < run.Answers?.Length; i++)
        {
            if (run.Answers[i] is not null && run._questions[i].Scheme == scheme && run._questions[i].Key.Span.SequenceEqual(key))
            {
                return true;
            }
        }
        return run.Answers is null ? true : null;
    }

    private int IndexOf(SignatureScheme scheme, HashAlgorithmName hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> exponent, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        for (int i = 0; i < _questions.Count; i++)
        {
            var one = _questions[i];
            if (one.Scheme == scheme && one.Hash == hash && one.Key.Span.SequenceEqual(key) && one.Exponent.Span.SequenceEqual(exponent)
                && one.Message.Span.SequenceEqual(message) && one.Signature.Span.SequenceEqual(signature))
            {
                return i;
            }
        }
        return -1;
    }
}
