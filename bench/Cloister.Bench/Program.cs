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
    case ["accounts", var database]:
        await OperatorParties.RunAccountsAsync(database);
        break;
    case ["operator-grow", var kind, var items]:
        await OperatorBench.GrowAsync(kind, long.Parse(items, System.Globalization.CultureInfo.InvariantCulture));
        break;
    case ["log-server", var folder]:
        await LogParties.RunLogAsync(folder);
        break;
    case ["log-witness", var folder, var number]:
        await LogParties.RunWitnessAsync(folder, number);
        break;
    case ["log-grow", var count]:
        await LogServerBench.GrowAsync(long.Parse(count, System.Globalization.CultureInfo.InvariantCulture));
        break;
    case ["page", var folder]:
        Table.Print("Appraisal in headless Chromium (wall time)", await PageBench.RunAsync(folder));
        break;
    case [] or ["channel"] or ["appraisal"] or ["log"] or ["log-run"] or ["operator"] or ["journey"] or ["history"]:
        Console.WriteLine($"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}");
        if (args is [] or ["channel"])
        {
            Table.Print("Channel (one thread, CPU time, medians of interleaved rounds)", ChannelBench.Run());
        }
        if (args is [] or ["appraisal"])
        {
            Table.Print("Appraisal (one thread, CPU time)", AppraisalBench.Run().Concat(NvidiaBench.Run()));
        }
        if (args is [] or ["log"])
        {
            Table.Print("Log (one thread, CPU time)", LogBench.Run());
        }
        if (args is [] or ["log-run"])
        {
            Table.Print("A log and three witnesses (loopback, wall time)", await LogServerBench.RunAsync());
        }
        if (args is [] or ["history"])
        {
            Table.Print("A history of 10,000 conversations and 200,000 messages (wall time)", await HistoryBench.RunAsync());
        }
        if (args is [] or ["operator"])
        {
            Table.Print("Accounts (loopback, wall time)", await OperatorBench.RunAsync());
        }
        if (args is [] or ["journey"])
        {
            Table.Print("Journey (loopback, wall time)", await JourneyBench.RunAsync());
        }
        break;
    default:
        Console.Error.WriteLine("usage: bench/run [channel|appraisal|log|log-run|operator|journey|history|page FOLDER|log-grow COUNT|operator-grow sqlite|postgres COUNT]");
        return 2;
}
return 0;
