using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Ciyuan.Storage;

// A sealed segment in the database: what is known of it without reading its header.
internal sealed record StoredSegment(
    long Id, long FirstSeq, long LastSeq, Timestamp LastTime, Timestamp MinTime, Timestamp MaxTime);

/// <summary>
/// The file <c>stats.db</c>: a row for each sealed segment, and one for each of its columns, so that a query reads only
/// the columns that it needs. What is written is only ever added. A segment is one transaction; since all of it can be
/// made again from the journal, <c>synchronous=NORMAL</c> is enough: a power cut may lose the last segments, never
/// leave half of one.
/// </summary>
internal sealed class FactDatabase : IDisposable
{
    private const string FileName = "stats.db";

    // A column is 64 kB to 1 MB: large pages make its chain of pages short. 65 536 is SQLite's largest.
    private const string Schema = """
        PRAGMA page_size = 65536;
        PRAGMA journal_mode = WAL;
        CREATE TABLE segment(
            id INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, last_time INTEGER NOT NULL,
            min_time INTEGER NOT NULL, max_time INTEGER NOT NULL, header BLOB NOT NULL);
        CREATE TABLE "column"(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE mark(seq INTEGER PRIMARY KEY);
        """;

    // Row id of a column: segment × 2¹⁶ + place. Fewer columns than that by far: 90 meters and grades, some slots.
    private const int ColumnBits = 16;

    private readonly SqliteConnection _connection;
    private readonly string _path;

    static FactDatabase() => Batteries_V2.Init();

    private FactDatabase(SqliteConnection connection, string path)
    {
        _connection = connection;
        _path = path;
        Segments = Load(connection);
        Marks = LoadMarks(connection);
    }

    public IReadOnlyList<StoredSegment> Segments { get; }

    /// <summary>Frames of the segments that hold setups or steps of settlement.</summary>
    public IReadOnlyList<long> Marks { get; }

    public static FactDatabase OpenOrBeginAnew(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (File.Exists(path))
        {
            SqliteConnection? connection = null;
            try
            {
                connection = Connect(path, SqliteOpenMode.ReadWrite);
                return new FactDatabase(connection, path);
            }
            catch (Exception e) when (e is SqliteException or InvalidDataException)
            {
                connection?.Dispose();
            }
        }

        foreach (string suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
        {
            File.Delete(path + suffix);
        }

        SqliteConnection fresh = Connect(path, SqliteOpenMode.ReadWriteCreate);
        Execute(fresh, Schema);
        Execute(fresh, $"PRAGMA user_version = {FactHeaderCodec.LayoutVersion}");
        return new FactDatabase(fresh, path);
    }

    public static FactDatabase? TryOpenReadOnly(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        SqliteConnection? connection = null;
        try
        {
            connection = Connect(path, SqliteOpenMode.ReadOnly);
            return new FactDatabase(connection, path);
        }
        catch (Exception e) when (e is SqliteException or InvalidDataException)
        {
            connection?.Dispose();
            return null;
        }
    }

    public StoredSegment Add(FactSegment segment, IEnumerable<long> marks)
    {
        FactHeader header = segment.Header;
        using SqliteTransaction transaction = _connection.BeginTransaction();
        using SqliteCommand insert = _connection.CreateCommand();
        insert.CommandText = """
            INSERT INTO segment(first_seq, last_seq, last_time, min_time, max_time, header)
            VALUES ($first, $last, $time, $min, $max, $header) RETURNING id
            """;
        insert.Parameters.AddWithValue("$first", header.FirstSeq);
        insert.Parameters.AddWithValue("$last", header.LastSeq);
        insert.Parameters.AddWithValue("$time", header.LastTime.UnixNanoseconds);
        insert.Parameters.AddWithValue("$min", header.MinTime.UnixNanoseconds);
        insert.Parameters.AddWithValue("$max", header.MaxTime.UnixNanoseconds);
        insert.Parameters.AddWithValue("$header", FactHeaderCodec.Encode(header));
        var id = (long)insert.ExecuteScalar()!;
        using SqliteCommand column = _connection.CreateCommand();
        column.CommandText = "INSERT INTO \"column\"(id, data) VALUES ($id, $data)";
        SqliteParameter place = column.Parameters.Add("$id", SqliteType.Integer);
        SqliteParameter data = column.Parameters.Add("$data", SqliteType.Blob);
        for (int i = 0; i < segment.Columns.Count; i++)
        {
            place.Value = RowId(id, i);
            data.Value = segment.Columns[i];
            column.ExecuteNonQuery();
        }

        using SqliteCommand mark = _connection.CreateCommand();
        mark.CommandText = "INSERT INTO mark(seq) VALUES ($seq)";
        SqliteParameter seq = mark.Parameters.Add("$seq", SqliteType.Integer);
        foreach (long marked in marks)
        {
            seq.Value = marked;
            mark.ExecuteNonQuery();
        }

        transaction.Commit();
        return new StoredSegment(id, header.FirstSeq, header.LastSeq, header.LastTime, header.MinTime, header.MaxTime);
    }

    /// <summary>A reader of its own, for one thread.</summary>
    public FactReader OpenReader() => new(Connect(_path, SqliteOpenMode.ReadOnly));

    public void Dispose() => _connection.Dispose();

    internal static long RowId(long segment, int column) => (segment << ColumnBits) | (uint)column;

    private static List<StoredSegment> Load(SqliteConnection connection)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        if ((long)command.ExecuteScalar()! != FactHeaderCodec.LayoutVersion)
        {
            throw new InvalidDataException("stats.db has another version.");
        }

        command.CommandText = "SELECT id, first_seq, last_seq, last_time, min_time, max_time FROM segment ORDER BY id";
        using SqliteDataReader reader = command.ExecuteReader();
        var segments = new List<StoredSegment>();
        long next = 1;
        while (reader.Read())
        {
            var segment = new StoredSegment(
                reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), new Timestamp(reader.GetInt64(3)),
                new Timestamp(reader.GetInt64(4)), new Timestamp(reader.GetInt64(5)));
            if (segment.FirstSeq != next || segment.LastSeq < segment.FirstSeq)
            {
                throw new InvalidDataException($"stats.db lacks frame {next}.");
            }

            next = segment.LastSeq + 1;
            segments.Add(segment);
        }

