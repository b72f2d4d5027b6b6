using System.Data.Common;
using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Usage;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace Ciyuan.Bench;

/// <summary>
/// The usual way to store the same thing, to measure against: a row for each record and for each transfer, a unique id,
/// and account balances updated in the same durable transaction. Rating and posting are done by the very same engine;
/// only the storing differs.
/// </summary>
internal interface IRowStore : IDisposable
{
    string Name { get; }

    /// <summary>Stores one batch in one durable transaction, balances netted by account.</summary>
    void Store(Frame frame);
}

/// <summary>SQLite, WAL, synchronous=FULL, prepared statements.</summary>
internal sealed class SqliteRowStore : IRowStore
{
    private readonly SqliteConnection _db;
    private readonly SqliteCommand _usage;
    private readonly SqliteCommand _transfer;
    private readonly SqliteCommand _balance;
    private long _transfers;

    public SqliteRowStore(string path)
    {
        SQLitePCL.Batteries_V2.Init();
        _db = new SqliteConnection($"Data Source={path};Pooling=false");
        _db.Open();
        Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;");
        Execute("""
            CREATE TABLE usage(source TEXT, id TEXT, time INTEGER, party TEXT, project TEXT, scenario TEXT, model TEXT,
              provider TEXT, site TEXT, operation TEXT, outcome INTEGER, latency INTEGER, counts TEXT,
              PRIMARY KEY(source, id)) WITHOUT ROWID;
            CREATE TABLE transfer(
              id INTEGER PRIMARY KEY, record TEXT, debit TEXT, credit TEXT, amount TEXT, time INTEGER);
            CREATE TABLE account(path TEXT PRIMARY KEY, debits TEXT, credits TEXT) WITHOUT ROWID;
            """);
        _usage = Prepare("INSERT INTO usage VALUES($0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)", 13);
        _transfer = Prepare("INSERT INTO transfer VALUES($0,$1,$2,$3,$4,$5)", 6);
        _balance =
            Prepare("INSERT INTO account VALUES($0,$1,$2) ON CONFLICT(path) DO UPDATE SET debits=$1, credits=$2", 3);
    }

    public string Name => "SQLite, a row per record and per transfer";

    private readonly Dictionary<string, (Int128 Debits, Int128 Credits)> _balances = [];

    public void Store(Frame frame)
    {
        using SqliteTransaction transaction = _db.BeginTransaction();
        (_usage.Transaction, _transfer.Transaction, _balance.Transaction) = (transaction, transaction, transaction);
        var touched = new HashSet<string>();
        for (int i = 0; i < frame.Records.Count; i++)
        {
            UsageRecord r = frame.Records[i];
            UsageContext c = r.Context;
            Run(
                _usage, c.Source, r.Id, r.EventTime.UnixNanoseconds, c.Party, c.Project, c.Scenario, c.Model,
                c.Provider, c.Site, c.Operation, (int)r.Outcome, r.LatencyMs ?? 0,
                string.Join(';', r.Counts.Select(n => $"{n.Meter}={n.Steps}")));
            foreach (Posting p in frame.RecordResults[i].Postings)
            {
                Run(
                    _transfer, ++_transfers, r.Id, p.Debit.Path, p.Credit.Path, p.Amount.ToString(),
                    r.EventTime.UnixNanoseconds);
                Balances.Add(_balances, touched, p);
            }
        }

        foreach (string path in touched)
        {
            (Int128 debits, Int128 credits) = _balances[path];
            Run(
                _balance, path, debits.ToString(CultureInfo.InvariantCulture),
                credits.ToString(CultureInfo.InvariantCulture));
        }

        transaction.Commit();
    }

    public void Dispose() => _db.Dispose();

    private void Execute(string sql)
    {
        using SqliteCommand command = _db.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private SqliteCommand Prepare(string sql, int parameters)
    {
        SqliteCommand command = _db.CreateCommand();
        command.CommandText = sql;
        for (int i = 0; i < parameters; i++)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" });
        }

        command.Prepare();
        return command;
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.ExecuteNonQuery();
    }
}

