namespace Cloister.Inference.Generation;

/// <summary>Tokens of a conversation, in memory that is wiped: when it grows out of it, and at its end. A <see cref="List{T}"/> leaves copies behind.</summary>
internal sealed class TokenList : IDisposable
{
    private int[] _tokens = new int[256];

    public int Count { get; private set; }

    public ReadOnlyMemory<int> Memory => _tokens.AsMemory(0, Count);

    public ReadOnlySpan<int> Span => _tokens.AsSpan(0, Count);

    public void Add(int token)
    {
        if (Count == _tokens.Length)
        {
            int[] outgrown = _tokens;
            _tokens = new int[outgrown.Length * 2];
            outgrown.CopyTo(_tokens, 0);
            Array.Clear(outgrown);
        }
        _tokens[Count++] = token;
    }

    public void Dispose()
    {
        Array.Clear(_tokens);
        Count = 0;
    }
}
