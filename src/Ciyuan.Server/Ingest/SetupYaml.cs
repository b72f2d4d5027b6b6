using Ciyuan.Parties;
using YamlDotNet.RepresentationModel;

namespace Ciyuan.Server.Ingest;

/// <summary>Reads a <see cref="Setup"/> from YAML. Strict: what is not known, or is not of its kind, is refused with
/// line and column. Whether parties, books and agreements fit together is for the engine to say.</summary>
public static class SetupYaml
{
    private const string What = "a setup";

    /// <summary>Reads a setup.</summary>
    /// <param name="yaml">The file's text.</param>
    /// <param name="by">Who makes the change, where the file does not say it under <c>by</c>.</param>
    /// <exception cref="YamlFileException">Names line and column.</exception>
    public static Setup Parse(string yaml, string by) => Read(Load(yaml), by);

    internal static YamlMappingNode Load(string yaml) => StrictYaml.Load(yaml, What);

    internal static Setup Read(YamlMappingNode root, string by)
    {
        var file = new StrictYaml(root, What);
        var setup = new Setup
        {
            By = file.Text("by", by),
            Parties = file.List("parties", "a party", ReadParty),
            Projects = file.List("projects", "a project", ReadProject),
            Keys = file.List("keys", "a key", ReadKey),
            Sites = file.List("sites", "a site", ReadSite),
            Books = file.List("books", "a book", BookYaml.ReadBook),
            Agreements = file.List("agreements", "an agreement", ReadAgreement),
            Funding = file.List("funding", "a funding account", ReadFunding),
            Calendars = file.ListIfAny("calendars", "a calendar", BookYaml.ReadCalendar),
            Exchange = file.ListIfAny("exchange", "exchange rates", BookYaml.ReadExchange),
            Closings = file.ListIfAny("closings", "a closing", y =>
                new ClosingSetup(y.Needed("until"), y.TextOrNull("agreement"))),
            Settlement = file.ListIfAny("settlement", "a settlement", ReadSettlement),
            Billing = file.ListIfAny("billing", "billing", ReadBilling),
            Upstreams = file.ListIfAny("upstreams", "an upstream", ReadUpstream),
            Routes = file.ListIfAny("routes", "a route", ReadRoute),
            Access = file.ListIfAny("access", "an access", ReadAccess),
            Budgets = file.ListIfAny("budgets", "a budget", ReadBudget),
            Reconciliations = file.ListIfAny("reconciliations", "a reconciliation", ReadReconciliation),
            Users = file.ListIfAny("users", "a user", ReadUser),
        };
        file.End();
        return setup;
    }

    private static PartySetup ReadParty(StrictYaml y)
    {
        string id = y.Needed("id");
        return new PartySetup(id, y.Text("name", id), y.Choices<Role>("roles"));
    }

    private static ProjectSetup ReadProject(StrictYaml y) => new(y.Needed("party"), y.Needed("id"), y.Text("name"));

    private static KeySetup ReadKey(StrictYaml y) => new(y.Needed("party"), y.Needed("project"), y.Needed("id"));

    private static SiteSetup ReadSite(StrictYaml y) => new(y.Needed("id"), y.Needed("operator"), y.Text("name"));

    private static AgreementSetup ReadAgreement(StrictYaml y) => new(
        y.Needed("id"), y.Needed("payer"), y.Needed("payee"), y.Text("currency"), y.Text("from"), y.Text("to"),
        y.Text("book"), y.Text("per_call"), y.Text("share_of"), y.Text("share_percent"), y.Texts("billed_outcomes"),
        y.Map("where") is { } where ? ReadWhere(where) : null, y.TextOrNull("exchange"));

    private static WhereSetup ReadWhere(StrictYaml y)
    {
        var where = new WhereSetup(
            y.Text("party"), y.Text("project"), y.Text("key"), y.Text("scenario"), y.Text("model"), y.Text("provider"),
            y.Text("site"), y.Text("operation"), y.Pairs("tags"));
        y.End();
        return where;
    }

    private static FundingSetup ReadFunding(StrictYaml y) => new(
        y.Needed("party"), y.Needed("id"), y.Choice<FundingKind>("kind"), y.Text("currency"), y.Whole("priority", 100),
        y.Text("expires"), y.Text("limit"), y.Texts("classes"), y.Texts("models"));

    private static ReconciliationSetup ReadReconciliation(StrictYaml y) => new(
        y.Needed("id"), y.Needed("agreement"), y.Needed("from"), y.Needed("to"), y.Needed("bill"), y.Needed("result"),
        y.Needed("currency"), y.Needed("here"), y.Needed("there"), y.Needed("decision"),
        y.List("differences", "a difference", d => new VarianceSetup(d.Needed("class"), d.Needed("amount"))));

    private static SettlementSetup ReadSettlement(StrictYaml y) => new(
        y.Needed("agreement"), y.Needed("start"), ChoiceOr(y, "cycle", SettlementCycle.Monthly), y.TextOrNull("zone"),
        y.WholeIfAny("freeze_after_days"), y.WholeIfAny("dispute_days"), y.WholeIfAny("payment_days"),
        y.TextOrNull("minimum_payout"), y.TextOrNull("tax_percent"), ChoiceOr(y, "tax_mode", TaxMode.Included),
        y.TextOrNull("invoice_item"));

    private static BillingSetup ReadBilling(StrictYaml y) => new(
        y.Needed("party"), y.TextOrNull("title"), y.TextOrNull("tax_id"), y.TextOrNull("address"),
        y.TextOrNull("phone"), y.TextOrNull("bank"), y.TextOrNull("account"));

    private static T ChoiceOr<T>(StrictYaml y, string key, T otherwise)
        where T : struct, Enum => y.Text(key).Length == 0 ? otherwise : y.Choice<T>(key);

    private static UpstreamSetup ReadUpstream(StrictYaml y) => new(
        y.Needed("id"), y.Text("provider"), y.Choice<UpstreamProtocol>("protocol"), y.Text("base_url"),
        y.List("models", "a served model", ReadServed), y.Text("site"), y.Text("region"), y.Text("key_variable"),
        y.Text("key_file"), y.Whole("priority", 100), y.Whole("weight", 100), y.Flag("disabled", false),
        y.Flag("allow_inside", false));

    private static ServedModelSetup ReadServed(StrictYaml y) => new(
        y.Needed("model"), y.Text("as"), y.Whole("max_output", 0), y.Text("limit_field"));

    private static RouteSetup ReadRoute(StrictYaml y) => new(
        y.Needed("model"), y.Choice<RoutePolicy>("by"), y.Text("region"));

    private static AccessSetup ReadAccess(StrictYaml y) => new(
        y.Needed("key"), y.Needed("hash"), y.Text("prefix"), y.Texts("scopes"), y.Texts("models"), y.Text("expires"),
        y.Flag("revoked", false), y.Text("scenario"), y.Whole("requests_per_minute", 0),
        y.Whole("tokens_per_minute", 0), y.Whole("concurrency", 0));

    private static BudgetSetup ReadBudget(StrictYaml y) => new(
        y.Needed("id"), y.Needed("party"), y.Needed("currency"), y.Needed("amount"), y.Text("project"), y.Text("key"),
        y.Text("period").Length == 0 ? BudgetPeriod.Month : y.Choice<BudgetPeriod>("period"), y.Text("zone"));

    private static UserSetup ReadUser(StrictYaml y) => new(
        y.Needed("id"), y.Choice<UserRole>("role"), y.Text("name"), y.Text("party"), y.Flag("disabled", false),
        y.Whole("credential", 0));
}
