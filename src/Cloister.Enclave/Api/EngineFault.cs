using Cloister.Inference;

namespace Cloister.Enclave.Api;

/// <summary>What a fault of the engine is to the client. Faults that are not foreseen say nothing of themselves.</summary>
internal static class EngineFault
{
    public static ApiError Of(Exception fault) => fault switch
    {
        ContextTooLongException tooLong => ApiError.Invalid(tooLong.Message, "messages", "context_length_exceeded"),
        EngineBusyException => ApiError.Busy,
        ModelException model => ApiError.Invalid(model.Message, "model"),
        _ => ApiError.Failed,
    };
}
