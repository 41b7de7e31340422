namespace Cloister.Enclave.Api;

/// <summary>What a fault of the engine is to the client. Faults that are not foreseen say nothing of themselves.</summary>
internal static class EngineFault
{
    public static ApiError Of(Exception fault) => fault switch
    {
        _ => ApiError.Failed,
    };
}
