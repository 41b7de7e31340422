using System.Buffers.Binary;
using System.Text;
using CsCheck;

namespace Cloister.Transparency.Tests;

public class NoteTests
{
    // The example of Go's golang.org/x/mod/sumdb/note.
    private const string Vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private const string Skey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    private const string Text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    private const string Line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    // The examples of signed-note, tlog-checkpoint and tlog-cosignature.
    private const string Poem = """
        Ognuno sta solo sul cuor della terra
        trafitto da un raggio di sole:

        ed è subito sera.

        — quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=

        """;

    private const string Cosigned = """
        example.com/behind-the-sofa
        20852163
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
        — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==

        """;

    private static readonly TreeHash Root = TreeHash.OfLeaf([1]);

    [Fact]
    public void The_published_key_verifies_the_published_note()
    {
        Assert.True(VerifierKey.TryParse(Vkey, out var key));
        Assert.Equal(Vkey, key.ToString());
        var note = Parse(Text + "\n" + Line);
        Assert.Equal(Text, note.Text);
        Assert.True(key.Verify(note.Text, note.Signatures[0], out _));
        Assert.False(key.Verify(note.Text + "\n", note.Signatures[0], out _));

        Assert.True(SignerKey.TryParse(Skey, out var signer));
        Assert.Equal(key, signer.Verifier);
        Assert.Equal(Line, signer.Sign(Text).ToString());
    }

