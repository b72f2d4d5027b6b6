using System.Diagnostics;
using Ciyuan.Server.Gateway;

namespace Ciyuan.Server.Watch;

/// <summary>Everything that looks at calls from outside: live watchers, traces and metrics, and the content of the
/// scenarios of which it is kept. Nothing of it holds up a call.</summary>
internal sealed class GatewayWatch : IAsyncDisposable
{
    private readonly GatewayTelemetry _telemetry = new();
    private readonly OtlpExport? _export;
    private readonly ContentLog? _content;

    internal GatewayWatch(ServerOptions options)
    {
        _export = OtlpExport.Start(options.Otlp, options.Environment);
        _content = options.Content is { } content ? new ContentLog(content, options.Shard.Folder) : null;
    }

    /// <summary>Live watchers.</summary>
    internal LiveCalls Live { get; } = new();

    /// <summary>Begins the trace of a call.</summary>
    internal Activity? Begin(Call call) => _telemetry.Begin(call);

    /// <summary>Whether the content of a call is kept.</summary>
    internal bool KeepsContent(Call call) => _content?.Keeps(call.Scenario) == true;

    /// <summary>Keeps the content of a call.</summary>
    internal void Keep(Call call, ReadOnlySpan<byte> answer) => _content?.Keep(call, answer);

    /// <summary>Tells what became of a call.</summary>
    internal void End(Activity? trace, Call call, GatewayRefusal? refusal)
    {
        if (trace is null && !Live.IsWatched && !_telemetry.IsListened)
        {
            return;
        }

        var view = new CallView(call, call.Record, refusal);
        _telemetry.End(trace, view);
        Live.Tell(view);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _export?.Dispose();
        _telemetry.Dispose();
        if (_content is not null)
        {
            await _content.DisposeAsync();
        }
    }
}
