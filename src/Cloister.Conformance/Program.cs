using Cloister.Conformance;

return Contract.Run(args, Console.OpenStandardInput(), Console.OpenStandardOutput());
