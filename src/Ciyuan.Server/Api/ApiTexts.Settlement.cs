namespace Ciyuan.Server.Api;

internal static partial class ApiDocument
{
    internal static ApiText GetCalendar { get; } = new(
        "getSettlementCalendar", "The periods of each agreement: frozen, split, final, and which comes next.",
        "With who took each step and when, signatures and disputes.")
    {
        Answers = [new ApiBody(Json, "SettlementCalendar"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };

    internal static ApiText PostFreeze { get; } = new(
        "freezePeriod", "Freezes a period.",
        "What is recorded from then on is booked in the next period, and names the one that it corrects.")
    {
        Takes = typeof(CloseBody),
        Answers = [new ApiBody(Json, "SettlementSteps")],
        Problems = [.. CommandProblems, 409, 422],
    };

    internal static ApiText PostSplit { get; } = new(
        "splitPeriod", "Fixes and posts the statements of a frozen period.",
        "Each statement is stored with its hash, and may be signed or disputed from then on.")
    {
        Takes = typeof(CloseBody),
        Answers = [new ApiBody(Json, "SettlementSteps")],
        Problems = [.. CommandProblems, 409, 422],
    };

    internal static ApiText PostStep { get; } = new(
        "takeSettlementStep", "Signs, disputes, resolves or finishes a period.",
        "A period becomes final with the signatures of two persons, after the dispute window or when both sides have "
        + "signed. What is disputed is held.")
    {
        Takes = typeof(StepBody),
        Answers = [new ApiBody(Json, "SettlementSteps")],
        Problems = [.. CommandProblems, 409, 422],
    };

    internal static ApiText GetSettlementStatement { get; } = new(
        "getSettlementStatement", "The statement of a period: the stored one, or a draft while it is open.",
        "As the stored JSON, whose SHA-256 is what is signed, or as a page, PDF, CSV or workbook.")
    {
        Answers =
        [
            new ApiBody(Json, "StatementDocument"), new ApiBody("text/html", null),
            new ApiBody("application/pdf", null), new ApiBody("text/csv", null),
            new ApiBody("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", null),
        ],
        Problems = [.. ReadProblems, 404],
    };

    internal static ApiText GetWaiting { get; } = new(
        "getWaitingRecords", "The records that wait for a price in a period, and are in the way of its close.",
        "At most a thousand.")
    {
        Answers = [new ApiBody(Json, "WaitingRecords"), new ApiBody("text/csv", null)],
        Problems = [.. ReadProblems, 404],
    };

    internal static ApiText GetInvoice { get; } = new(
        "getInvoiceRequest", "The request for an invoice of a final period.",
        "The fields of a fully digital invoice (数电票). We ask for invoices and issue none.")
    {
        Answers = [new ApiBody(Json, "InvoiceRequest"), new ApiBody("text/csv", null)],
        Problems = [.. ReadProblems, 404],
    };

    internal static ApiText GetPayments { get; } = new(
        "getPaymentInstructions", "Payment instructions of the final periods of a name.",
        "For a bank or a licensed payer. We hold nobody's money.")
    {
        Answers = [new ApiBody(Json, "PaymentInstructions"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };

    internal static ApiText PostReconcile { get; } = new(
        "reconcile", "Compares the other side's bill with our records, and signs what came of it.",
        "The body is the file: CSV by a preset, or what the usage and costs endpoints of a provider answer. The "
        + "differences have their class and amount, and add up to theirs less ours. Two different people sign: what "
        + "they accept is posted, what they dispute is held until accepted or withdrawn.")
    {
        Requests = [new ApiBody("text/csv", null), new ApiBody(Json, "Bill")],
        Answers = [new ApiBody(Json, "Reconciliation"), new ApiBody("text/csv", null)],
        Problems = [.. ReadProblems, 413, 422],
    };

    internal static ApiText GetReconciliations { get; } = new(
        "getReconciliations", "Reconciliations that were signed, with who signed them.",
        "A dispute that has ended has a second entry, whose id ends in /end.")
    {
        Answers = [new ApiBody(Json, "Reconciliations"), new ApiBody("text/csv", null)],
        Problems = ReadProblems,
    };

    internal static ApiText GetFocus { get; } = new(
        "exportFocus", "Charges as a FOCUS file.",
        "Costs are exact and add up to the ledger; X-Ciyuan-Scope says what the file covers.")
    {
        Answers = [new ApiBody("text/csv", null), new ApiBody("application/jsonl", null)],
        Problems = [.. ReadProblems, 404],
    };
}
