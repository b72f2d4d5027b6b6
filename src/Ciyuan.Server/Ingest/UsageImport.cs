using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Channels;
using Ciyuan.Journal;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>Records some usage durably and answers for each record; the shard's own, or a test's.</summary>
public delegate ValueTask<UsageReply[]> RecordUsage(IReadOnlyList<UsageRecord> records, CancellationToken cancel);

/// <summary>How files are imported.</summary>
public sealed record ImportOptions
{
    /// <summary>Name that stands for standard input.</summary>
    public const string StandardInput = "-";

    /// <summary>What the lines are.</summary>
    public ImportFormat Format { get; init; }

    /// <summary>For CSV: the mapping.</summary>
    public CsvMapping? Mapping { get; init; }

    /// <summary>For responses: what they don't say.</summary>
    public ResponseConstants Constants { get; init; } = ResponseConstants.None;

    /// <summary>Where refused lines go; null: beside each file, as <c>FILE.rejects.jsonl</c>.</summary>
    public string? Rejects { get; init; }

    /// <summary>Threads that read lines.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount - 1, 1, 2);

    /// <summary>Records in a batch, and so in a frame.</summary>
    public int BatchSize { get; init; } = 4_096;

    /// <summary>Batches that are on their way at once: one is applied while the one before is made durable.</summary>
    public int InFlight { get; init; } = 4;
}

/// <summary>An import can't go on: the file's header, its number of rows without id, or the file itself.</summary>
public sealed class ImportException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Reads files of usage into the ledger: chunks of whole lines, read on several threads, put back into the order of
/// the file, and recorded in batches. Refused lines go to a reject file and the rest goes on. It can be stopped at
/// any point: the ids of what was recorded are known, so running it again loses nothing and adds nothing twice.
/// </summary>
public sealed class UsageImport
{
    private readonly ImportOptions _options;
    private readonly RecordUsage _record;
    private readonly Queue<(Task<UsageReply[]> Replies, List<UsageRecord> Records, string UpTo)> _inFlight = new();
    private List<UsageRecord> _batch = [];

    /// <summary>An import.</summary>
    /// <param name="options">How.</param>
    /// <param name="record">Where the records go.</param>
    public UsageImport(ImportOptions options, RecordUsage record)
    {
        if (options.Format == ImportFormat.Csv && options.Mapping is null)
        {
            throw new ArgumentException("CSV needs a mapping.", nameof(options));
        }

        (_options, _record) = (options, record);
    }

    /// <summary>What has been done so far.</summary>
    public ImportTally Tally { get; } = new();

    /// <summary>Imports files, one after the other. Stops at the first batch that is not accepted, with its
    /// exception.</summary>
    /// <param name="files">Paths; <c>.gz</c> is unpacked; <c>-</c> is standard input.</param>
    /// <param name="cancel">Stops between two batches; what is on its way is awaited.</param>
    /// <exception cref="ImportException">The file can't be read, or it can't be imported as it is.</exception>
    public async Task RunAsync(IReadOnlyList<string> files, CancellationToken cancel)
    {
        try
        {
            RemoveEarlierRejects(files);
            foreach (string file in files)
            {
                await ImportFileAsync(file, cancel);
            }

            await AwaitRepliesAsync(most: 0);
        }
        catch
        {
            await AwaitRestQuietlyAsync();
            throw;
        }
    }

