using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Server.Render;

/// <summary>Writes calendars and the outcomes of their steps.</summary>
public static class SettlementRendering
{
    private const int MostInANote = 5;

    /// <summary>The calendars: each period that is at least frozen, and the one that comes next.</summary>
    public static Rendering Calendar(SettlementState state, string agreement)
    {
        string[] agreements = [.. state.Catalog.SettledAgreements.Where(a => agreement.Length == 0 || a == agreement)];
        return new Rendering(() => ToTable(state, agreements), json => WriteCalendar(json, state, agreements));
    }

    /// <summary>What became of a step for each period.</summary>
    public static Rendering Steps(string action, IReadOnlyList<ClosedPeriod> closed) => new(
        () =>
        {
            var table = new Table(
            [
                new("agreement"), new("period"), new(action), new("due", IsNumber: true), new("currency"), new("hash"),
            ])
            {
                Notes = [.. closed.Where(c => c.Waiting.Count > 0).Select(InTheWay)],
            };
            foreach (ClosedPeriod c in closed)
            {
                table.Add(
                    c.Agreement, c.Period, NameOf(c.Result.Status), c.Document?.Due ?? "", c.Document?.Currency ?? "",
                    HashOf(c));
            }

            return table;
        },
        json =>
        {
            json.WriteStartArray();
            foreach (ClosedPeriod c in closed)
            {
                WriteStep(json, c);
            }

            json.WriteEndArray();
        });

    private static void WriteStep(Utf8JsonWriter json, ClosedPeriod c)
    {
        json.WriteStartObject();
        json.WriteString("agreement", c.Agreement);
        json.WriteString("period", c.Period);
        json.WriteString("status", NameOf(c.Result.Status));
        json.WriteString("due", c.Document?.Due);
        json.WriteString("currency", c.Document?.Currency);
        json.WriteString("hash", HashOf(c));
        json.WriteNumber("frame", c.Result.Seq);
        if (c.Waiting.Count > 0)
        {
            json.WritePropertyName("waiting");
            WriteWaiting(json, c.Waiting);
        }

        json.WriteEndObject();
    }

    private static string InTheWay(ClosedPeriod c)
    {
        string named = string.Join(", ", c.Waiting.Take(MostInANote).Select(r => $"{r.Id} ({Snake($"{r.Reason}")})"));
        string more = c.Waiting.Count <= MostInANote ? "" : string.Create(
            CultureInfo.InvariantCulture,
            $" and {c.Waiting.Count - MostInANote} more; 'ciyuan settle waiting {c.Agreement} {c.Period}'");
        return $"In the way of {c.Agreement} {c.Period}: {named}{more}";
    }

