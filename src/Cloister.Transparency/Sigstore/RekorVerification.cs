using System.Text;

namespace Cloister.Transparency;

/// <summary>One entry against the log that it names: key, promise, proof and checkpoint.</summary>
internal sealed class RekorVerification
{
    private readonly List<TrustedLog> _logs;
    private readonly SignedNote? _note;
    private readonly Checkpoint? _checkpoint;
    private readonly TrustedLog? _log;
    private readonly bool _promised;
    private readonly List<NoteSignature> _lines;
    private readonly bool _checkpointSigned;

    public RekorVerification(RekorEntry entry, SigstoreTrustedRoot root, List<(TrustedAuthority Authority, DateTimeOffset Time)> stamped)
    {
        Entry = entry;
        _logs = [.. root.Logs.Where(log => log.Is(entry.LogId))];
        _ = entry.Proof is { } proof && SignedNote.TryParse(Encoding.UTF8.GetBytes(proof.Checkpoint), out _note, out _) && Checkpoint.TryParse(_note.Text, out _checkpoint);

        // An entry is of the time that it promises, else of the times that others saw the signature.
        var times = entry.Time is { } time && entry.Promise is not null ? [time] : stamped.Select(one => one.Time).ToList();
        _log = _logs.FirstOrDefault(log => times.All(log.ValidFor.Contains));
        _promised = _log is not null && entry.Promise is { } promise && _log.Key.Verify(_log.Key.Hash, entry.Promised, promise);
        _lines = _log is null || _checkpoint is null ? [] : [.. _note!.Signatures.Where(line => line.KeyId == _log.KeyHint && IsNameOf(line.KeyName, _checkpoint.Origin))];
        _checkpointSigned = _lines.Any(line => _log!.Key.Verify(_log.Key.Hash, _note!.TextBytes, line.Signature.AsSpan()));
    }

    public RekorEntry Entry { get; }

    /// <summary>When the log says it took the entry in: only with the log's signature over it.</summary>
    public DateTimeOffset? PromisedTime => _promised ? Entry.Time : null;

    public void Judge(SigstoreFindings findings, bool proofRequired)
    {
        // A root that gives the log's id to another key does not know the log: nothing that the log signed is that key's, and neither is the id.
        bool contradicted = !_promised && !_checkpointSigned && (Entry.Promise is not null || _lines.Count > 0);
        bool known = _log is not null && (!contradicted || _log.HasDerivedId(_checkpoint?.Origin ?? ""));
        findings.That(SigstoreCheck.EntryKey, known, "a log that is trusted for that time", known ? "known" : _logs.Count > 0 ? "another key or another time" : "another log");
        JudgePromise(findings, known);
        if (Entry.Proof is { } proof)
        {
            JudgeProof(findings, proof, known);
            return;
        }
        if (proofRequired)
        {
            findings.That(SigstoreCheck.EntryProof, false, "a proof of inclusion", "none");
        }
        for (var name = SigstoreCheck.EntryProof; name <= SigstoreCheck.CheckpointSignature; name++)
        {
            findings.Waive(name, "the log's promise stands for it");
        }
    }

    private void JudgePromise(SigstoreFindings findings, bool known)
    {
        if (Entry.Promise is null)
        {
            findings.Waive(SigstoreCheck.EntryPromise, "none was made");
        }
        else if (known)
        {
            findings.That(SigstoreCheck.EntryPromise, _promised, "signed by the log", _promised ? "signed" : "the signature is wrong");
        }
    }

    private void JudgeProof(SigstoreFindings findings, RekorProof proof, bool known)
    {
        // Against either root: that the two are one is a question of its own.
        bool Leads(TreeHash root) => InclusionProof.Verify(TreeHash.OfLeaf(Entry.Body), proof.Index, proof.Size, proof.Path.AsSpan(), root);
        bool included = Leads(proof.Root) || (_checkpoint is not null && Leads(_checkpoint.Root));
        findings.That(SigstoreCheck.EntryProof, included && _checkpoint is not null, "a path to the root of a checkpoint",
            _checkpoint is null ? "no checkpoint" : included ? "it leads there" : "it leads elsewhere");
        if (_checkpoint is null)
        {
            return;
        }

        bool same = _checkpoint.Root == proof.Root && _checkpoint.Size == proof.Size;
        findings.That(SigstoreCheck.CheckpointRoot, same, $"size {proof.Size}, root {proof.Root}", $"size {_checkpoint.Size}, root {_checkpoint.Root}");
        if (known)
        {
            bool named = findings.That(SigstoreCheck.CheckpointSigner, _lines.Count > 0, "a line of the log's key", $"{_lines.Count} of {_note!.Signatures.Length} lines");
            if (named)
            {
                findings.That(SigstoreCheck.CheckpointSignature, _checkpointSigned, "signed by the log", _checkpointSigned ? "signed" : "the signature is wrong");
            }
        }
    }

    // Rekor 1 has its tree's number behind the name.
    private static bool IsNameOf(string name, string origin) => origin == name || origin.StartsWith($"{name} - ", StringComparison.Ordinal);
}
