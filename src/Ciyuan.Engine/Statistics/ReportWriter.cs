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
    /// <exception cref="ReportTooLargeException">There are more than <see cref="Report.MaxRows"/> rows.</exception>
    public static Report Write(
        ReportQuery query, TimeBuckets? buckets, IReadOnlyList<ReportRun> runs, long dataToSeq, Timestamp dataToTime)
    {
        var measures = new Measures();
        var total = new Group();
        var groups = new Dictionary<string[], (int Bucket, Group Sums)>(new KeyComparer());
        foreach (ReportRun run in runs)
        {
            int[] codes = [.. run.Measures.Keys.Select(measures.Find)];
            Merge(run.Total, codes, total);
            foreach ((GroupKey key, Group sums) in run.Groups)
            {
                string[] values = run.Keys.Values(key, query.GroupBy);
                values = buckets is null ? values : [buckets.Name(key.Bucket), .. values];
                if (!groups.TryGetValue(values, out (int, Group Sums) merged))
                {
                    merged = (key.Bucket, new Group());
                    groups.Add(values, merged);
                }

                Merge(sums, codes, merged.Sums);
            }
        }

        if (groups.Count > Report.MaxRows)
        {
            throw new ReportTooLargeException(
                $"The report has {groups.Count} rows, more than {Report.MaxRows}: narrow it.");
        }

        MeasureKey[] shown = Shown(measures, groups.Values.Select(group => group.Sums).Append(total));
        bool byCount = query.GroupBy.Any(Dimensions.IsOfCount);
        bool byCharge = query.GroupBy.Any(Dimensions.IsOfCharge);
        var rows = new List<(int Bucket, ReportRow Row)>(groups.Count);
        foreach ((string[] key, (int bucket, Group sums)) in groups)
        {
            rows.Add((bucket, new ReportRow(key, Values(sums, shown, measures))));
        }

        rows.Sort((x, y) => x.Bucket != y.Bucket ? x.Bucket.CompareTo(y.Bucket) : Compare(x.Row.Key, y.Row.Key));
        return new Report
        {
            Scope = Scope(query, runs, total, measures, dataToSeq, dataToTime),
            KeyColumns = [.. buckets is null ? [] : new[] { "time" }, .. query.GroupBy.Select(d => d.Name())],
            Columns = [.. shown.Select(key => key.ToColumn(byCount, byCharge))],
            Rows = [.. rows.Select(row => row.Row)],
            Total = new ReportRow([], Values(total, shown, measures)),
        };
    }

    private static void Merge(Group from, int[] codes, Group into)
    {
        for (int i = 0; i < codes.Length && i < from.Values.Length; i++)
        {
            if (from.Values[i] != 0)
            {
                into.Add(codes[i], from.Values[i]);
            }
        }
    }

    // Calls and tokens always; of the rest what is not zero everywhere; a margin where there is income or cost.
    private static MeasureKey[] Shown(Measures measures, IEnumerable<Group> groups)
    {
        var shown = new HashSet<MeasureKey>(measures.Keys.Take(Measures.TokensOutput + 1));
        foreach (Group group in groups)
        {
            for (int i = 0; i < group.Values.Length; i++)
            {
                if (group.Values[i] != 0)
                {
                    shown.Add(measures.Keys[i]);
                }
            }
        }

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

    private static Int128[] Values(Group group, MeasureKey[] shown, Measures measures)
    {
        Int128 Get(MeasureKey key)
        {
            int code = measures.Find(key);
            return code < group.Values.Length ? group.Values[code] : 0;
        }

        return Array.ConvertAll(shown, key => key.Kind == MeasureKind.Margin
            ? checked(Get(key with { Kind = MeasureKind.Income }) - Get(key with { Kind = MeasureKind.Cost }))
            : Get(key));
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

    private static int Compare(IReadOnlyList<string> x, IReadOnlyList<string> y)
    {
        int order = 0;
        for (int i = 0; i < x.Count && order == 0; i++)
        {
            order = string.CompareOrdinal(x[i], y[i]);
        }

        return order;
    }

    private sealed class KeyComparer : IEqualityComparer<string[]>
    {
        public bool Equals(string[]? x, string[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(string[] key)
        {
            var hash = new HashCode();
            foreach (string part in key)
            {
                hash.Add(part, StringComparer.Ordinal);
            }

            return hash.ToHashCode();
        }
    }
}
