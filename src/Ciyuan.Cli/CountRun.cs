using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Threading.Channels;
using Ciyuan.Tokens;
using Ciyuan.Tokens.Prose;

namespace Ciyuan.Cli;

/// <summary>
/// Counts files. One reader hands out work, as many workers as there are threads take it: a file of text as a whole, or
/// a few megabytes of rows. Memory does not grow with the size of a file, for what waits is bounded.
/// </summary>
internal sealed class CountRun(CountPlan plan, List<CountedFile> files)
{
    /// <summary>
    /// Rows are handed out in parts of at least so many bytes: long enough that handing out costs nothing.
    /// </summary>
    private const int PartBytes = 1 << 22;

    /// <summary>The longest row: 256 MiB, far beyond any context.</summary>
    private const int MaxRowBytes = 1 << 28;

    /// <summary>Text from standard input, and text that is told apart, is held in memory: at most 1 GiB.</summary>
    private const int MaxHeldBytes = 1 << 30;

    /// <summary>
    /// A text as large as this is counted on several cores by itself: 4 MiB take some hundredths of a second.
    /// </summary>
    private const int ParallelBytes = 1 << 22;

    /// <summary>How much of a text is counted as one span: 1 GiB.</summary>
    private const int WindowBytes = 1 << 30;

    private long _doneBytes;
    private int _doneFiles;

    internal int Files => files.Count;

    internal long KnownBytes { get; } = files.Sum(file => Math.Max(0, file.Bytes));

    internal bool HasUnknownSize { get; } = files.Exists(file => file.Bytes < 0);

    internal long DoneBytes => Interlocked.Read(ref _doneBytes);

    internal int DoneFiles => Volatile.Read(ref _doneFiles);