/// <summary>PostgreSQL with its durable default settings; binary COPY, the fastest way in that it has.</summary>
internal sealed class PostgresRowStore : IRowStore
{
    private readonly NpgsqlConnection _db;
    private readonly Dictionary<string, (Int128 Debits, Int128 Credits)> _balances = [];

    public PostgresRowStore(string connection)
    {
        _db = new NpgsqlConnection(connection);
        _db.Open();
        Execute("""
            DROP TABLE IF EXISTS usage, transfer, account;
            CREATE TABLE usage(source text, id text, time bigint, party text, project text, scenario text, model text,
              provider text, site text, operation text, outcome int, latency int, counts text, PRIMARY KEY(source, id));
            CREATE TABLE transfer(record text, debit text, credit text, amount numeric, time bigint);
            CREATE TABLE account(path text PRIMARY KEY, debits numeric, credits numeric);
            """);
    }

    public string Name => "PostgreSQL, a row per record and per transfer (COPY)";

    public void Store(Frame frame)
    {
        using NpgsqlTransaction transaction = _db.BeginTransaction();
        var touched = new HashSet<string>();
        using (NpgsqlBinaryImporter rows = _db.BeginBinaryImport("COPY usage FROM STDIN (FORMAT BINARY)"))
        {
            foreach (UsageRecord r in frame.Records)
            {
                UsageContext c = r.Context;
                rows.StartRow();
                rows.Write(c.Source);
                rows.Write(r.Id);
                rows.Write(r.EventTime.UnixNanoseconds);
                foreach (string text in (ReadOnlySpan<string>)[c.Party, c.Project, c.Scenario, c.Model, c.Provider,
                    c.Site, c.Operation])
                {
                    rows.Write(text);
                }

                rows.Write((int)r.Outcome);
                rows.Write(r.LatencyMs ?? 0);
                rows.Write(string.Join(';', r.Counts.Select(n => $"{n.Meter}={n.Steps}")));
            }

            rows.Complete();
        }

        using (NpgsqlBinaryImporter rows = _db.BeginBinaryImport("COPY transfer FROM STDIN (FORMAT BINARY)"))
        {
            for (int i = 0; i < frame.Records.Count; i++)
            {
                foreach (Posting p in frame.RecordResults[i].Postings)
                {
                    rows.StartRow();
                    rows.Write(frame.Records[i].Id);
                    rows.Write(p.Debit.Path);
                    rows.Write(p.Credit.Path);
                    rows.Write((decimal)(long)p.Amount.Pico / 1_000_000_000_000m, NpgsqlDbType.Numeric);
                    rows.Write(frame.Records[i].EventTime.UnixNanoseconds);
                    Balances.Add(_balances, touched, p);
                }
            }

            rows.Complete();
        }

        foreach (string path in touched)
        {
            (Int128 debits, Int128 credits) = _balances[path];
            Execute(string.Create(CultureInfo.InvariantCulture,
                $"INSERT INTO account VALUES('{path}',{debits},{credits}) ON CONFLICT(path) DO UPDATE SET "
                + $"debits=excluded.debits, credits=excluded.credits"));
        }

        transaction.Commit();
    }

    public void Dispose() => _db.Dispose();

    private void Execute(string sql)
    {
        using DbCommand command = _db.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

/// <summary>The balances that the row stores net in memory before they update the rows.</summary>
internal static class Balances
{
    public static void Add(
        Dictionary<string, (Int128 Debits, Int128 Credits)> balances, HashSet<string> touched, Posting posting)
    {
        (Int128 debits, Int128 credits) = balances.GetValueOrDefault(posting.Debit.Path);
        balances[posting.Debit.Path] = (debits + posting.Amount.Pico, credits);
        (debits, credits) = balances.GetValueOrDefault(posting.Credit.Path);
        balances[posting.Credit.Path] = (debits, credits + posting.Amount.Pico);
        touched.Add(posting.Debit.Path);
        touched.Add(posting.Credit.Path);
    }
}
