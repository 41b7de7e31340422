using System.Text;

namespace Cloister.Channel.Noise;

/// <summary>The AEADs of Noise rev 34, section 12, that we have.</summary>
internal enum NoiseCipher : byte { ChaChaPoly, AesGcm }

/// <summary>A protocol name and what it stands for. Noise rev 34, section 8.</summary>
internal sealed class NoiseProtocol
{
    private NoiseProtocol(string name, HandshakePattern pattern, NoiseCipher cipher)
    {
        Name = Encoding.ASCII.GetBytes(name);
        (Pattern, Cipher) = (pattern, cipher);
    }

    public ReadOnlyMemory<byte> Name { get; }

    public HandshakePattern Pattern { get; }

    public NoiseCipher Cipher { get; }

    /// <exception cref="FormatException">A name of something that we do not speak.</exception>
    public static NoiseProtocol Parse(string name)
    {
        if (name.Split('_') is not ["Noise", var pattern, var agreement, var cipher, "SHA256"])
        {
            throw new FormatException($"{name} is not a protocol of SHA256.");
        }

        // noise_hfs rev 1, section 5: the modifier and the name of the KEM come together or not at all.
        string expected = pattern.Contains("hfs", StringComparison.Ordinal) ? "25519+MLKEM768" : "25519";
        if (agreement != expected)
        {
            throw new FormatException($"{pattern} needs {expected}, not {agreement}.");
        }
        return new(name, HandshakePattern.Parse(pattern), cipher switch
        {
            "ChaChaPoly" => NoiseCipher.ChaChaPoly,
            "AESGCM"     => NoiseCipher.AesGcm,
            _            => throw new FormatException($"There is no cipher {cipher}."),
        });
    }
}