        return segments;
    }

    private static List<long> LoadMarks(SqliteConnection connection)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT seq FROM mark ORDER BY seq";
        using SqliteDataReader reader = command.ExecuteReader();
        var marks = new List<long>();
        while (reader.Read())
        {
            marks.Add(reader.GetInt64(0));
        }

        return marks;
    }

    private static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048");
            Execute(connection, "PRAGMA mmap_size = 1073741824");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

/// <summary>Reads segments one after the other. Columns are given as SQLite holds them, without a copy.</summary>
internal sealed class FactReader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly sqlite3_stmt _header;
    private readonly sqlite3_stmt _column;
    private long _segment;

    public FactReader(SqliteConnection connection)
    {
        _connection = connection;
        _header = Prepare("SELECT header FROM segment WHERE id = ?");
        _column = Prepare("SELECT data FROM \"column\" WHERE id = ?");
    }

    public FactHeader Open(StoredSegment segment)
    {
        _segment = segment.Id;
        return FactHeaderCodec.Decode(Get(_header, segment.Id).ToArray());
    }

    public ReadOnlySpan<byte> Read(int column) => Get(_column, FactDatabase.RowId(_segment, column));

    public void Dispose()
    {
        _header.Dispose();
        _column.Dispose();
        _connection.Dispose();
    }

    // The bytes belong to the statement until it is reset.
    private static ReadOnlySpan<byte> Get(sqlite3_stmt statement, long id)
    {
        raw.sqlite3_reset(statement);
        raw.sqlite3_bind_int64(statement, 1, id);
        int code = raw.sqlite3_step(statement);
        return code == raw.SQLITE_ROW
            ? raw.sqlite3_column_blob(statement, 0)
            : throw new InvalidDataException(
                $"stats.db is damaged or lacks a row (SQLite code {code}): delete it, it is made anew.");
    }

    private sqlite3_stmt Prepare(string sql)
    {
        int code = raw.sqlite3_prepare_v2(_connection.Handle, sql, out sqlite3_stmt statement);
        return code == raw.SQLITE_OK ? statement : throw new InvalidDataException(
            $"stats.db can't be read (SQLite code {code}).");
    }
}
