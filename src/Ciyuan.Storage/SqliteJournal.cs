using System.Buffers;
using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Quantities;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace Ciyuan.Storage;

/// <summary>A frame as it is stored.</summary>
/// <param name="Shard">Shard.</param>
/// <param name="Seq">Number in the shard, from 1 without gaps.</param>
/// <param name="Time">Time of recording.</param>
/// <param name="Previous">Hash of the frame before, 32 bytes; zeros for the first.</param>
/// <param name="Hash">Hash of this frame, 32 bytes (see <see cref="FrameHash.Compute"/>).</param>
/// <param name="Body">The frame's bytes.</param>
public readonly record struct StoredFrame(
    int Shard, long Seq, Timestamp Time, byte[] Previous, byte[] Hash, byte[] Body);

/// <summary>
/// The journal: one row for each frame in one SQLite file, WAL with <c>synchronous=FULL</c>. <c>(shard, seq)</c> is the
/// primary key, so a stale second writer fails by construction. One thread at a time for each instance; any number of
/// instances may read beside one that writes.
/// </summary>
public sealed class SqliteJournal : IDisposable
{
    /// <summary>Written into the file's header: "Ciyu".</summary>
    private const int ApplicationId = 0x43697975;

    /// <summary>Layout of the table; a newer one is refused.</summary>
    private const int FormatVersion = 1;

    /// <summary>
    /// Bytes in a page. Frames are large blobs, each a chain of pages: a large page makes it short.
    /// </summary>
    private const int PageSize = 8192;

    /// <summary>
    /// Bytes appended between checkpoints: 16 MB are moved in some 30 ms, keep the log file small, and a restart has
    /// little to recover.
    /// </summary>
    private const long CheckpointBytes = 16 << 20;

    /// <summary>Bytes appended after which a commit waits for the checkpoint beside it: a disk that is that slow must
    /// not let the log grow for ever.</summary>
    private const long MostBehind = 8 * CheckpointBytes;

    /// <summary>Bytes whose hashing (some 20 µs) is worth handing to another thread.</summary>
    private const int WorthATask = 32 << 10;

    /// <summary>Frames hashed beside the reading of the next, which takes a third of the time of hashing them on
    /// one core.</summary>
    internal static int CheckedAtOnce { get; } = Math.Clamp(Environment.ProcessorCount - 1, 1, 8);

    private const string Columns = "seq, time, prev, hash, body";

    private readonly Database _database;
    private readonly sqlite3_stmt _last;
    private readonly sqlite3_stmt _next;
    private readonly sqlite3_stmt? _insert;
    private readonly Database? _mover; // a connection of its own, for checkpoints beside commits
    private readonly SafeFileHandle? _file; // to sync what the mover wrote
    private Task? _moving;
    private long _sinceCheckpoint;

