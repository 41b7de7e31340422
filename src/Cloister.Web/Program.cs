using Cloister.Web;
using Cloister.Web.Accounts;
using Cloister.Web.Proof;
using Cloister.Web.Shelf;
using Cloister.Web.Talk;
using Microsoft.AspNetCore.Components.WebAssembly.Hosting;

var builder = WebAssemblyHostBuilder.CreateDefault(args);
var page = new Uri(builder.HostEnvironment.BaseAddress);
var door = new Door(page);
var opening = door.OpenAsync();
var account = new PageAccount(AccountSetting.At(page));
var desk = new Desk(door, account);

builder.Services.AddSingleton(door).AddSingleton(account).AddSingleton(desk).AddSingleton(new AccountWindow(account));
builder.RootComponents.Add<Label>("#label");
builder.RootComponents.Add<Seal>("#seal");
builder.RootComponents.Add<Keeping>("#keeping");
builder.RootComponents.Add<Conversations>("#shelf");
builder.RootComponents.Add<Turns>("#turns");
builder.RootComponents.Add<ProofPanel>("#proof");
builder.RootComponents.Add<AccountDialog>("#account");

await Shell.AttachAsync(door, desk);
await Task.WhenAll(account.StartAsync(), builder.Build().RunAsync(), opening);
