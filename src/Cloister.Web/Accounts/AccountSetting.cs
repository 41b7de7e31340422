using Cloister.Client.Accounts;
using Cloister.Web.Keys;
using Cloister.Web.Storage;

namespace Cloister.Web.Accounts;

/// <summary>Where an account lives in a browser: the one place that says so.</summary>
internal static class AccountSetting
{
    /// <param name="page">The page's own address: the operator's.</param>
    public static AccountPlace At(Uri page) => new()
    {
        Operator = new OperatorAccounts(new HttpClient { Timeout = Timeout.InfiniteTimeSpan }, page),
        Custody = new WebCryptoCustody(),
        Memory = new PageDeviceMemory(),
        OpenStore = async _ => await IndexedDbStore.OpenAsync(),
    };
}