    private SqliteJournal(Database database, bool write)
    {
        _database = database;
        _last = database.Prepare("SELECT max(seq) FROM frame WHERE shard = ?1");
        _next = database.Prepare($"SELECT {Columns} FROM frame WHERE shard = ?1 AND seq >= ?2 ORDER BY seq LIMIT 1");
        _insert = write
            ? database.Prepare($"INSERT INTO frame(shard, {Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")
            : null;
        if (write)
        {
            _mover = Database.Open(database.DatabasePath, write);
            _mover.Execute("PRAGMA user_version"); // a read opens the log; without it there is nothing to move
            _file = File.OpenHandle(
                database.DatabasePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }
    }

    /// <summary>Opens the journal of a folder for reading; works while another process writes.</summary>
    /// <exception cref="FileNotFoundException">The folder has no journal.</exception>
    /// <exception cref="JournalException">The file is damaged, or no journal.</exception>
    public static SqliteJournal OpenReadOnly(string folder)
    {
        string path = DataFolder.JournalPath(Path.GetFullPath(folder));
        return File.Exists(path)
            ? Open(path, write: false)
            : throw new FileNotFoundException($"{folder} has no journal.db: it is not a data folder of Ciyuan.", path);
    }

    /// <summary>Opens or makes the journal of a folder; the caller holds the folder's lock.</summary>
    internal static SqliteJournal OpenWriter(string folder)
    {
        string path = DataFolder.JournalPath(Path.GetFullPath(folder));
        WriteAheadLog.RequireWhole(path);
        return Open(path, write: true);
    }

    /// <summary>Number of the last frame; 0 when there is none.</summary>
    public long LastSeq(int shard = 0)
    {
        try
        {
            _database.Check(raw.sqlite3_bind_int(_last, 1, shard), "binding");
            return _database.Step(_last, "finding the last frame") ? raw.sqlite3_column_int64(_last, 0) : 0;
        }
        finally
        {
            _ = raw.sqlite3_reset(_last);
        }
    }

    /// <summary>Reads one frame; null when there is none with this number.</summary>
    /// <exception cref="JournalException">The frame can't be read: the file is damaged there.</exception>
    public StoredFrame? Read(long seq, int shard = 0) =>
        ReadNext(seq, shard) is { } frame && frame.Seq == seq ? frame : null;

    /// <summary>
    /// Reads frames in order from <paramref name="seq"/> to the last one at the time it gets there. Each frame is a
    /// read of its own, so that a slow reader never keeps the log from being checkpointed.
    /// </summary>
    /// <exception cref="JournalException">A frame is missing or can't be read.</exception>
    public IEnumerable<StoredFrame> ReadFrom(long seq, int shard = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seq, 1);
        while (true)
        {
            for (; ReadNext(seq, shard) is { } frame; seq++)
            {
                yield return frame.Seq == seq ? frame : throw Broken(shard, seq, "is missing");
            }

            // Nothing there: the end, unless the key's tree is damaged, or a frame has just come.
            if (LastSeq(shard) < seq)
            {
                yield break;
            }

            if (ReadNext(seq, shard) is null)
            {
                throw Broken(shard, seq, "is missing, though later ones are there");
            }
        }
    }

    /// <summary>
    /// Checks that frames 1 to the last are all there, each with the hash of the one before it and its own. Reading and
    /// hashing run side by side.
    /// </summary>
    /// <param name="shard">Shard.</param>
    /// <param name="progress">Told of every frame checked; may be null.</param>
    /// <returns>The hash of the last frame; zeros without one.</returns>
    /// <exception cref="JournalException">Names the first broken frame.</exception>
    public byte[] VerifyChain(int shard = 0, Action<long>? progress = null)
    {
        byte[] previous = FrameHash.BeforeFirst;
        var checking = new Queue<Task>();
        foreach (StoredFrame frame in ReadFrom(1, shard))
        {
            // Each is checked against the hash that the one before claims, so several are at once; the first that is
            // found broken is the first one.
            while (checking.Count >= (frame.Body.Length < WorthATask ? 1 : CheckedAtOnce))
            {
                checking.Dequeue().GetAwaiter().GetResult();
            }

            if (frame.Body.Length < WorthATask)
            {
                CheckFrame(frame, previous);
            }
            else
            {
                checking.Enqueue(CheckElsewhere(frame, previous));
            }

            previous = frame.Hash;
            progress?.Invoke(frame.Seq);
        }

        while (checking.Count > 0)
        {
            checking.Dequeue().GetAwaiter().GetResult();
        }

        RequireSameEnd(shard);
        return previous;
    }

    /// <summary>
    /// Rows are found by the key's tree. A damaged page there can make the last frames invisible without any error, so
    /// the table's own tree must end at the same frame.
    /// </summary>
    private void RequireSameEnd(int shard)
    {
        string last = _database.Execute(
            $"SELECT seq FROM frame NOT INDEXED WHERE shard = {shard} ORDER BY rowid DESC LIMIT 1");
        long byKey = LastSeq(shard);
        if (last != (byKey == 0 ? "" : byKey.ToString(CultureInfo.InvariantCulture)))
        {
            throw Broken(shard, byKey + 1, $"can't be found, while frame '{last}' is there: the file is damaged");
        }
    }

    private static Task CheckElsewhere(StoredFrame frame, byte[] previous) =>
        Task.Run(() => CheckFrame(frame, previous));

    /// <summary>Checks one frame against the one before it.</summary>
    /// <exception cref="JournalException">Names the frame.</exception>
    internal static void CheckFrame(in StoredFrame frame, ReadOnlySpan<byte> previous)
    {
        if (!frame.Previous.AsSpan().SequenceEqual(previous))
        {
            throw Broken(frame.Shard, frame.Seq, "does not follow the frame before it (its previous hash differs)");
        }

        byte[] hash = FrameHash.Compute(frame.Shard, frame.Seq, frame.Time, frame.Previous, frame.Body);
        if (!hash.AsSpan().SequenceEqual(frame.Hash))
        {
            throw Broken(frame.Shard, frame.Seq, "is not what was written (its hash differs)");
        }
    }

