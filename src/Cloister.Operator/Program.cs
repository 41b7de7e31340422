using Cloister.Operator;

// docs/decisions/0009: what a socket brings is forwarded on the thread that polled it.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

if (args is not ["--configuration", var file])
{
    Console.Error.WriteLine("usage: Cloister.Operator --configuration FILE");
    return 2;
}
if (!OperatorOptions.TryRead(file, out var options, out var faults))
{
    foreach (string fault in faults)
    {
        Console.Error.WriteLine(fault);
    }
    return 2;
}

try
{
    await using var program = OperatorProgram.Build(options);
    await program.RunAsync();
    return 0;
}
catch (IOException fault)
{
    // Kestrel's sentence for an occupied port names the address.
    Console.Error.WriteLine(fault.Message);
    return 3;
}