    private async Task ImportFileAsync(string file, CancellationToken cancel)
    {
        await using Stream raw = Open(file);
        await using var counted = new CountingStream(raw, Tally.AddBytes);
        await using Stream stream = file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(counted, CompressionMode.Decompress)
            : counted;
        using var rejects = new RejectFile(RejectPath(file), file);
        using var stopReading = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var chunks = Channel.CreateBounded<Task<ParsedChunk>>(_options.Workers + 1);
        var source = new FileSource(_options, file, stream);
        Task reading = source.ReadAsync(chunks.Writer, stopReading.Token);
        try
        {
            await foreach (Task<ParsedChunk> chunk in chunks.Reader.ReadAllAsync(cancel))
            {
                await TakeAsync(await chunk, source, rejects, cancel);
            }

            await reading;
            await SendAsync(file, source.LastLine, cancel);
        }
        finally
        {
            await stopReading.CancelAsync();
            await reading.ContinueWith(static _ => { }, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (rejects.IsWritten)
            {
                Tally.RejectFilesWritten.Add(rejects.Path);
            }
        }
    }

    private async ValueTask TakeAsync(
        ParsedChunk chunk, FileSource source, RejectFile rejects, CancellationToken cancel)
    {
        foreach (RejectedLine reject in chunk.Rejects)
        {
            rejects.Write(reject);
        }

        Tally.AddRead(chunk.Records.Count + chunk.Rejects.Count, chunk.Rejects.Count);
        for (int i = 0; i < chunk.Records.Count; i++)
        {
            _batch.Add(
                chunk.Contents.Count == 0 ? chunk.Records[i] : source.Identify(chunk.Records[i], chunk.Contents[i]));
            if (_batch.Count == _options.BatchSize)
            {
                await SendAsync(source.File, i == chunk.Records.Count - 1 ? chunk.LastLine : source.LastLine, cancel);
            }
        }

        source.LastLine = chunk.LastLine;
    }

    private async ValueTask SendAsync(string file, long lastLine, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (_batch.Count == 0)
        {
            return;
        }

        List<UsageRecord> batch = _batch;
        _batch = new List<UsageRecord>(_options.BatchSize);
        await AwaitRepliesAsync(_options.InFlight - 1);

        // Not cancelled once it is sent: whether it was accepted must be known.
        Task<UsageReply[]> replies = _record(batch, CancellationToken.None).AsTask();
        _inFlight.Enqueue((replies, batch, $"line {lastLine} of {file}"));
    }

    private async ValueTask AwaitRepliesAsync(int most)
    {
        while (_inFlight.Count > most)
        {
            (Task<UsageReply[]> replies, List<UsageRecord> records, string upTo) = _inFlight.Dequeue();
            Tally.AddReplies(records, await replies, upTo);
        }
    }

    // The first exception is on its way out; the batches after it tell the same.
    private async ValueTask AwaitRestQuietlyAsync()
    {
        while (_inFlight.TryDequeue(out var sent))
        {
            await sent.Replies.ContinueWith(static _ => { }, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (sent.Replies.IsCompletedSuccessfully)
            {
                Tally.AddReplies(sent.Records, await sent.Replies, sent.UpTo);
            }
        }
    }

    private string RejectPath(string file) => _options.Rejects
        ?? (file == ImportOptions.StandardInput ? "stdin.rejects.jsonl" : file + ".rejects.jsonl");

    private void RemoveEarlierRejects(IReadOnlyList<string> files)
    {
        foreach (string path in files.Select(RejectPath).Distinct())
        {
            if (files.Any(file => Path.GetFullPath(file) == Path.GetFullPath(path)))
            {
                throw new ImportException(
                    $"{path} can't be both an input and the reject file: name another with --rejects.");
            }

            File.Delete(path);
        }
    }

    private static Stream Open(string file)
    {
        try
        {
            return file == ImportOptions.StandardInput
                ? System.Console.OpenStandardInput()
                : new FileStream(
                    file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0,
                    FileOptions.SequentialScan);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ImportException($"{file} can't be read: {problem.Message}", problem);
        }
    }

    /// <summary>One file on its way: cuts it, has its chunks read by several threads, and keeps their order.</summary>
    private sealed class FileSource(ImportOptions options, string file, Stream stream)
    {
        // An array over several lines is held whole; larger ones are to be written as an event on each line.
        private const int MaxArrayBytes = 64 << 20;

        private readonly ConcurrentBag<LineParser> _parsers = [];
        private readonly CsvRowIds _rowIds = new();
        private CsvColumns? _columns;

        internal string File => file;

        /// <summary>Last line of which everything has been taken.</summary>
        internal long LastLine { get; set; }

        internal UsageRecord Identify(UsageRecord record, UInt128 content) =>
            _rowIds.TryIdentify(record, content, out UsageRecord? identified)
                ? identified!
                : throw new ImportException($"{file} has more than {CsvRowIds.MaxRows} rows and no column for the id, "
                    + "so equal rows can't be told apart: name one with --map id=COLUMN, or import the file in parts.");

        /// <summary>Puts a task for each chunk into the channel, in order; the channel's bound limits how many
        /// run.</summary>
        internal async Task ReadAsync(ChannelWriter<Task<ParsedChunk>> chunks, CancellationToken cancel)
        {
            Exception? problem = null;
            try
            {
                var reader = new ChunkReader(stream, options.Format == ImportFormat.Csv);
                bool isFirst = true;
                while (await reader.ReadAsync(cancel) is { } chunk)
                {
                    FileChunk body = isFirst ? TakeHeader(chunk) : chunk;
                    body = isFirst && IsArrayOverLines(body) ? await ReadArrayAsync(body, reader, cancel) : body;
                    isFirst = false;
                    await chunks.WriteAsync(Task.Run(() => Parse(body), cancel), cancel);
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                problem = new ImportException($"{file} can't be read to its end: {e.Message}", e);
            }
            catch (Exception e)
            {
                problem = e;
            }

            chunks.Complete(problem);
        }

        private bool IsArrayOverLines(FileChunk chunk)
        {
            ReadOnlySpan<byte> text = chunk.Buffer.AsSpan(0, chunk.Length);
            int lineEnd = text.IndexOf((byte)'\n');
            return options.Format == ImportFormat.CloudEvents && JsonBatch.IsArray(text) && lineEnd >= 0
                && !JsonBatch.TrySplit(text[..lineEnd], int.MaxValue, [], out _);
        }

        private async Task<FileChunk> ReadArrayAsync(FileChunk first, ChunkReader reader, CancellationToken cancel)
        {
            byte[] whole = first.Buffer;
            int length = first.Length;
            while (await reader.ReadAsync(cancel) is { } chunk)
            {
                if (length + chunk.Length > MaxArrayBytes)
                {
                    throw new ImportException($"{file} is one JSON array of more than {MaxArrayBytes >> 20} MiB: "
                        + "write an event on each line instead.");
                }

                byte[] joined = ArrayPool<byte>.Shared.Rent(length + chunk.Length);
                whole.AsSpan(0, length).CopyTo(joined);
                chunk.Buffer.AsSpan(0, chunk.Length).CopyTo(joined.AsSpan(length));
                ArrayPool<byte>.Shared.Return(whole);
                ArrayPool<byte>.Shared.Return(chunk.Buffer);
                (whole, length) = (joined, length + chunk.Length);
            }

            return new FileChunk(whole, length, first.FirstLine, IsArray: true);
        }

        private ParsedChunk Parse(FileChunk chunk)
        {
            LineParser parser = _parsers.TryTake(out LineParser? idle) ? idle
                : new LineParser(options.Format, _columns, options.Constants);
            ParsedChunk parsed = parser.Parse(chunk);
            _parsers.Add(parser);
            ArrayPool<byte>.Shared.Return(chunk.Buffer);
            return parsed;
        }

        // Takes the byte order mark and, in CSV, the header off the first chunk.
        private FileChunk TakeHeader(FileChunk chunk)
        {
            ReadOnlySpan<byte> text = chunk.Buffer.AsSpan(0, chunk.Length);
            int start = text.StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
            long line = chunk.FirstLine;
            if (options.Format == ImportFormat.Csv)
            {
                int end = options.Mapping!.HasHeader ? CsvRow.FindRowEnd(text[start..]) : 0;
                end = end == 0 && options.Mapping.HasHeader ? text.Length - start : end;
                ReadOnlySpan<byte> header = text.Slice(start, end);
                if (!CsvColumns.TryBind(options.Mapping, header.TrimEnd("\r\n"u8), out _columns, out string? fault))
                {
                    throw new ImportException($"{file}: {fault}.");
                }

                start += end;
                line += header.Count((byte)'\n');
            }

            text[start..].CopyTo(chunk.Buffer);
            return new FileChunk(chunk.Buffer, chunk.Length - start, line);
        }
    }

    /// <summary>Refused lines as JSON lines; the file is made with the first.</summary>
    private sealed class RejectFile : IDisposable
    {
        private static readonly JsonWriterOptions Readable =
            new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

        private readonly string _input;
        private FileStream? _file;

        internal RejectFile(string path, string input) => (Path, _input) = (path, input);

        internal string Path { get; }

        internal bool IsWritten => _file is not null;

        internal void Write(RejectedLine reject)
        {
            _file ??= new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 1 << 16);
            using (var writer = new Utf8JsonWriter(_file, Readable))
            {
                writer.WriteStartObject();
                writer.WriteString("file", _input);
                writer.WriteNumber("line", reject.Line);
                writer.WriteString("code", reject.Fault.CodeName);
                writer.WriteString("field", reject.Fault.Field ?? "");
                writer.WriteString("reason", reject.Fault.Reason);
                writer.WriteString("text", reject.Text);
                writer.WriteEndObject();
            }

            _file.WriteByte((byte)'\n');
        }

        public void Dispose() => _file?.Dispose();
    }
}
