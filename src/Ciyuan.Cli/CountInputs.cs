namespace Ciyuan.Cli;

/// <summary>What became of a file. Checked in this order.</summary>
internal enum CountStatus
{
    /// <summary>Its text was counted.</summary>
    Text,

    /// <summary>It is an image, sound or video, and was counted by its model's rule.</summary>
    Media,

    /// <summary>It is neither, and was left out.</summary>
    Binary,

    /// <summary>It could not be read; why is in <see cref="CountedFile.Remark"/>.</summary>
    Unreadable,
}

/// <summary>One file, and what was counted in it. Parts of a file may be added from several threads.</summary>
internal sealed class CountedFile(string path, long bytes)
{
    /// <summary>The most rejected lines that are told one by one; all are counted.</summary>
    internal const int MaxRejects = 1000;

    private readonly Lock _lock = new();
    private readonly List<RejectedLine> _rejects = [];
    private long[] _tokens = [];
    private long[] _code = [];

    /// <summary>The path as found, or - for standard input.</summary>
    internal string Path { get; } = path;

    /// <summary>Its size; -1 while it is not known.</summary>
    internal long Bytes { get; set; } = bytes;

    internal CountStatus Status { get; set; }

    /// <summary>Why it was left out, or by which rule it was counted.</summary>
    internal string Remark { get; set; } = "";

    /// <summary>What its tokens are: text, image, audio, video or document.</summary>
    internal string Modality { get; set; } = "text";

    /// <summary>Whether columns of it are counted, and not the whole.</summary>
    internal bool IsByColumn { get; set; }

    /// <summary>Lines that could not be read, and are in no count.</summary>
    internal long Rejected { get; private set; }

    /// <summary>The first of them, in order.</summary>
    internal IEnumerable<RejectedLine> Rejects => _rejects.OrderBy(line => line.Number).Take(MaxRejects);

    /// <summary>Rows of data; 0 for other files.</summary>
    internal long Rows { get; private set; }

    /// <summary>Rows without the column, and parts of messages that are no text.</summary>
    internal long Skipped { get; private set; }

    /// <summary>Tokens by column of the result; all zero when nothing was counted.</summary>
    internal long TokensOf(int choice) => choice < _tokens.Length ? _tokens[choice] : 0;

    /// <summary>Of these, tokens of code.</summary>
    internal long CodeOf(int choice) => choice < _code.Length ? _code[choice] : 0;

    /// <summary>Takes note of lines that could not be read.</summary>
    internal void Reject(IReadOnlyList<RejectedLine> lines, long number)
    {
        lock (_lock)
        {
            Rejected += number;
            _rejects.AddRange(lines);
        }
    }

    /// <summary>Adds the counts of a part.</summary>
    internal void Add(ReadOnlySpan<long> tokens, ReadOnlySpan<long> code, long rows, long skipped)
    {
        lock (_lock)
        {
            _tokens = _tokens.Length == 0 ? new long[tokens.Length] : _tokens;
            _code = _code.Length == 0 ? new long[tokens.Length] : _code;
            for (int i = 0; i < tokens.Length; i++)
            {
                _tokens[i] += tokens[i];
                _code[i] += code.IsEmpty ? 0 : code[i];
            }

            Rows += rows;
            Skipped += skipped;
        }
    }
}

/// <summary>A line that could not be read.</summary>
/// <param name="Number">Its number, from 1 on.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct RejectedLine(long Number, string Reason);

/// <summary>Finds the files that paths mean.</summary>
internal static class CountInputs
{
    internal const string StandardInput = "-";

    /// <summary>Folders of version control, which nobody means.</summary>
    private static readonly HashSet<string> LeftOut = [".git", ".hg", ".svn"];

    private static readonly EnumerationOptions Below = new()
    {
        AttributesToSkip = FileAttributes.ReparsePoint, // links may go round in circles, and count twice
        IgnoreInaccessible = false,
    };

    /// <summary>The files of folders in order of their names; a path that is not there is refused.</summary>
    internal static IEnumerable<CountedFile> Find(IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            if (path == StandardInput)
            {
                yield return new CountedFile(path, -1);
            }
            else if (File.Exists(path))
            {
                yield return new CountedFile(path, new FileInfo(path).Length);
            }
            else if (Directory.Exists(path))
            {
                foreach (CountedFile file in FindBelow(new DirectoryInfo(path)))
                {
                    yield return file;
                }
            }
            else
            {
                throw new RefusedException($"{path} is not there.");
            }
        }
    }

    private static IEnumerable<CountedFile> FindBelow(DirectoryInfo folder)
    {
        foreach (FileSystemInfo item in folder.EnumerateFileSystemInfos("*", Below)
            .OrderBy(item => item.Name, StringComparer.Ordinal))
        {
            if (item is DirectoryInfo inner)
            {
                foreach (CountedFile file in LeftOut.Contains(inner.Name) ? [] : FindBelow(inner))
                {
                    yield return file;
                }
            }
            else if (item is FileInfo file)
            {
                yield return new CountedFile(Path.GetRelativePath(".", file.FullName), file.Length);
            }
        }
    }
}
