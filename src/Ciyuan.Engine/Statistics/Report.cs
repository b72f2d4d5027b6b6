using System.Globalization;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>A figure of a report.</summary>
/// <param name="Name">Unique and stable: <c>calls</c>, <c>tokens_input</c>, <c>image</c>, <c>income_CNY</c>, …</param>
/// <param name="Unit">Unit of the printed figure: <c>call</c>, <c>token</c>, <c>second</c>, <c>CNY</c>, …</param>
/// <param name="PerUnit">How many of the stored integers make one unit: 1, 10⁶ or 10¹².</param>
/// <param name="Additive">False when the rows do not add up to the total, since one record counts in several
/// rows.</param>
public sealed record ReportColumn(string Name, string Unit, long PerUnit, bool Additive)
{
    /// <summary>The exact decimal of a stored integer of this column, without zeros at the end.</summary>
    public string Format(Int128 value)
    {
        if (PerUnit == 1)
        {
            return value.ToString(CultureInfo.InvariantCulture);
        }

        // Written by hand, since the sums of steps may lie beyond what an Amount can hold when scaled.
        UInt128 magnitude = unchecked((UInt128)(Int128.IsNegative(value) ? -value : value));
        string whole = (magnitude / (UInt128)PerUnit).ToString(CultureInfo.InvariantCulture);
        int digits = PerUnit == Amount.PicoPerUnit ? Amount.Decimals : 6;
        string rest = (magnitude % (UInt128)PerUnit).ToString(CultureInfo.InvariantCulture).PadLeft(
            digits, '0').TrimEnd('0');
        return (Int128.IsNegative(value) ? "-" : "") + (rest.Length == 0 ? whole : $"{whole}.{rest}");
    }
}

/// <summary>One row.</summary>
/// <param name="Key">One value for each of <see cref="Report.KeyColumns"/>; empty in the total.</param>
/// <param name="Values">One integer for each of <see cref="Report.Columns"/>, in its smallest step.</param>
public sealed record ReportRow(IReadOnlyList<string> Key, IReadOnlyList<Int128> Values);

/// <summary>The answer to a <see cref="ReportQuery"/>: exact figures with the scope that they hold for.</summary>
public sealed record Report
{
    /// <summary>Most rows. Beyond it the query must be narrowed: a million rows of 10 figures are 200 MB.</summary>
    public const int MaxRows = 1_000_000;

    /// <summary>What the figures cover.</summary>
    public required ReportScope Scope { get; init; }

    /// <summary>Names of the parts of a row's key: <c>time</c> when time is cut, then the dimensions.</summary>
    public required IReadOnlyList<string> KeyColumns { get; init; }

    /// <summary>The figures: always calls, failed, cut, tokens_input and tokens_output; the others where not all
    /// zero.</summary>
    public required IReadOnlyList<ReportColumn> Columns { get; init; }

    /// <summary>Rows sorted by key: time, then the dimensions' values in ordinal order.</summary>
    public required IReadOnlyList<ReportRow> Rows { get; init; }

    /// <summary>The whole: each record once, each amount once.</summary>
    public required ReportRow Total { get; init; }

    /// <summary>A figure of a row by the column's name; zero when the report has no such column.</summary>
    public Int128 Value(ReportRow row, string column)
    {
        for (int i = 0; i < Columns.Count; i++)
        {
            if (Columns[i].Name == column)
            {
                return row.Values[i];
            }
        }

        return 0;
    }
}

/// <summary>
/// What a total covers (口径). Every record of the journal is in exactly one of three places:
/// <see cref="RecordsIn"/> + <see cref="RecordsFilteredOut"/> + <see cref="RecordsOutsidePeriod"/>.
/// </summary>
public sealed record ReportScope
{
    /// <summary>Event times that count.</summary>
    public required Period Period { get; init; }

    /// <summary>Id of the zone of buckets and days (IANA).</summary>
    public required string Zone { get; init; }

    /// <summary>How time is cut.</summary>
    public required Bucket Bucket { get; init; }

    /// <summary>The filters.</summary>
    public required IReadOnlyList<Filter> Filters { get; init; }

    /// <summary>Records counted.</summary>
    public required long RecordsIn { get; init; }

    /// <summary>Records of the period that the filters leave out.</summary>
    public required long RecordsFilteredOut { get; init; }

    /// <summary>Records whose event time is outside the period.</summary>
    public required long RecordsOutsidePeriod { get; init; }

    /// <summary>Events of the period, under the filters on the record, that were kept aside since another event was
    /// recorded under their id; not counted.</summary>
    public required long KeptAside { get; init; }

    /// <summary>Corrections of records' charges included, each in its record's event time.</summary>
    public required long CorrectionsIn { get; init; }

    /// <summary>Charges that still wait for a price: their quantities count, their money does not.</summary>
    public required long SuspenseCharges { get; init; }

    /// <summary>Tokens of these charges; tokens that wait in two charges count twice.</summary>
    public required Int128 SuspenseTokens { get; init; }

    /// <summary>Tokens counted, by evidence grade; grades without tokens are left out.</summary>
    public required IReadOnlyList<(EvidenceGrade Grade, Int128 Tokens)> Grades { get; init; }

    /// <summary>Last frame of the journal that is included; 0 when there is none.</summary>
    public required long DataToSeq { get; init; }

    /// <summary>Time of recording of that frame.</summary>
    public required Timestamp DataToTime { get; init; }

    /// <summary>True when the rows of every column add up to the total; else see <see
    /// cref="ReportColumn.Additive"/>.</summary>
    public required bool RowsAddUp { get; init; }

    /// <summary>Sentences that must stand beside the figures, in English, stable.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}

/// <summary>The report would be larger than a named limit: narrow the period, cut time less finely, or group by
/// less.</summary>
public sealed class ReportTooLargeException(string message) : Exception(message);
