using Cloister.Web;
using Cloister.Web.Proof;
using Cloister.Web.Talk;
using Microsoft.AspNetCore.Components.WebAssembly.Hosting;

var builder = WebAssemblyHostBuilder.CreateDefault(args);
var door = new Door(new Uri(builder.HostEnvironment.BaseAddress));
var opening = door.OpenAsync();
var conversation = new Conversation(door);

builder.Services.AddSingleton(door).AddSingleton(conversation);
builder.RootComponents.Add<Label>("#label");
builder.RootComponents.Add<Seal>("#seal");
builder.RootComponents.Add<Turns>("#turns");
builder.RootComponents.Add<ProofPanel>("#proof");

await Shell.AttachAsync(door, conversation);
await Task.WhenAll(builder.Build().RunAsync(), opening);
