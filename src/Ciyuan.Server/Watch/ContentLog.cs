using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Gateway.Translation;

namespace Ciyuan.Server.Watch;

/// <summary>Of which scenarios what is said is kept, and for how long.</summary>
/// <param name="Scenarios">Names of scenarios; content of all others is never kept.</param>
/// <param name="Days">For how many days, counted in UTC, with the present one: 1 or more.</param>
public sealed record ContentOptions(IReadOnlyList<string> Scenarios, int Days);

/// <summary>
/// Keeps calls and answers of some scenarios, in files of the data folder, a line of JSON for each call and a file for
/// each day; whole days are deleted when they are over. A disk that is slow costs calls nothing: what does not fit the
/// queue is left out.
/// </summary>
internal sealed class ContentLog : IAsyncDisposable
{
    /// <summary>Folder in the data folder.</summary>
    internal const string Folder = "content";

    /// <summary>Most bytes kept of a call, and of an answer: 256 KiB each; what is longer is cut.</summary>
    internal const int MostBytes = 256 * 1024;

    /// <summary>Calls that wait to be written: 64 of at most 512 KiB, 32 MiB.</summary>
    private const int Waiting = 64;

    private readonly ContentOptions _options;
    private readonly string _folder;
    private readonly Channel<(DateTime Day, byte[] Line)> _lines =
        Channel.CreateBounded<(DateTime, byte[])>(new BoundedChannelOptions(Waiting)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.DropWrite,
        });

    private readonly Task _writing;

    internal ContentLog(ContentOptions options, string dataFolder)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Days, 1, nameof(options));
        _options = options;
        _folder = Path.Combine(dataFolder, Folder);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Whether the content of a scenario is kept.</summary>
    internal bool Keeps(string scenario) => scenario.Length > 0 && _options.Scenarios.Contains(scenario);

    /// <summary>Keeps a call.</summary>
    internal void Keep(Call call, ReadOnlySpan<byte> answer)
    {
        var line = new ArrayBufferWriter<byte>(1_024);
        using (var json = JsonText.Open(line))
        {
            json.WriteStartObject();
            json.WriteString("time", call.Start.ToString());
            json.WriteString("record", call.Id);
            json.WriteString("scenario", call.Scenario);
            WriteText(json, "call", call.Body.Span);
            WriteText(json, "answer", answer);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        _lines.Writer.TryWrite((call.Start.ToInstant().ToDateTimeUtc().Date, line.WrittenSpan.ToArray()));
    }

    /// <summary>Writes what waits.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
    }

    private static void WriteText(Utf8JsonWriter json, string name, ReadOnlySpan<byte> bytes) =>
        json.WriteString(name, Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MostBytes)]));

    private async Task WriteAsync()
    {
        DateTime deleted = DateTime.MinValue;
        await foreach ((DateTime day, byte[] line) in _lines.Reader.ReadAllAsync())
        {
            try
            {
                Directory.CreateDirectory(_folder);
                if (day > deleted)
                {
                    DeleteBefore(day.AddDays(1 - _options.Days));
                    deleted = day;
                }

                await File.AppendAllBytesAsync(PathOf(day), line);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Content is a help, not a record: the call itself is in the journal.
            }
        }
    }

    private void DeleteBefore(DateTime day)
    {
        foreach (string file in Directory.EnumerateFiles(_folder, "*.jsonl"))
        {
            if (string.CompareOrdinal(Path.GetFileName(file), Path.GetFileName(PathOf(day))) < 0)
            {
                File.Delete(file);
            }
        }
    }

    private string PathOf(DateTime day) => Path.Combine(
        _folder, day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) + ".jsonl");
}
