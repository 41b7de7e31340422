using Cloister.Operator.Accounts.Http;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>An attempt to sign in, from before it is judged until it is disposed. One that was not wrong takes nothing from whoever made it.</summary>
internal sealed class Attempt : IDisposable
{
    private readonly List<(AttemptLimit Limit, string At)> _places = [];
    private readonly ClientAddress _from;
    private bool _wrong;

    /// <param name="limits">A place is needed in each of them.</param>
    public Attempt(ClientAddress from, params ReadOnlySpan<(AttemptLimit Limit, string At)> limits)
    {
        _from = from;
        foreach (var (limit, at) in limits)
        {
            if (!limit.TryBegin(from, out var wait, at))
            {
                Refusal = Answer.TooMany(wait.Value);
                return;
            }
            _places.Add((limit, at));
        }
    }

    /// <summary>How it is answered where there is no place: then it must not be judged. Null where there is.</summary>
    public Answer? Refusal { get; }

    public Answer Wrong()
    {
        _wrong = true;
        return Answer.Wrong;
    }

    public void Dispose() => _places.ForEach(place => place.Limit.End(_from, _wrong, place.At));
}
