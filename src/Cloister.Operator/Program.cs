using Cloister.Operator;

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
