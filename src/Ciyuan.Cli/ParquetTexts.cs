using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Ciyuan.Cli;

/// <summary>
/// Texts of a Parquet file: of a column, of the fields of chat messages in it, of lists of either. One row group is
/// read at a time, of it the wanted columns alone.
/// </summary>
internal sealed class ParquetTexts : IAsyncDisposable
{
    /// <summary>The most that a column of a row group may unfold to: 1 GiB.</summary>
    private const long MaxColumnBytes = 1 << 30;

    /// <summary>What of a message is text, as in JSON.</summary>
    private static readonly string[] MessageTexts = ["content", "text", "reasoning_content", "value"];

    private readonly ParquetReader _reader;
    private readonly List<DataField> _fields;

    private ParquetTexts(ParquetReader reader, List<DataField> fields)
    {
        _reader = reader;
        _fields = fields;
    }

    /// <summary>Opens a file.</summary>
    /// <exception cref="RefusedException">It is damaged, or has none of a column.</exception>
    internal static Task<ParquetTexts> OpenAsync(string path, string[] columns, CancellationToken cancel) =>
        Guarded(async () =>
        {
            ParquetReader reader = await ParquetReader.CreateAsync(
                path, new ParquetOptions { TreatByteArrayAsString = true }, cancel);
            try
            {
                return new ParquetTexts(reader, FindAll(reader.Schema.Fields, columns));
            }
            catch
            {
                await reader.DisposeAsync();
                throw;
            }
        });

    /// <summary>The number of row groups.</summary>
    internal int Groups => _reader.RowGroupCount;

    /// <summary>A row group, column by column.</summary>
    internal async Task<(long Rows, List<ParquetColumn> Columns)> ReadAsync(int group, CancellationToken cancel)
    {
        using ParquetRowGroupReader rows = await Guarded(() => Task.FromResult(_reader.OpenRowGroupReader(group)));
        List<ParquetColumn> columns = [];
        foreach (DataField field in _fields)
        {
            columns.Add(await Guarded(() => ReadColumnAsync(rows, field, cancel)));
        }

        return (rows.RowCount, columns);
    }

    public ValueTask DisposeAsync() => _reader.DisposeAsync();

    private static async Task<ParquetColumn> ReadColumnAsync(
        ParquetRowGroupReader rows, DataField field, CancellationToken cancel)
    {
        long bytes = rows.GetMetadata(field)?.MetaData?.TotalUncompressedSize ?? 0;
        return bytes is >= 0 and <= MaxColumnBytes
            ? new ParquetColumn(await rows.ReadRawColumnDataBaseAsync(field, cancel), field.MaxDefinitionLevel)
            : throw new RefusedException($"'{field.Path}' says that it has {bytes} bytes.");
    }

    /// <summary>Whatever the library meets in a damaged file is one fact: the file can't be read.</summary>
    private static async Task<T> Guarded<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception damage) when (damage
            is not (OperationCanceledException or UnauthorizedAccessException or RefusedException))
        {
            throw new RefusedException($"it can't be read as Parquet: {damage.Message}");
        }
    }

    private static List<DataField> FindAll(IReadOnlyList<Field> all, string[] columns)
    {
        List<DataField> fields = [];
        foreach (string column in columns)
        {
            int before = fields.Count;
            Find(all, column.Split('.'), fields);
            if (before == fields.Count)
            {
                throw new RefusedException($"there is no text in a column '{column}'; the columns are "
                    + $"{string.Join(", ", all.Select(field => field.Name))}.");
            }
        }

        return [.. fields.Distinct()];
    }

    /// <summary>Follows a path through structures and the lists around them.</summary>
    private static void Find(IEnumerable<Field> fields, ReadOnlySpan<string> path, List<DataField> found)
    {
        foreach (Field field in fields)
        {
            if (field.Name == path[0])
            {
                Field inner = WithoutLists(field);
                if (path.Length == 1)
                {
                    Collect(inner, found);
                }
                else if (inner is StructField structure)
                {
                    Find(structure.Fields, path[1..], found);
                }
            }
        }
    }

    /// <summary>A text; of a message, the fields that are text or hold parts with text.</summary>
    private static void Collect(Field field, List<DataField> found)
    {
        if (field is DataField data && data.ClrType == typeof(ReadOnlyMemory<char>))
        {
            found.Add(data);
        }
        else if (field is StructField message)
        {
            foreach (Field part in message.Fields.Where(part => MessageTexts.Contains(part.Name)))
            {
                Collect(WithoutLists(part), found);
            }
        }
    }

    private static Field WithoutLists(Field field) => field is ListField list ? WithoutLists(list.Item) : field;
}

/// <summary>Texts of one column of a row group, until disposed.</summary>
internal sealed class ParquetColumn : IDisposable
{
    private readonly RawColumnData<ReadOnlyMemory<char>> _data;
    private readonly int _count;

    /// <param name="data">What the library read: behind the texts that are there its buffer may hold anything.</param>
    /// <param name="level">How deep a text is defined that is there; nulls, and what is in no list, are less
    /// deep.</param>
    internal ParquetColumn(RawColumnData data, int level)
    {
        _data = (RawColumnData<ReadOnlyMemory<char>>)data;
        _count = level == 0 ? _data.Values.Length : data.DefinitionLevels.Count(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_count, _data.Values.Length, nameof(data));
    }

    internal ReadOnlySpan<ReadOnlyMemory<char>> Texts => _data.Values[.._count];

    public void Dispose() => _data.Dispose();
}
