using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>Puts runs over different segments together to a report.</summary>
public static class ReportWriter
{
    /// <summary>Makes the report.</summary>
    /// <param name="query">The question.</param>
    /// <param name="buckets">The buckets of the runs.</param>
    /// <param name="runs">Runs of that query that together have seen each segment once; at least one.</param>
    /// <param name="dataToSeq">Last frame of the segments; 0 when there is none.</param>
    /// <param name="dataToTime">Its time.</param>
    /// <param name="usesUp">Whether the report may take the runs' sums over, which is faster; false when they are asked
    /// again.</param>
    /// <exception cref="ReportTooLargeException">There are more than <see cref="Report.MaxRows"/> rows.</exception>
    public static Report Write(
        ReportQuery query, TimeBuckets? buckets, IReadOnlyList<ReportRun> runs, long dataToSeq, Timestamp dataToTime,
        bool usesUp = true)
    {
        var measures = new Measures();
        var total = new Group();
        var merged = new ReportRows(query, buckets, usesUp);
        foreach (ReportRun run in runs)
        {
            int[] codes = [.. run.Measures.Keys.Select(measures.Find)];
            run.Total.AddTo(total, codes);
            merged.Add(run, codes);
        }

        MeasureKey[] shown = Shown(measures, merged.Groups.Append(total));
        (int Plus, int Minus)[] terms = Array.ConvertAll(shown, key => key.Kind == MeasureKind.Margin
            ? (measures.Find(key with { Kind = MeasureKind.Income }),
                measures.Find(key with { Kind = MeasureKind.Cost }))
            : (measures.Find(key), -1));
        bool byCount = query.GroupBy.Any(Dimensions.IsOfCount);
        bool byCharge = query.GroupBy.Any(Dimensions.IsOfCharge);
        return new Report
        {
            Scope = Scope(query, runs, total, measures, dataToSeq, dataToTime),
            KeyColumns = [.. buckets is null ? [] : new[] { "time" }, .. query.GroupBy.Select(d => d.Name())],
            Columns = [.. shown.Select(key => key.ToColumn(byCount, byCharge))],
            Rows = merged.ToRows(group => Values(group, terms)),
            Total = new ReportRow([], Values(total, terms)),
        };
    }

    // Calls and tokens always; of the rest what is not zero everywhere; a margin where there is income or cost.
    private static MeasureKey[] Shown(Measures measures, IEnumerable<Group> groups)
    {
        bool[] occurs = new bool[measures.Keys.Count];
        foreach (Group group in groups)
        {
            Int128[] values = group.Values;
            for (int i = 0; i < values.Length && i < occurs.Length; i++)
            {
                occurs[i] |= values[i] != 0;
            }
        }

        var shown = new HashSet<MeasureKey>(measures.Keys.Where((_, i) => occurs[i] || i <= Measures.TokensOutput));
        foreach (MeasureKey key in shown.ToArray())
        {
            if (key.Kind is MeasureKind.Income or MeasureKind.Cost)
            {
                shown.Add(key with { Kind = MeasureKind.Income });
                shown.Add(key with { Kind = MeasureKind.Cost });
                shown.Add(key with { Kind = MeasureKind.Margin });
            }
        }

        return [.. shown.OrderBy(key => key.IsMoney ? MeasureKind.Income : key.Kind)
            .ThenBy(key => key.Currency).ThenBy(key => key.Kind).ThenBy(key => key.Meter)];
    }

    private static Int128[] Values(Group group, (int Plus, int Minus)[] terms)
    {
        var values = new Int128[terms.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = checked(group[terms[i].Plus] - group[terms[i].Minus]);
        }

        return values;
    }

    private static ReportScope Scope(
        ReportQuery query, IReadOnlyList<ReportRun> runs, Group total, Measures measures, long seq, Timestamp time)
    {
        long inPeriod = runs.Sum(run => run.RecordsInPeriod);
        var calls = (long)total.Values[Measures.Calls];
        int waiting = measures.Find(new MeasureKey(MeasureKind.Suspense, default, Currency.Tok));
        bool byCount = query.GroupBy.Any(Dimensions.IsOfCount);
        bool byCharge = query.GroupBy.Any(Dimensions.IsOfCharge);
        var grades = new List<(EvidenceGrade, Int128)>();
        for (int grade = 0; grade < runs[0].GradeTokens.Length; grade++)
        {
            Int128 tokens = 0;
            foreach (ReportRun run in runs)
            {
                tokens += run.GradeTokens[grade];
            }

            grades.Add(((EvidenceGrade)grade, tokens));
        }

        return new ReportScope
        {
            Period = query.Period,
            Zone = query.Zone.Id,
            Bucket = query.Bucket,
            Filters = query.Filters,
            RecordsIn = calls,
            RecordsFilteredOut = inPeriod - calls,
            RecordsOutsidePeriod = runs.Sum(run => run.RecordsSeen) - inPeriod,
            KeptAside = runs.Sum(run => run.KeptAside),
            CorrectionsIn = runs.Sum(run => run.Corrections),
            SuspenseCharges = (long)total.Values[Measures.SuspenseCharges],
            SuspenseTokens = waiting < total.Values.Length ? total.Values[waiting] / Amount.PicoPerUnit : 0,
            Grades = [.. grades.Where(grade => grade.Item2 != 0)],
            DataToSeq = seq,
            DataToTime = time,
            RowsAddUp = !byCount && !byCharge,
            Notes = Notes(query, byCount, byCharge),
        };
    }

    private static string[] Notes(ReportQuery query, bool byCount, bool byCharge)
    {
        var notes = new List<string> { "Records and their corrections count in the records' event time." };
        if (byCount || query.Filters.Any(filter => filter.Dimension.IsOfCount()))
        {
            notes.Add("Amounts per call and shares have no class: they stand under '-'.");
        }

        if (byCount)
        {
            notes.Add("A call counts in every row of which it has a count: calls do not add up to the total.");
        }

        if (byCharge)
        {
            notes.Add(
                "Calls and counts stand in every row that charges them: they do not add up to the total; amounts do.");
        }

        return [.. notes];
    }
}