    [Fact]
    public void The_published_examples_are_read()
    {
        var poem = Parse(Poem);
        Assert.EndsWith("sole:\n\ned è subito sera.\n", poem.Text, StringComparison.Ordinal);
        Assert.Equal("quasimodo.example/salvatore", poem.Signatures[0].KeyName);

        var cosigned = Parse(Cosigned);
        Assert.True(Checkpoint.TryParse(cosigned.Text, out var checkpoint));
        Assert.Equal(("example.com/behind-the-sofa", 20852163L), (checkpoint.Origin, checkpoint.Size));
        Assert.Equal(cosigned.Text, checkpoint.ToString());
        Assert.Equal(1679315147, BinaryPrimitives.ReadInt64BigEndian(cosigned.Signatures[1].Signature.AsSpan()));
        Assert.Equal("cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            Encoding.UTF8.GetString(Cosignature.Message(cosigned.Text, 1679315147)));
        Assert.True(VerifierKey.TryParse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", out _));
    }

    [Theory]
    [InlineData("", NoteFault.NoSignatures)]
    [InlineData("text\n", NoteFault.NoSignatures)]
    [InlineData("text\n\n", NoteFault.NoSignatures)]
    [InlineData("text\n" + Line, NoteFault.NoSignatures)]
    [InlineData("te\txt\n\n" + Line, NoteFault.ControlCharacter)]
    [InlineData("text\r\n\n" + Line, NoteFault.ControlCharacter)]
    [InlineData("text\n\n" + Line + " ", NoteFault.NoSignatures)]
    [InlineData("text\n\n" + Line + Line + "x\n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n- a AAAAAAA=\n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n— AAAAAAA=\n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n— a\n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n—  AAAAAAA=\n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n— a+b AAAAAAA=\n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n— a\u00a0b AAAAAAA=\n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n— a AAAAAAA=  \n", NoteFault.MalformedSignature)]
    [InlineData("text\n\n— a AAAAAAB=\n", NoteFault.MalformedSignature)] // not canonical
    [InlineData("text\n\n— a AAAAAA==\n", NoteFault.MalformedSignature)] // an id and no signature
    public void Another_form_is_refused(string note, NoteFault fault)
    {
        Assert.False(SignedNote.TryParse(Encoding.UTF8.GetBytes(note), out _, out var found));
        Assert.Equal(fault, found);
    }

    [Fact]
    public void Bounds_are_held()
    {
        Assert.False(SignedNote.TryParse([0xff, .. Encoding.UTF8.GetBytes("\n\n" + Line)], out _, out var fault));
        Assert.Equal(NoteFault.NotText, fault);
        Parse("a\n\n" + string.Concat(Enumerable.Repeat(Line, SignedNote.MaxSignatures)));
        Assert.False(SignedNote.TryParse(Encoding.UTF8.GetBytes("a\n\n" + string.Concat(Enumerable.Repeat(Line, SignedNote.MaxSignatures + 1))), out _, out fault));
        Assert.Equal(NoteFault.TooManySignatures, fault);
        Assert.False(SignedNote.TryParse(new byte[SignedNote.MaxSize + 1], out _, out fault));
        Assert.Equal(NoteFault.TooLong, fault);
        Assert.Throws<ArgumentException>(() => SignedNote.Create("no newline", [new("a", 1, [1])]));
        Assert.Throws<ArgumentException>(() => SignedNote.Create("text\n", []));
    }

    [Theory]
    [InlineData("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")] // another id
    [InlineData("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann+c74f20a3+")]
    [InlineData("PeterNeumann+c74f20a3")]
    [InlineData("PeterNeumann")]
    [InlineData("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy1w==")]
    [InlineData("PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW ")]
    public void A_key_has_one_spelling(string text)
    {
        Assert.False(VerifierKey.TryParse(text, out _));
        Assert.False(SignerKey.TryParse("PRIVATE+KEY+" + text, out _));
    }

    [Theory]
    [InlineData(NoteKeyType.Ed25519)]
    [InlineData(NoteKeyType.Ed25519Cosignature)]
    [InlineData(NoteKeyType.MlDsa44Cosignature)]
    public void What_is_signed_verifies_and_nothing_else(NoteKeyType type)
    {
        using var signer = SignerKey.ImportSeed("example.com/log", type, new byte[32]);
        Assert.True(VerifierKey.TryParse(signer.Verifier.ToString(), out var key));
        Assert.Equal(signer.Verifier, key);
        var checkpoint = new Checkpoint("example.com/log", 7, Root);
        var note = Parse(checkpoint.Sign(signer, 1234).ToString());
        Assert.True(key.Verify(note.Text, note.Signatures[0], out long time));
        Assert.Equal(type is NoteKeyType.Ed25519 ? 0 : 1234, time);

        foreach (var other in (Checkpoint[])[new("example.com/log2", 7, Root), new("example.com/log", 8, Root), new("example.com/log", 7, default)])
        {
            Assert.False(key.Verify(other.ToString(), note.Signatures[0], out time));
            Assert.Equal(0, time);
        }
        Assert.Equal(type is NoteKeyType.MlDsa44Cosignature, key.Verify(new Checkpoint("example.com/log", 7, Root, "extension").ToString(), note.Signatures[0], out _));

        for (int at = 0; at < note.Signatures[0].Signature.Length; at += type is NoteKeyType.MlDsa44Cosignature ? 97 : 1)
        {
            var spoiled = note.Signatures[0].Signature.ToArray();
            spoiled[at] ^= 1;
            Assert.False(key.Verify(note.Text, note.Signatures[0] with { Signature = [.. spoiled] }, out _));
        }
        Assert.False(key.Verify(note.Text, note.Signatures[0] with { KeyId = key.Id + 1 }, out _));
        Assert.False(key.Verify(note.Text, note.Signatures[0] with { KeyName = "other" }, out _));
        Assert.False(key.Verify(note.Text, note.Signatures[0] with { Signature = [0] }, out _));
    }

    [Fact]
    public void One_key_in_two_roles_is_two_keys()
    {
        using var log = SignerKey.ImportSeed("a", NoteKeyType.Ed25519, new byte[32]);
        using var witness = SignerKey.ImportSeed("a", NoteKeyType.Ed25519Cosignature, new byte[32]);
        Assert.NotEqual(log.Verifier.Id, witness.Verifier.Id);
        Assert.NotEqual(log.Verifier, witness.Verifier);
        Assert.Throws<InvalidOperationException>(() => witness.Sign("text\n"));
        Assert.Throws<InvalidOperationException>(() => log.Cosign(new Checkpoint("a", 0, Root), 1));
    }

    [Theory]
    [InlineData("example.com\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")]
    [InlineData("example.com\n1\n")]
    [InlineData("\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("example.com\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("example.com\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("example.com\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("example.com\n9223372036854775808\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("example.com\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2=\n")]
    [InlineData("example.com\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n")]
    [InlineData("example.com\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n")]
    [InlineData("example.com\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nx\n\ny\n")]
    public void Another_checkpoint_is_refused(string text) => Assert.False(Checkpoint.TryParse(text, out _));

    [Fact]
    public void What_is_written_is_read() => Gen.Select(Gen.Char["abc/é-"].Array[1, 20], Gen.Long[0, long.MaxValue], Gen.Byte.Array[32], Gen.Char["xyz ="].Array[1, 9].Array[0, 3]).Sample((origin, size, root, extensions) =>
    {
        var checkpoint = new Checkpoint(new string(origin), size, new TreeHash(root), [.. extensions.Select(line => new string(line))]);
        Assert.True(Checkpoint.TryParse(checkpoint.ToString(), out var read));
        Assert.Equal(checkpoint, read);
        Assert.Equal(checkpoint.ToString(), read.ToString());
        using var key = SignerKey.Generate("key", NoteKeyType.Ed25519);
        byte[] note = checkpoint.Sign(key).ToBytes();
        Assert.True(SignedNote.TryParse(note, out var parsed, out _));
        Assert.Equal(note, parsed.ToBytes());
    }, iter: 100);

    private static SignedNote Parse(string text)
    {
        Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out var note, out var fault), $"{fault}");
        Assert.Equal(text, note.ToString());
        return note;
    }
}
