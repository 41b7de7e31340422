using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;

namespace Cloister.Inference;

/// <summary>A graph and its external weights, read once into memory: what is hashed is what is loaded, whatever becomes of the files meanwhile.</summary>
internal sealed unsafe class GraphFiles : IDisposable
{
    private const string Partial = ".partial";
    private const int ReadAtOnce = 16 * 1024 * 1024;

    private readonly byte[] _graph;
    private readonly List<ExternalWeights> _weights = [];
    private InferenceSession? _session;

    private GraphFiles(string path)
    {
        Name = Path.GetFileName(path);
        _graph = new FileInfo(path).Length <= Array.MaxLength ? File.ReadAllBytes(path) : throw new ModelException($"{Name} is larger than 2 GiB: its weights belong into a file of their own.");
        try
        {
            // They stand beside the graph under its name: model.onnx_data, model.onnx.data, model.onnx_data_1 …
            foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, Name + "*").Where(file => Path.GetFileName(file) != Name && !file.EndsWith(Partial, StringComparison.Ordinal)))
            {
                _weights.Add(ExternalWeights.Read(file));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        Digest = _weights.Count == 0 ? ModelDigest.Of(_graph) : ModelDigest.OfListing([(Name, ModelDigest.Of(_graph)), .. _weights.Select(file => (file.Name, file.Digest))]);
    }

    /// <summary>The graph's file name, for messages.</summary>
    public string Name { get; }

    /// <summary>SHA-256 of what is held here (docs/spec/inference.md, section 2).</summary>
    public string Digest { get; }

    /// <exception cref="ModelException">A file cannot be read.</exception>
    public static GraphFiles Read(string path)
    {
        try
        {
            return new GraphFiles(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            throw new ModelException($"{Path.GetFileName(path)} or its weights cannot be read.", e);
        }
    }

    /// <summary>Opens the one session, which computes with the memory held here and ends with it.</summary>
    /// <exception cref="ModelException">ONNX Runtime refuses it.</exception>
    public InferenceSession Open(int threads)
    {
        try
        {
            using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            options.AddSessionConfigEntry("session.use_external_initializer_file_buffers_directly", "1");

            // A graph that names another file names none: without this it would be looked for in the working directory, and loaded unhashed.
            options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
            if (_weights.Count > 0)
            {
                ExternalInitializers.Add(options, [.. _weights.Select(file => (file.Name, file.Start, file.Length))]);
            }
            return _session = new InferenceSession(_graph, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"{Name} is not a model that ONNX Runtime can load, or names weights in a file that is not called {Name}….", e);
        }
    }

    public void Dispose()
    {
        _session?.Dispose();
        _weights.ForEach(file => file.Dispose());
    }

    // Not the collector's memory: weights are larger than an array can be.
    private sealed class ExternalWeights(string name, nint start, nuint length, string digest) : IDisposable
    {
        private nint _start = start;

        public string Name => name;

        public nint Start => _start;

        public nuint Length => length;

        public string Digest => digest;

        public static ExternalWeights Read(string path)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long length = file.Length;
            byte* start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), 64);
            try
            {
                for (long at = 0; at < length;)
                {
                    var piece = new Span<byte>(start + at, (int)Math.Min(ReadAtOnce, length - at));
                    file.ReadExactly(piece);
                    hash.AppendData(piece);
                    at += piece.Length;
                }
                return new ExternalWeights(Path.GetFileName(path), (nint)start, (nuint)length, Convert.ToHexStringLower(hash.GetHashAndReset()));
            }
            catch
            {
                NativeMemory.AlignedFree(start);
                throw;
            }
        }

        public void Dispose() => NativeMemory.AlignedFree((void*)Interlocked.Exchange(ref _start, 0));
    }
}
