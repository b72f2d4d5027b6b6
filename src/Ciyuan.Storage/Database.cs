using Ciyuan.Journal;
using SQLitePCL;

namespace Ciyuan.Storage;

/// <summary>
/// A connection to SQLite through its own C interface: no pooling, no retries, no copies that we did not ask for, and
/// one place that says what each error means. Use by one thread at a time.
/// </summary>
internal sealed class Database : IDisposable
{
    private readonly sqlite3 _handle;

    private Database(string path, sqlite3 handle)
    {
        DatabasePath = path;
        _handle = handle;
    }

    internal string DatabasePath { get; }

    /// <summary>Opens a file; readers work beside a writer of another process.</summary>
    internal static Database Open(string path, bool write)
    {
        Batteries_V2.Init();
        int flags = (write ? raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE : raw.SQLITE_OPEN_READONLY)
            | raw.SQLITE_OPEN_NOMUTEX;
        int code = raw.sqlite3_open_v2(path, out sqlite3 handle, flags, null);
        var database = new Database(path, handle);
        if (code != raw.SQLITE_OK)
        {
            Exception fault = database.Fault(code, "opening it");
            database.Dispose();
            throw fault;
        }

        _ = raw.sqlite3_extended_result_codes(handle, 1);
        _ = raw.sqlite3_busy_timeout(handle, 5_000); // another process's recovery of the log ends well before that
        return database;
    }

    internal sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt statement), sql);
        return statement;
    }

    /// <summary>Runs a statement and gives its first column, empty without a row.</summary>
    internal string Execute(string sql)
    {
        sqlite3_stmt statement = Prepare(sql);
        try
        {
            return Step(statement, sql) ? raw.sqlite3_column_text(statement, 0).utf8_to_string() ?? "" : "";
        }
        finally
        {
            _ = raw.sqlite3_finalize(statement);
        }
    }

    /// <summary>True with a row, false at the end.</summary>
    internal bool Step(sqlite3_stmt statement, string doing)
    {
        int code = raw.sqlite3_step(statement);
        return code == raw.SQLITE_ROW || (code == raw.SQLITE_DONE ? false : throw Fault(code, doing));
    }

    internal void Check(int code, string doing)
    {
        if (code != raw.SQLITE_OK)
        {
            throw Fault(code, doing);
        }
    }

    /// <summary>Moves what is in the write-ahead log into the file, as far as readers allow; waits for none.</summary>
    internal void Checkpoint(int mode)
    {
        const string Doing = "moving the write-ahead log into it";
        int code = raw.sqlite3_wal_checkpoint_v2(_handle, "main", mode, out int pages, out _);
        if (code != raw.SQLITE_BUSY)
        {
            Check(code, Doing);
            if (pages < 0)
            {
                throw new JournalFaultedException($"{DatabasePath}: {Doing} failed: the log is not open");
            }
        }
    }

    public void Dispose() => _ = raw.sqlite3_close_v2(_handle);

    /// <summary>The exception for a result code: full, damaged, or stop.</summary>
    private Exception Fault(int code, string doing)
    {
        string said = $"{raw.sqlite3_errmsg(_handle).utf8_to_string()} (SQLite {code})";
        string what = $"{DatabasePath}: {doing} failed: {said}";
        bool full = (code & 0xFF) == raw.SQLITE_FULL
            || (code is raw.SQLITE_IOERR_WRITE or raw.SQLITE_IOERR_SHMSIZE or raw.SQLITE_IOERR_TRUNCATE
                && DataFolder.IsNearlyFull(Path.GetDirectoryName(DatabasePath)!));
        return (code & 0xFF) switch
        {
            _ when full => new StorageFullException($"{what}. There is no space left; free some and send again."),
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_FORMAT =>
                new JournalException($"{what}. It is damaged"),
            _ => new JournalFaultedException(what),
        };
    }
}
