using Cloister.Fuzz;
using SharpFuzz;

if (args is ["seed", var folder])
{
    Seeds.Write(folder);
    return 0;
}

// Under afl-fuzz: Cloister.Fuzz TARGET. The corpora are beside this file; `run` drives it.
if (args is not [var name] || !Targets.All.TryGetValue(name, out var target))
{
    Console.Error.WriteLine($"usage: Cloister.Fuzz {string.Join('|', Targets.All.Keys.Order())}");
    return 2;
}

Fuzzer.Run(stream =>
{
    using var input = new MemoryStream();
    stream.CopyTo(input);
    target(input.ToArray());
});
return 0;