    internal async Task RunAsync(CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Channel<Action> work = Channel.CreateBounded<Action>(plan.Threads * 2);
        Task[] workers =
            [.. Enumerable.Range(0, plan.Threads).Select(_ => Task.Run(() => WorkAsync(work, stop), cancel))];
        try
        {
            foreach (CountedFile file in files)
            {
                stop.Token.ThrowIfCancellationRequested();
                file.IsByColumn = IsParquet(file) || IsRows(file);
                if (IsParquet(file))
                {
                    await Guarded(file, () => HandOutParquetAsync(file, work.Writer, stop.Token));
                    Interlocked.Increment(ref _doneFiles);
                }
                else if (file.IsByColumn)
                {
                    await Guarded(file, () => HandOutRowsAsync(file, work.Writer, stop.Token));
                }
                else
                {
                    await work.Writer.WriteAsync(() => CountWhole(file), stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // a worker failed and stopped everything; its failure is told below
        }
        finally
        {
            work.Writer.TryComplete();
        }

        await Task.WhenAll(workers);
        cancel.ThrowIfCancellationRequested();
    }

    private static async Task WorkAsync(Channel<Action> work, CancellationTokenSource stop)
    {
        try
        {
            await foreach (Action part in work.Reader.ReadAllAsync(stop.Token))
            {
                part();
            }
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }

    private bool IsParquet(CountedFile file) => plan.Columns.Length > 0
        && string.Equals(Path.GetExtension(file.Path), ".parquet", StringComparison.OrdinalIgnoreCase);

    private bool IsRows(CountedFile file) => plan.Columns.Length > 0 && RowForm(file) is not null;

    private string? RowForm(CountedFile file) => plan.Form != "auto" ? plan.Form
        : Path.GetExtension(file.Path).ToLowerInvariant() switch
        {
            ".jsonl" or ".ndjson" => "jsonl",
            ".csv" => "csv",
            _ => file.Path == CountInputs.StandardInput ? "jsonl" : null,
        };

    private async Task HandOutRowsAsync(CountedFile file, ChannelWriter<Action> work, CancellationToken cancel)
    {
        bool isCsv = RowForm(file) == "csv";
        await using Stream stream = file.Path == CountInputs.StandardInput
            ? Console.OpenStandardInput()
            : new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
        var parts = new RowParts(stream, isCsv, PartBytes, MaxRowBytes);
        CsvHeader? header = null;
        long total = 0;
        long lines = 1;
        while (await parts.NextAsync(cancel) is { } part)
        {
            total += part.Length;
            long firstLine = lines;
            lines += part.Span.Count((byte)'\n');
            int skip = 0;
            if (isCsv && header is null)
            {
                header = CsvHeader.Read(part.Span, plan.Columns, out skip);
            }

            CsvHeader? columns = header;
            await work.WriteAsync(() => CountPart(file, part, skip, columns, firstLine), cancel);
        }

        file.Bytes = total;
        Interlocked.Increment(ref _doneFiles);
    }

    private async Task HandOutParquetAsync(CountedFile file, ChannelWriter<Action> work, CancellationToken cancel)
    {
        await using ParquetTexts texts = await ParquetTexts.OpenAsync(file.Path, plan.Columns, cancel);
        for (int group = 0; group < texts.Groups; group++)
        {
            (long rows, List<ParquetColumn> columns) = await texts.ReadAsync(group, cancel);
            file.Add([], [], rows, 0);
            long done = (file.Bytes * (group + 1) / texts.Groups) - (file.Bytes * group / texts.Groups);
            await work.WriteAsync(() => CountColumns(file, columns, done), cancel);
        }
    }

    private void CountColumns(CountedFile file, List<ParquetColumn> columns, long bytes)
    {
        using var rows = new RowCounter(plan);
        foreach (ParquetColumn column in columns)
        {
            foreach (ReadOnlyMemory<char> text in column.Texts)
            {
                rows.CountText(text.Span);
            }

            column.Dispose();
        }

        file.Add(rows.Tokens, rows.Code, 0, rows.Skipped);
        Interlocked.Add(ref _doneBytes, bytes);
    }

    private void CountPart(CountedFile file, RowPart part, int skip, CsvHeader? header, long firstLine)
    {
        try
        {
            CountRows(file, part.Span[skip..], header, firstLine + part.Span[..skip].Count((byte)'\n'));
        }
        finally
        {
            Interlocked.Add(ref _doneBytes, part.Length);
            part.Return();
        }
    }

    private void CountRows(CountedFile file, ReadOnlySpan<byte> part, CsvHeader? header, long firstLine)
    {
        using var rows = new RowCounter(plan);
        if (header is null)
        {
            rows.CountJsonLines(part, firstLine);
        }
        else
        {
            rows.CountCsv(part, header, firstLine);
        }

        file.Add(rows.Tokens, rows.Code, rows.Rows, rows.Skipped);
        file.Reject(rows.Rejects, rows.Rejected);
    }

    private void CountWhole(CountedFile file)
    {
        Guarded(file, () =>
        {
            if (file.Path == CountInputs.StandardInput)
            {
                CountInput(file);
            }
            else if (file.Bytes > 0)
            {
                CountFile(file);
            }

            return Task.CompletedTask;
        }).GetAwaiter().GetResult();
        Interlocked.Add(ref _doneBytes, Math.Max(0, file.Bytes));
        Interlocked.Increment(ref _doneFiles);
    }

    /// <summary>A file that can't be read is told about; the others are counted all the same.</summary>
    private static async Task Guarded(CountedFile file, Func<Task> count)
    {
        try
        {
            await count();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or RefusedException)
        {
            (file.Status, file.Remark) = (CountStatus.Unreadable, problem.Message);
        }
    }

    private void CountInput(CountedFile file)
    {
        using var held = new MemoryStream();
        using Stream input = Console.OpenStandardInput();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        for (int read; (read = input.Read(buffer)) > 0; Interlocked.Add(ref _doneBytes, read))
        {
            held.Write(buffer, 0, read);
            if (held.Length > MaxHeldBytes)
            {
                throw new RefusedException($"standard input has more than {MaxHeldBytes} bytes: put it into a file.");
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        Interlocked.Add(ref _doneBytes, -held.Length); // told as a whole when it is counted
        file.Bytes = held.Length;
        ReadOnlySpan<byte> text = held.GetBuffer().AsSpan(0, (int)held.Length);
        if (CountMedia.IsText(file.Path, text[..Math.Min(text.Length, CountMedia.BeginningBytes)]))
        {
            CountText(file, text);
        }
        else
        {
            CountMedia.Count(plan, file, held);
        }
    }

    private unsafe void CountFile(CountedFile file)
    {
        using MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(
            file.Path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using MemoryMappedViewAccessor view = mapped.CreateViewAccessor(0, file.Bytes, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            start += view.PointerOffset;
            int beginning = (int)Math.Min(file.Bytes, CountMedia.BeginningBytes);
            if (!CountMedia.IsText(file.Path, new ReadOnlySpan<byte>(start, beginning)))
            {
                using FileStream content = File.OpenRead(file.Path);
                CountMedia.Count(plan, file, content);
            }
            else if (file.Bytes > WindowBytes)
            {
                CountWindows(file, start);
            }
            else
            {
                CountText(file, new ReadOnlySpan<byte>(start, (int)file.Bytes));
            }
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    /// <summary>
    /// A text beyond 1 GiB is counted window by window, cut where cutting changes no count; one that can't be cut, or
    /// is none further on, is told about.
    /// </summary>
    private unsafe void CountWindows(CountedFile file, byte* start)
    {
        if (plan.Prose || plan.Choices.Any(choice => !choice.Tokenizer.CanCut))
        {
            throw new RefusedException("the text has more than 1 GiB, and --prose or a vocabulary needs all of it at "
                + "once: cut the file, or count a --column.");
        }

        using var counter = new RowCounter(plan);
        for (long at = 0; at < file.Bytes;)
        {
            var window = new ReadOnlySpan<byte>(start + at, (int)Math.Min(WindowBytes, file.Bytes - at));
            if (CountMedia.HasZero(window))
            {
                throw new RefusedException($"behind byte {at} it is no text.");
            }

            int searched = Math.Min(window.Length, ParallelBytes);
            int cut = at + window.Length == file.Bytes ? searched : Tokenizer.LastCut(window[^searched..]);
            if (cut <= 0)
            {
                throw new RefusedException($"behind byte {at} it has no place where it can be cut.");
            }

            int length = window.Length - searched + cut;

            counter.CountText(window[..length], TextForm.Plain, plan.Threads);
            at += length;
            Interlocked.Add(ref _doneBytes, length);
        }

        Interlocked.Add(ref _doneBytes, -file.Bytes); // told as a whole when it is counted
        file.Add(counter.Tokens, counter.Code, 0, 0);
    }

    private void CountText(CountedFile file, ReadOnlySpan<byte> text)
    {
        TextForm form = FileKinds.Of(file.Path, text[..Math.Min(text.Length, 2)]);
        using var counter = new RowCounter(plan);
        counter.CountText(text, form, text.Length >= ParallelBytes ? plan.Threads : 1);
        file.Add(counter.Tokens, counter.Code, 0, 0);
    }
}
