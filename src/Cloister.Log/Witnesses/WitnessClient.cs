using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Cloister.Transparency;

namespace Cloister.Log.Witnesses;

/// <summary>What became of asking a witness. Zero is nothing yet.</summary>
internal enum WitnessReply : byte { None, Cosigned, Unreachable, TooSlow, Refused, Malformed, WrongSignature, Ahead, NoProof }

/// <summary>Gives the path from a tree of an older size to the one that is to be cosigned; null where it cannot.</summary>
internal delegate Task<TreeHash[]?> GrowthProver(long oldSize, CancellationToken cancellation);

/// <summary>One witness, as the log sees it (C2SP tlog-witness). At most one request at a time is on its way to it.</summary>
internal sealed class WitnessClient(PolicyWitness witness, HttpClient http, TimeSpan patience, TimeProvider time)
{
    private readonly Uri _address = new($"{witness.Url!.TrimEnd('/')}/add-checkpoint");
    private long _size; // of the last checkpoint that it cosigned, as far as we know; owned by the request on its way

    public string Name => witness.Name;

    /// <summary>Asks for cosignatures. Only those that verify under the policy's key are given back.</summary>
    public async Task<(WitnessReply Reply, ImmutableArray<NoteSignature> Cosignatures)> CosignAsync(SignedNote checkpoint, long size, GrowthProver prove, CancellationToken cancellation)
    {
        using var slow = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, slow.Token);
        try
        {
            // A witness that remembers another size says so once; then it is asked from there.
            var (reply, cosignatures) = await AskAsync(checkpoint, size, prove, either.Token);
            (reply, cosignatures) = reply is WitnessReply.None ? await AskAsync(checkpoint, size, prove, either.Token) : (reply, cosignatures);
            return (reply is WitnessReply.None ? WitnessReply.Refused : reply, cosignatures);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (WitnessReply.TooSlow, []);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException)
        {
            return (WitnessReply.Unreachable, []);
        }
    }

    private async Task<(WitnessReply, ImmutableArray<NoteSignature>)> AskAsync(SignedNote checkpoint, long size, GrowthProver prove, CancellationToken cancellation)
    {
        if (await prove(_size, cancellation) is not { } path)
        {
            return (WitnessReply.NoProof, []);
        }

        using var body = new ByteArrayContent(new AddCheckpointRequest(_size, [.. path], checkpoint).ToBytes());
        using var response = await http.PostAsync(_address, body, cancellation);
        byte[] answer = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (response.StatusCode is HttpStatusCode.Conflict)
        {
            return (Turn(answer, size), []);
        }
        if (response.StatusCode is not HttpStatusCode.OK)
        {
            return (WitnessReply.Refused, []);
        }
        if (!AddCheckpointRequest.TryParseAnswer(answer, out var signatures))
        {
            return (WitnessReply.Malformed, []);
        }

        ImmutableArray<NoteSignature> cosignatures = [.. signatures.Where(signature => witness.Key.Verify(checkpoint.Text, signature, out _)).Take(1)];
        _size = cosignatures.IsEmpty ? _size : size;
        return (cosignatures.IsEmpty ? WitnessReply.WrongSignature : WitnessReply.Cosigned, cosignatures);
    }

    // None: it is to be asked again from the size that it says.
    private WitnessReply Turn(byte[] answer, long size)
    {
        if (!AddCheckpointRequest.TryParseConflict(answer, out long remembered))
        {
            return WitnessReply.Malformed;
        }
        if (remembered > size)
        {
            return WitnessReply.Ahead;
        }
        bool same = remembered == _size;
        _size = remembered;
        return same ? WitnessReply.Refused : WitnessReply.None;
    }
}
