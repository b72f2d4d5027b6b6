using Ciyuan.Parties;

namespace Ciyuan.Server.Api;

internal static partial class ApiDocument
{
    private static readonly int[] CommandProblems = [400, 401, 413, 415, 429, 503, 507];

    private static readonly int[] ReadProblems = [400, 401, 422, 429];

    internal static ApiText PostEvents { get; } = new(
        "recordEvents", "Records usage.",
        "Takes one event or a batch. Each event gets a result; a bad one keeps no other from being taken. The answer "
            + "goes out "
        + "when all of it is durable. Sending the same request again is safe at any time. A body that can't be read "
        + "to its "
        + "end is refused whole. gzip (Content-Encoding) is taken. A single event that is in conflict or rejected is "
        + "answered with 409 or 400, a batch always with 200. "
        + "Of raw responses of providers the classes are read here; usage of another model within one (an "
        + "advisor) is a record of its own, whose result follows those of all events.")
    {
        Requests =
        [
            new ApiBody(Json, "UsageEvents", "UsageEvents"),
            new ApiBody("application/x-ndjson", "UsageEventLines", "UsageEventLines"),
            new ApiBody("application/cloudevents+json", "UsageCloudEvent", "UsageCloudEvent"),
            new ApiBody("application/cloudevents-batch+json", "UsageCloudEvents", "UsageCloudEvents"),
            new ApiBody(EventsApi.ResponseType, "ProviderResponses", "ProviderResponses"),
            new ApiBody(EventsApi.ResponseLinesType, "ProviderResponseLines", "ProviderResponseLines"),
        ],
        Answers = [new ApiBody(Json, "EventAnswer", "EventAnswer")],
        Problems = [.. CommandProblems, 409],
    };

    internal static ApiText PostSetup { get; } = new(
        "setUp", "Adds parties, agreements, prices and funding.",
        "All of it is accepted, or none. What is there already with the same content is left alone, so a setup can be "
        + "applied again.")
    {
        Requests = [new ApiBody("application/yaml", null, "SetupYaml")],
        Takes = typeof(Setup),
        AlsoTakes = SetupApi.YamlTypes,
        Gives = typeof(SetupAnswer),
        Problems = [.. CommandProblems, 422],
    };

    internal static ApiText PostGroup { get; } = new(
        "postGroup", "Posts ledger operations, all or none.",
        "Deposits, holds, settlements, releases and reversals. The outcome of an id, a refusal too, is fixed for good; "
        + "sent again, the group does nothing and gets the same outcome.")
    {
        Takes = typeof(GroupBody),
        TakesExample = "Group",
        Gives = typeof(GroupAnswer),
        Problems = [.. CommandProblems, 409, 422],
    };

    internal static ApiText PostCorrection { get; } = new(
        "correct", "Corrects charges of recorded usage.",
        "Takes charges back by reversing entries and, for rerate, makes them anew under the agreements and books as "
            + "they "
        + "are now. The records stay as they are.")
    {
        Takes = typeof(CorrectionBody),
        TakesExample = "Correction",
        Gives = typeof(CorrectionAnswer),
        Problems = [.. CommandProblems, 409, 422],
    };

    internal static ApiText GetHealth { get; } = new(
        "getHealth", "Says whether the server takes usage.",
        "Needs no token. 'degraded' says what is not well though it works: upstreams that are passed over, a disk that "
            + "is nearly full. 503 when the journal failed and takes nothing more until the server is restarted.")
    {
        Gives = typeof(HealthAnswer),
        Problems = [503],
    };

    internal static ApiText GetLiveCalls { get; } = new(
        "getLiveCalls", "Calls through the gateway, as each ends.",
        "Server-sent events without end: each has one call as JSON, and none has content or a secret. Filters, as "
            + "names or patterns with *: party, project, key, scenario, model, upstream, outcome "
            + "(ok, cut, failed, refused). "
        + "A watcher that is too slow loses the oldest calls; an event 'lost' says how many.")
    {
        Answers = [new ApiBody("text/event-stream", null)],
        Problems = [400, 401, 429],
    };

    internal static ApiText GetReport { get; } = new(
        "getReport", "Usage and money, grouped and filtered.",
        "Exact sums of all durable records, with the scope that they hold for: period, zone, what is in and what is "
            + "out. "
        + "Figures are decimal strings.")
    {
        Answers = [new ApiBody(Json, "Report"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };

    internal static ApiText GetStatement { get; } = new(
        "getStatement", "What an agreement owes for a period.",
        "The lines add up to 'exact'; 'total' is rounded to the minor unit, with the difference as a figure of its "
            + "own. "
        + "'found' is false when nothing was ever charged under the agreement, though it is there.")
    {
        Answers = [new ApiBody(Json, "Statement"), new ApiBody("text/csv", null)],
        Problems = [.. ReadProblems, 404],
    };

    internal static ApiText GetMargin { get; } = new(
        "getMargin", "Revenue, cost and margin, grouped and filtered.",
        "As the report, of money alone: a row for each group and currency. Nothing is converted. The totals are the "
        + "ledger's.")
    {
        Answers = [new ApiBody(Json, "Margin"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };

    internal static ApiText GetBalanceForecast { get; } = new(
        "getBalanceForecast", "Balances that will run out, and when.",
        "Each consumer's funding by currency. 'rule' says how it is estimated: by mean and spread of the days before, "
        + "with a range that holds in nine cases of ten.")
    {
        Answers = [new ApiBody(Json, "BalanceForecast"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };

    internal static ApiText GetBudgetForecast { get; } = new(
        "getBudgetForecast", "Spend against budgets.",
        "Each budget of the gateway in its present period: spent, left, and expected at its end at the pace so far.")
    {
        Answers = [new ApiBody(Json, "BudgetForecast"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };

    internal static ApiText GetOrganizationUsage { get; } = new(
        "getOrganizationUsage", "Usage in the shape of OpenAI's organization usage.",
        "For dashboards that read that. Buckets begin at whole minutes, hours or days of UTC; users are consumers; "
        + "batch and service_tier are null. completions are all operations that are none of the other kinds.")
    {
        Answers = [new ApiBody(Json, "OrganizationPage")],
        Problems = [.. ReadProblems, 404],
    };

    internal static ApiText GetOrganizationCosts { get; } = new(
        "getOrganizationCosts", "Costs in the shape of OpenAI's organization costs.",
        "What consumers are charged, by day of UTC, exactly; a result for each currency. Corrections stand on the day "
        + "of the call.")
    {
        Answers = [new ApiBody(Json, "OrganizationPage")],
        Problems = ReadProblems,
    };

    internal static ApiText GetBalances { get; } = new(
        "getBalances", "Balances of accounts, now or at a moment.",
        "A balance is credits less debits. Over all accounts each currency sums to zero.")
    {
        Answers = [new ApiBody(Json, "Balances"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };
}
