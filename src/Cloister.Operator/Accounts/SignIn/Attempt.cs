using Cloister.Operator.Accounts.Http;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>An attempt to sign in, from before it is judged until it is disposed. One that was not wrong takes nothing from whoever made it.</summary>
internal sealed class Attempt : IDisposable
{
    private readonly List<(AttemptLimit Limit, string Name)> _places = [];
    private bool _wrong;

    /// <param name="limits">A place is needed in each of them.</param>
    public Attempt(params ReadOnlySpan<(AttemptLimit Limit, string Name)> limits)
    {
        foreach (var (limit, name) in limits)
        {
            if (!limit.TryBegin(name, out var wait))
            {
                Refusal = Answer.TooMany(wait.Value);
                return;
            }
            _places.Add((limit, name));
        }
    }

    /// <summary>How it is answered where there is no place: then it must not be judged. Null where there is.</summary>
    public Answer? Refusal { get; }

    public Answer Wrong()
    {
        _wrong = true;
        return Answer.Wrong;
    }

    public void Dispose() => _places.ForEach(place => place.Limit.End(place.Name, _wrong));
}
