using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Cloister.Inference;

/// <summary>Gives ONNX Runtime external weights from memory, which its .NET package cannot.</summary>
internal static unsafe partial class ExternalInitializers
{
    // Places in the table OrtApi of onnxruntime_c_api.h, which only ever grows at its end; the function is there since version 18.
    private const uint ApiVersion = 18;
    private const int ReleaseStatus = 93;
    private const int AddExternalInitializersFromFilesInMemory = 279;

    /// <param name="options">The options of the session to be.</param>
    /// <param name="files">Names as the graph has them, and memory that stays until the session's end.</param>
    /// <exception cref="ModelException">ONNX Runtime refuses them.</exception>
    public static void Add(SessionOptions options, ReadOnlySpan<(string Name, nint Start, nuint Length)> files)
    {
        var getApi = (delegate* unmanaged<uint, void**>)OrtGetApiBase()[0];
        void** api = getApi(ApiVersion);
        var add = (delegate* unmanaged<nint, nint*, nint*, nuint*, nuint, nint>)api[AddExternalInitializersFromFilesInMemory];
        var release = (delegate* unmanaged<nint, void>)api[ReleaseStatus];

        var (names, starts, lengths) = (new nint[files.Length], new nint[files.Length], new nuint[files.Length]);
        try
        {
            for (int i = 0; i < files.Length; i++)
            {
                names[i] = OperatingSystem.IsWindows() ? Marshal.StringToCoTaskMemUni(files[i].Name) : Marshal.StringToCoTaskMemUTF8(files[i].Name);
                (starts[i], lengths[i]) = (files[i].Start, files[i].Length);
            }
            fixed (nint* name = names, start = starts)
            fixed (nuint* length = lengths)
            {
                nint status = add(options.DangerousGetHandle(), name, start, length, (nuint)files.Length);
                if (status != 0)
                {
                    release(status);
                    throw new ModelException("ONNX Runtime does not take the graph's external weights.");
                }
            }
        }
        finally
        {
            Array.ForEach(names, Marshal.FreeCoTaskMem);
        }
    }

    [LibraryImport("onnxruntime")]
    private static partial void** OrtGetApiBase();
}
