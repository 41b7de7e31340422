namespace Cloister.Cli.Chat;

/// <summary>Writes an answer as it comes: as Markdown where a person looks, as it is where a program reads.</summary>
internal static class AnswerWriter
{
    public static async Task WriteAsync(IAsyncEnumerable<string> pieces)
    {
        if (!Speech.IsStyled(Speech.Out))
        {
            await foreach (string piece in pieces)
            {
                Console.Out.Write(piece);
                await Console.Out.FlushAsync();
            }
            Console.Out.WriteLine();
            return;
        }

        var markdown = new MarkdownStream(Console.Out);
        try
        {
            await foreach (string piece in pieces)
            {
                markdown.Write(piece);
            }
        }
        finally
        {
            markdown.End();
            Console.Out.WriteLine();
        }
    }
}