    /// <summary>Appends one frame in a transaction of its own; when this returns, it is durable.</summary>
    /// <exception cref="StorageFullException">No space; nothing was written.</exception>
    /// <exception cref="JournalFaultedException">Whether it is on disk is unknown, or another writer was
    /// faster.</exception>
    internal void Append(
        int shard,
        long seq,
        Timestamp time,
        ReadOnlySpan<byte> previous,
        ReadOnlySpan<byte> hash,
        ReadOnlySpan<byte> body)
    {
        sqlite3_stmt insert = _insert ?? throw new InvalidOperationException("The journal is open for reading only.");
        try
        {
            int code = raw.sqlite3_bind_int(insert, 1, shard)
                | raw.sqlite3_bind_int64(insert, 2, seq)
                | raw.sqlite3_bind_int64(insert, 3, time.UnixNanoseconds)
                | raw.sqlite3_bind_blob(insert, 4, previous)
                | raw.sqlite3_bind_blob(insert, 5, hash)
                | raw.sqlite3_bind_blob(insert, 6, body);
            _database.Check(code, $"binding frame {seq}");
            _ = _database.Step(insert, $"writing frame {seq} of shard {shard}");
        }
        finally
        {
            // The step has reported its error already; reset repeats it.
            _ = raw.sqlite3_reset(insert);
            _ = raw.sqlite3_clear_bindings(insert);
        }

        _sinceCheckpoint += body.Length + PageSize;
    }

