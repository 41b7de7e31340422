using Cloister.Bench;

switch (args)
{
    case ["upstream"]:
        await StandInUpstream.RunAsync([]);
        break;
    case ["yarp", var upstream]:
        await Neighbours.RunYarpAsync(upstream);
        break;
    case ["websocket"]:
        await Neighbours.RunWebSocketAsync();
        break;
    case ["enclave", var authority, var upstream]:
        await Parties.RunEnclaveAsync(authority, upstream);
        break;
    case ["operator", var carrier]:
        await Parties.RunOperatorAsync(carrier);
        break;
    case [] or ["channel"] or ["appraisal"] or ["log"] or ["journey"]:
        Console.WriteLine($"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}");
        if (args is [] or ["channel"])
        {
            Table.Print("Channel (one thread, CPU time, medians of interleaved rounds)", ChannelBench.Run());
        }
        if (args is [] or ["appraisal"])
        {
            Table.Print("Appraisal (one thread, CPU time)", AppraisalBench.Run());
        }
        if (args is [] or ["log"])
        {
            Table.Print("Log (one thread, CPU time)", LogBench.Run());
        }
        if (args is [] or ["journey"])
        {
            Table.Print("Journey (loopback, wall time)", await JourneyBench.RunAsync());
        }
        break;
    default:
        Console.Error.WriteLine("usage: bench/run [channel|appraisal|log|journey]");
        return 2;
}
return 0;
