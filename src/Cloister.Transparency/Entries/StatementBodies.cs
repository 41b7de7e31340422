using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>A release must not be used any more. It has no end: what is recalled stays recalled.</summary>
/// <param name="Release">The release's <see cref="LogEntry.Digest"/> in lower-case hex.</param>
/// <param name="Reason">For people.</param>
public sealed record Recall(string Release, string Reason) : IStatementBody
{
    bool IStatementBody.IsWellFormed() => LogStatement.IsDigest(Release) && Reason.Length is > 0 and <= 4096;
}

/// <summary>An independent builder got the same artifacts from the sources.</summary>
/// <param name="Release">The release's <see cref="LogEntry.Digest"/> in lower-case hex.</param>
/// <param name="Artifacts">Exactly the release's, in its order.</param>
public sealed record Rebuild(string Release, ImmutableArray<Artifact> Artifacts) : IStatementBody
{
    bool IStatementBody.IsWellFormed() => LogStatement.IsDigest(Release) && Artifact.AreWellFormed(Artifacts);
}

/// <summary>The machines that the operator says are its own.</summary>
public sealed record Fleet(ImmutableArray<FleetNode> Nodes) : IStatementBody
{
    bool IStatementBody.IsWellFormed() =>
        !Nodes.IsDefault && Nodes.All(node => node is not null && LogStatement.IsName(node.Platform) && Hex.TryDecode(node.Id, out var id) && id.Length is >= 8 and <= 128) && Nodes.Distinct().Count() == Nodes.Length;
}

/// <summary>One machine.</summary>
/// <param name="Platform">For example <c>snp</c>.</param>
/// <param name="Id">The chip's identity, 8 to 128 bytes in lower-case hex.</param>
public sealed record FleetNode(string Platform, string Id);

/// <summary>The key configurations of the oblivious door: all users see the same.</summary>
/// <param name="Configurations"><c>application/ohttp-keys</c> (RFC 9458, section 3.2) in base64.</param>
public sealed record OhttpKeyConfigurations(string Configurations) : IStatementBody
{
    bool IStatementBody.IsWellFormed() => Base64.TryDecode(Configurations, out var bytes) && bytes.Length > 0;
}

/// <summary>A policy that clients are given.</summary>
/// <param name="Sha256">Of the policy's exact bytes, in lower-case hex.</param>
public sealed record PublishedPolicy(string Name, string Sha256) : IStatementBody
{
    bool IStatementBody.IsWellFormed() => LogStatement.IsName(Name) && LogStatement.IsDigest(Sha256);
}

/// <summary>The files of a web client.</summary>
public sealed record WebClient(string Version, ImmutableArray<Artifact> Files) : IStatementBody
{
    bool IStatementBody.IsWellFormed() => LogStatement.IsName(Version) && Artifact.AreWellFormed(Files);
}