    /// <summary>What every party pays and is paid by the statements of a period, by currency; the sums are
    /// zero.</summary>
    public static Rendering Positions(string period, IReadOnlyList<StatementDocument> statements)
    {
        SortedDictionary<(string Currency, string Party), (Amount In, Amount Out)> positions = PositionsOf(statements);
        return new Rendering(
            () =>
            {
                var table = new Table(
                [
                    new("currency"), new("party"), new("receives", IsNumber: true), new("pays", IsNumber: true),
                    new("net", IsNumber: true),
                ])
                {
                    Scope = [$"Statements of {period}: {statements.Count}"],
                };
                foreach (((string currency, string party), (Amount ins, Amount outs)) in positions)
                {
                    table.Add(currency, party, ins.ToString(), outs.ToString(), (ins - outs).ToString());
                }

                return table;
            },
            json =>
            {
                json.WriteStartArray();
                foreach (((string currency, string party), (Amount ins, Amount outs)) in positions)
                {
                    json.WriteStartObject();
                    json.WriteString("currency", currency);
                    json.WriteString("party", party);
                    json.WriteString("receives", ins.ToString());
                    json.WriteString("pays", outs.ToString());
                    json.WriteString("net", (ins - outs).ToString());
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
    }

    private static SortedDictionary<(string Currency, string Party), (Amount In, Amount Out)> PositionsOf(
        IReadOnlyList<StatementDocument> statements)
    {
        var positions = new SortedDictionary<(string Currency, string Party), (Amount In, Amount Out)>();
        foreach (StatementDocument s in statements)
        {
            Amount gross = Amount.Parse(s.Tax.Gross);
            (Amount ins, Amount outs) = positions.GetValueOrDefault((s.Currency, s.Payee.Id));
            positions[(s.Currency, s.Payee.Id)] = (ins + gross, outs);
            (ins, outs) = positions.GetValueOrDefault((s.Currency, s.Payer.Id));
            positions[(s.Currency, s.Payer.Id)] = (ins, outs + gross);
        }

        return positions;
    }

    /// <summary>Records in the way of a close.</summary>
    public static Rendering Waiting(IReadOnlyList<WaitingRecord> records) => new(
        () =>
        {
            var table = new Table([new("record"), new("event_time"), new("reason"), new("place")])
            {
                Notes = [records.Count == 0 ? "Nothing is in the way" : "Price these and rate again. What is priced "
                    + "before the freeze is in the period; what is priced later is booked later, and the split says "
                    + "--accept-waiting"],
            };
            foreach (WaitingRecord r in records)
            {
                table.Add(r.Id, r.EventTime.ToString(), Snake(r.Reason.ToString()), PlaceOf(r));
            }

            return table;
        },
        json => WriteWaiting(json, records));

    /// <summary>Records in the way of a close, as an array.</summary>
    public static void WriteWaiting(Utf8JsonWriter json, IReadOnlyList<WaitingRecord> records)
    {
        json.WriteStartArray();
        foreach (WaitingRecord r in records)
        {
            json.WriteStartObject();
            json.WriteString("record", r.Id);
            json.WriteString("event_time", r.EventTime.ToString());
            json.WriteString("reason", Snake(r.Reason.ToString()));
            json.WriteString("place", PlaceOf(r));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>The name of an outcome.</summary>
    public static string NameOf(SettlementStatus status) => Snake(status.ToString());

    /// <summary>What an outcome means, and what to do.</summary>
    public static string Explain(SettlementStatus status) => status switch
    {
        SettlementStatus.Conflict => "Another step was sent under this id. Send this one under an id of its own.",
        SettlementStatus.Malformed => "A name, text or statement is missing or too long.",
        SettlementStatus.AgreementNotFound => "There is no such agreement.",
        SettlementStatus.NoTerms => "The agreement has no terms of settlement. Add them to a setup under 'settlement'.",
        SettlementStatus.PeriodUnknown => "That is no period of the agreement's calendar: months are written 2026-10, "
            + "days 2026-10-05, and it begins with its first period.",
        SettlementStatus.OutOfOrder => "Another period comes first: periods of an agreement go in order.",
        SettlementStatus.WrongState => "The period is not in the state that this step needs.",
        SettlementStatus.TooEarly => "It is too early: the period is not over, or it may still be disputed and not "
            + "both sides have signed.",
        SettlementStatus.TooLate => "The dispute window is over.",
        SettlementStatus.StatementWrong => "The statement is not that of this period, or does not add up.",
        SettlementStatus.UsageWaits => "Usage of the period had no price when it was frozen. Price it and rate it "
            + "again: that is booked in the next open period. Then split, accepting that it waits.",
        SettlementStatus.HashDiffers => "The hash is not that of the statement: look at it again before signing.",
        SettlementStatus.SideMissing => "Say for which side: payer or payee.",
        SettlementStatus.SignedAlready => "This person has signed already; the second signature is another's.",
        SettlementStatus.SignaturesMissing => "Two persons must have signed.",
        SettlementStatus.DisputeExists => "There is such a dispute already. Give this one an id of its own.",
        SettlementStatus.DisputeNotOpen => "There is no such open dispute.",
        SettlementStatus.AmountOutOfRange => "The amount must be above zero, and no more than what is due or disputed.",
        _ => "",
    };

    private static Table ToTable(SettlementState state, string[] agreements)
    {
        var table = new Table(
        [
            new("agreement"), new("period"), new("state"), new("due", IsNumber: true), new("held", IsNumber: true),
            new("granted", IsNumber: true), new("payable", IsNumber: true), new("carried", IsNumber: true),
            new("currency"), new("disputes_until"), new("signed"), new("hash"),
        ]);
        foreach (string agreement in agreements)
        {
            foreach (SettledPeriod p in state.Calendar.Of(agreement))
            {
                bool split = p.Split is not null;
                table.Add(
                    agreement, p.Name, p.State.ToString().ToLowerInvariant(), split ? p.Due.ToString() : "",
                    p.Held.ToString(), p.Granted.ToString(), p.Final is null ? "" : p.Payable.ToString(),
                    p.Final is null ? "" : p.Carried.ToString(), CurrencyOf(state, agreement),
                    split ? p.DisputesUntil.ToString() : "", string.Join(", ", p.Signatures.Select(s => s.By)),
                    p.Hash.Length == 0 ? "" : p.Hash[..16]);
            }

            SettlementPeriod next = state.Calendar.NextOf(agreement, state.Catalog.TermsOf(agreement));
            table.Add(agreement, next.Name, "draft", "", "", "", "", "", CurrencyOf(state, agreement), "", "", "");
        }

        return table;
    }

    private static void WriteCalendar(Utf8JsonWriter json, SettlementState state, string[] agreements)
    {
        json.WriteStartArray();
        foreach (string agreement in agreements)
        {
            json.WriteStartObject();
            json.WriteString("agreement", agreement);
            json.WriteString("currency", CurrencyOf(state, agreement));
            json.WriteStartArray("periods");
            foreach (SettledPeriod p in state.Calendar.Of(agreement))
            {
                WritePeriod(json, p);
            }

            json.WriteEndArray();
            SettlementPeriod next = state.Calendar.NextOf(agreement, state.Catalog.TermsOf(agreement));
            json.WriteString("next", next.Name);
            SettlementTerms terms = state.Catalog.TermsAt(agreement, next.Span.Start)!;
            json.WriteString("freeze_from", terms.DaysAfter(next.Span.End, terms.FreezeAfterDays).ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePeriod(Utf8JsonWriter json, SettledPeriod p)
    {
        json.WriteStartObject();
        json.WriteString("period", p.Name);
        json.WriteString("state", p.State.ToString().ToLowerInvariant());
        json.WriteString("from", p.Span.Start.ToString());
        json.WriteString("to", p.Span.End.ToString());
        WriteMark(json, "frozen", p.Frozen);
        WriteMark(json, "split", p.Split);
        json.WriteString("hash", p.Hash);
        json.WriteString("due", p.Split is null ? null : p.Due.ToString());
        json.WriteString("held", p.Held.ToString());
        json.WriteString("granted", p.Granted.ToString());
        json.WriteString("disputes_until", p.Split is null ? null : p.DisputesUntil.ToString());
        json.WriteStartArray("signatures");
        foreach (SettlementSignature s in p.Signatures)
        {
            json.WriteStartObject();
            json.WriteString("by", s.By);
            json.WriteString("side", s.Side.ToString().ToLowerInvariant());
            json.WriteString("time", s.Time.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteDisputes(json, p);
        WriteMark(json, "final", p.Final);
        json.WriteString("payable", p.Final is null ? null : p.Payable.ToString());
        json.WriteString("carried", p.Final is null ? null : p.Carried.ToString());
        json.WriteString("pay_before", p.Final is null ? null : p.PayUntil.ToString());
        json.WriteEndObject();
    }

    private static void WriteDisputes(Utf8JsonWriter json, SettledPeriod p)
    {
        json.WriteStartArray("disputes");
        foreach (SettlementDispute d in p.Disputes)
        {
            json.WriteStartObject();
            json.WriteString("id", d.Id);
            json.WriteString("side", d.Side.ToString().ToLowerInvariant());
            json.WriteString("by", d.By);
            json.WriteString("amount", d.Amount.ToString());
            json.WriteString("reason", d.Reason);
            json.WriteString("time", d.Time.ToString());
            json.WriteString("granted", d.Resolved is null ? null : d.Granted.ToString());
            WriteMark(json, "resolved", d.Resolved);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMark(Utf8JsonWriter json, string name, SettlementMark? mark)
    {
        if (mark is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        json.WriteString("by", mark.By);
        json.WriteString("time", mark.Time.ToString());
        json.WriteNumber("frame", mark.Seq);
        json.WriteEndObject();
    }

    private static string HashOf(ClosedPeriod closed) =>
        closed.Document is null ? "" : StatementDocument.HashOf(closed.Document.ToBytes());

    private static string CurrencyOf(SettlementState state, string agreement) =>
        state.Catalog.FindAgreement(agreement)!.Currency.ToString();

    private static string PlaceOf(WaitingRecord r) =>
        string.Create(CultureInfo.InvariantCulture, $"{r.Position.Seq}.{r.Position.Index}");

    private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
