using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("browser")]

// Nothing begins here: the page calls Subjects.
return;
