using Ciyuan.Journal;
using Ciyuan.Settlement;
using Ciyuan.Statistics;

namespace Ciyuan.Storage;

/// <summary>The column projection of the journal.</summary>
public sealed class FactStore : IDisposable
{
    /// <summary>For the one writer.</summary>
    public static FactStore Open(string folder) => throw new NotSupportedException(folder);

    /// <summary>For readers.</summary>
    public static FactStore OpenReadOnly(string folder) => throw new NotSupportedException(folder);

    /// <summary>Last frame taken in.</summary>
    public long LastSeq { get; private set; }

    /// <summary>Takes a frame in.</summary>
    public void Apply(Frame frame) => LastSeq = frame.Seq;

    /// <summary>Answers a query.</summary>
    public Report Run(ReportQuery query) => throw new NotSupportedException($"{query} {LastSeq}");

    /// <summary>Makes a statement.</summary>
    public Statement RunStatement(StatementQuery query) => throw new NotSupportedException($"{query} {LastSeq}");

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
