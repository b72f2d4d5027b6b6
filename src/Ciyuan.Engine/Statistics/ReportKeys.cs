using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

// Turns what a row, a count and a charge are into the parts of the report's keys, and says what the filters leave out.
// Each method gives a number that stands for the values of the dimensions of its nature; -1 when filtered out.
internal sealed class ReportKeys
{
    private readonly Axis _types;
    private readonly Axis _counts;
    private readonly Axis _charges;

    public ReportKeys(ReportQuery query)
    {
        _types = new Axis(query, dimension => !dimension.IsOfCount() && !dimension.IsOfCharge());
        _counts = new Axis(query, Dimensions.IsOfCount);
        _charges = new Axis(query, Dimensions.IsOfCharge);
        NoCount = _counts.Find(_ => Dimensions.None);
        NoCharge = _charges.Find(_ => Dimensions.None);
        TellsCountsApart = _counts.IsUsed;
    }

    // What has no class: charges per call, shares, corrections, records without counts.
    public int NoCount { get; }

    // Records that no agreement charges.
    public int NoCharge { get; }

    public bool TellsCountsApart { get; }

    public int OfType(UsageContext context, FactType type) => _types.Find(dimension =>
        dimension == Dimension.Outcome && FactHeader.IsCorrection(type.Kind)
            ? Dimensions.None
            : ReportNames.Of(context, type.Outcome, dimension));

    public int OfCount(Meter meter, EvidenceGrade grade) =>
        _counts.Find(dimension => ReportNames.Of(meter, grade, dimension));

    public int OfRate(Rate rate) => _charges.Find(dimension => ReportNames.Of(rate, dimension));

    // The lists of values by number: of what a row is, of counts, of charges; in the order of the query's dimensions.
    public IReadOnlyList<string[]>[] Values => [_types.Values, _counts.Values, _charges.Values];

    // How many numbers there are for counts so far.
    public int Counts => _counts.Values.Count;

    // The dimensions of one nature: numbers for the lists of their values that occur.
    private sealed class Axis(ReportQuery query, Func<Dimension, bool> belongs)
    {
        private readonly Filter[] _filters = [.. query.Filters.Where(filter => belongs(filter.Dimension))];
        private readonly Dictionary<string[], int> _codes = new(new ValuesByContent());

        public Dimension[] Dimensions { get; } = [.. query.GroupBy.Where(belongs)];

        public bool IsUsed => Dimensions.Length > 0 || _filters.Length > 0;

        public List<string[]> Values { get; } = [];

        public int Find(Func<Dimension, string> valueOf)
        {
            foreach (Filter filter in _filters)
            {
                if (!filter.Matches(OrNone(valueOf(filter.Dimension))))
                {
                    return -1;
                }
            }

            string[] values = Array.ConvertAll(Dimensions, dimension => OrNone(valueOf(dimension)));
            if (!_codes.TryGetValue(values, out int code))
            {
                _codes.Add(values, code = Values.Count);
                Values.Add(values);
            }

            return code;
        }

        private static string OrNone(string value) => value.Length == 0 ? Statistics.Dimensions.None : value;
    }
}

// Lists of values by content.
internal sealed class ValuesByContent : IEqualityComparer<string[]>
{
    public bool Equals(string[]? x, string[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(string[] values)
    {
        var hash = new HashCode();
        foreach (string value in values)
        {
            hash.Add(value, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }
}
