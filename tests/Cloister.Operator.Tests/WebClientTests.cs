using System.Net;

namespace Cloister.Operator.Tests;

/// <summary>The web app's published entry: shown as the file is now, and nothing where there is none.</summary>
public class WebClientTests
{
    private static readonly Uri Place = new("/cloister/v1/publication/web-client", UriKind.Relative);

    [Fact]
    public async Task It_is_shown_as_it_is_now()
    {
        string file = Path.GetTempFileName();
        await using var program = await RunningOperator.StartAsync(RunningOperator.Options(("one", "127.0.0.1:1")) with { WebClient = file });
        foreach (string content in (string[])["{}", "{ \"entry\": \"\" }"])
        {
            await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);
            Assert.Equal(content, await program.Http.GetStringAsync(Place, TestContext.Current.CancellationToken));
        }

        await File.WriteAllBytesAsync(file, new byte[1024 * 1024 + 1], TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, (await program.Http.GetAsync(Place, TestContext.Current.CancellationToken)).StatusCode);
        File.Delete(file);
        Assert.Equal(HttpStatusCode.NotFound, (await program.Http.GetAsync(Place, TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task Without_the_option_there_is_none()
    {
        await using var program = await RunningOperator.StartAsync(RunningOperator.Options(("one", "127.0.0.1:1")));
        Assert.Equal(HttpStatusCode.NotFound, (await program.Http.GetAsync(Place, TestContext.Current.CancellationToken)).StatusCode);
    }
}
