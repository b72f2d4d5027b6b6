using Ciyuan.Quantities;

namespace Ciyuan.Parties;

/// <summary>An agreement as it is in force: what <see cref="AgreementSetup"/> says, read and checked.</summary>
public sealed class Agreement
{
    internal Agreement(
        AgreementSetup setup, Currency currency, Period valid, Amount perCall, int sharePpm, int billedOutcomes)
    {
        Setup = setup;
        Currency = currency;
        Valid = valid;
        PerCall = perCall;
        SharePpm = sharePpm;
        _billedOutcomes = billedOutcomes;
        Model = new ModelPattern(setup.Where?.Model ?? "");
        Tags = setup.Where?.Tags?.OrderBy(t => t.Key, StringComparer.Ordinal).ToArray() ?? [];
    }

    private readonly int _billedOutcomes;

    /// <summary>As it was written.</summary>
    public AgreementSetup Setup { get; }

    /// <summary>Short name.</summary>
    public string Id => Setup.Id;

    /// <summary>Currency of its amounts.</summary>
    public Currency Currency { get; }

    /// <summary>Event times that it covers.</summary>
    public Period Valid { get; }

    /// <summary>Fixed amount for each call, if that is how the amount is made.</summary>
    public Amount PerCall { get; }

    /// <summary>Share in millionths, if that is how the amount is made.</summary>
    public int SharePpm { get; }

    /// <summary>Models that it covers.</summary>
    public ModelPattern Model { get; }

    /// <summary>Labels that a record must carry.</summary>
    public KeyValuePair<string, string>[] Tags { get; }

    /// <summary>Whether calls that ended so are billed; the number is that of <c>Outcome</c>.</summary>
    public bool Bills(int outcome) => (_billedOutcomes & (1 << outcome)) != 0;
}