    /// <summary>
    /// Checkpoints when enough was appended. Not done by SQLite in the commit, where its errors are lost. What takes
    /// long is done beside the commits that follow; then the little that has come meanwhile is moved at once, so that
    /// the log is empty and begins anew.
    /// </summary>
    internal void CheckpointWhenDue()
    {
        if (_moving is null)
        {
            _moving = _sinceCheckpoint < CheckpointBytes ? null : Task.Factory.StartNew(
                Move, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return;
        }

        if (_moving.IsCompleted || _sinceCheckpoint > MostBehind)
        {
            Task moving = _moving;
            _moving = null;
            _sinceCheckpoint = 0;
            moving.GetAwaiter().GetResult();
            _database.Checkpoint(raw.SQLITE_CHECKPOINT_PASSIVE);
        }
    }

    /// <summary>Moves the whole log into the file and empties it, at a clean end.</summary>
    internal void CheckpointFully()
    {
        WaitForMove();
        _database.Checkpoint(raw.SQLITE_CHECKPOINT_TRUNCATE);
    }

    /// <summary>Waits for what <see cref="CheckpointWhenDue"/> began. Its faults are those of the checkpoint that
    /// follows, or of nothing that was promised.</summary>
    internal void WaitForMove() => ((IAsyncResult?)_moving)?.AsyncWaitHandle.WaitOne();

    /// <summary>Limits the file, for tests of a full disk.</summary>
    internal void LimitPages(long pages) => _database.Execute($"PRAGMA max_page_count = {pages}");

    /// <summary>What SQLite finds wrong with the file's structure; "ok" when nothing.</summary>
    internal string CheckStructure() => _database.Execute("PRAGMA quick_check(1)");

    /// <inheritdoc/>
    public void Dispose()
    {
        WaitForMove();
        _mover?.Dispose();
        _ = raw.sqlite3_finalize(_last);
        _ = raw.sqlite3_finalize(_next);
        if (_insert is not null)
        {
            _ = raw.sqlite3_finalize(_insert);
        }

        _database.Dispose();
        _file?.Dispose(); // after the connections: to close a file ends all locks that the process has on it
    }

    internal static JournalException Broken(int shard, long seq, string how, Exception? inner = null) => new(
        $"frame {seq} of shard {shard}: {how}; restore the journal from a backup, or run `ciyuan fsck` to see more" +
        (inner is null ? "" : $" ({inner.Message})"),
        inner!);

    /// <summary>
    /// Copies a frame's body into an array rented from the shared pool, which the caller gives back: large arrays of
    /// one use would make the collector work. Null when there is no such frame.
    /// </summary>
    internal (Timestamp Time, byte[] Rented, int Length)? RentBody(long seq, int shard)
    {
        try
        {
            _ = raw.sqlite3_bind_int(_next, 1, shard);
            _ = raw.sqlite3_bind_int64(_next, 2, seq);
            if (!_database.Step(_next, $"reading frame {seq}") || raw.sqlite3_column_int64(_next, 0) != seq)
            {
                return null;
            }

            ReadOnlySpan<byte> body = raw.sqlite3_column_blob(_next, 4);
            byte[] rented = ArrayPool<byte>.Shared.Rent(body.Length);
            body.CopyTo(rented);
            return (new Timestamp(raw.sqlite3_column_int64(_next, 1)), rented, body.Length);
        }
        catch (JournalException e)
        {
            throw Broken(shard, seq, "can't be read", e);
        }
        finally
        {
            _ = raw.sqlite3_reset(_next);
        }
    }

    // SQLite syncs the file only in a checkpoint that no commit has overtaken: the one that follows would find all of
    // this unsynced, and hold up the commits until it was on the disk.
    private void Move()
    {
        _mover!.Checkpoint(raw.SQLITE_CHECKPOINT_PASSIVE);
        RandomAccess.FlushToDisk(_file!);
    }

    private StoredFrame? ReadNext(long seq, int shard)
    {
        try
        {
            _ = raw.sqlite3_bind_int(_next, 1, shard);
            _ = raw.sqlite3_bind_int64(_next, 2, seq);
            if (!_database.Step(_next, $"reading frame {seq}"))
            {
                return null;
            }

            var time = new Timestamp(raw.sqlite3_column_int64(_next, 1));
            byte[] body = raw.sqlite3_column_blob(_next, 4).ToArray();
            return new StoredFrame(shard, raw.sqlite3_column_int64(_next, 0), time,
                raw.sqlite3_column_blob(_next, 2).ToArray(), raw.sqlite3_column_blob(_next, 3).ToArray(), body);
        }
        catch (JournalException e)
        {
            throw Broken(shard, seq, "can't be read", e);
        }
        finally
        {
            _ = raw.sqlite3_reset(_next);
        }
    }

    private static SqliteJournal Open(string path, bool write)
    {
        Database database = Database.Open(path, write);
        try
        {
            if (write)
            {
                Prepare(database);
            }

            RequireFormat(database);
            return new SqliteJournal(database, write);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private static void Prepare(Database database)
    {
        bool isNew = database.Execute("SELECT count(*) FROM sqlite_schema") == "0";
        if (isNew)
        {
            database.Execute($"PRAGMA page_size = {PageSize}");
        }

        database.Execute("PRAGMA journal_mode = WAL");
        database.Execute("PRAGMA synchronous = FULL");
        database.Execute("PRAGMA wal_autocheckpoint = 0");
        database.Execute($"PRAGMA journal_size_limit = {2 * CheckpointBytes}");
        Require(database, "journal_mode", "wal");
        Require(database, "synchronous", "2"); // FULL: a commit returns after the log is synced
        if (isNew)
        {
            database.Execute("BEGIN IMMEDIATE");
            database.Execute(
                "CREATE TABLE frame(shard INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, " +
                "prev BLOB NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY(shard, seq))");
            database.Execute($"PRAGMA application_id = {ApplicationId}");
            database.Execute($"PRAGMA user_version = {FormatVersion}");
            database.Execute("COMMIT");
            DiskSync.SyncFolder(Path.GetDirectoryName(database.DatabasePath)!);
        }
    }

    private static void RequireFormat(Database database)
    {
        string id = database.Execute("PRAGMA application_id");
        string version = database.Execute("PRAGMA user_version");
        if (id != $"{ApplicationId}" || version != $"{FormatVersion}")
        {
            throw new JournalException(
                $"{database.DatabasePath} is not a journal that this version reads " +
                $"(application {id}, format {version}; wanted {ApplicationId}, {FormatVersion}); " +
                "restore it from a backup or use the version that wrote it");
        }
    }

    private static void Require(Database database, string pragma, string value)
    {
        string actual = database.Execute($"PRAGMA {pragma}");
        if (actual != value)
        {
            throw new JournalFaultedException(
                $"{database.DatabasePath}: {pragma} is '{actual}' where '{value}' is needed for durable commits. " +
                "Put the data folder on a local file system.");
        }
    }
}
