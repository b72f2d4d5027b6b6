using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Ciyuan.Server.Watch;

/// <summary>Sends traces and metrics to a collector by OTLP. Off unless an address is given, by option or by the usual
/// variable; a collector that is slow or gone costs calls nothing: what does not fit its queue is dropped.</summary>
internal sealed class OtlpExport : IDisposable
{
    /// <summary>The variable by which a collector is usually named.</summary>
    internal const string Variable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";

    private const string Service = "ciyuan";

    // Powers of four from one token, as the conventions ask for; seconds likewise.
    private static readonly double[] TokenBounds =
        [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

    private static readonly double[] SecondBounds =
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

    private static ExplicitBucketHistogramConfiguration Seconds => new() { Boundaries = SecondBounds };

    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    private OtlpExport(Uri? endpoint)
    {
        ResourceBuilder resource = ResourceBuilder.CreateDefault().AddService(Service);
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(GatewayTelemetry.Name)
            .AddOtlpExporter(o => Point(o, endpoint, "v1/traces")).Build();
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(GatewayTelemetry.Name)
            .AddView("gen_ai.client.token.usage", new ExplicitBucketHistogramConfiguration { Boundaries = TokenBounds })
            .AddView("gen_ai.client.operation.duration", Seconds)
            .AddView("gen_ai.server.time_to_first_token", Seconds)
            .AddOtlpExporter(o => Point(o, endpoint, "v1/metrics")).Build();
    }

    /// <summary>Starts; null when no collector is named.</summary>
    /// <param name="endpoint">A collector of OTLP over HTTP; null: what the environment says, if anything.</param>
    /// <param name="environment">Reads an environment variable.</param>
    internal static OtlpExport? Start(Uri? endpoint, Func<string, string?> environment)
    {
        string? named = environment(Variable);
        // Another protocol than the one of the conventions' choice is for the exporter to read.
        bool overHttp = environment(ProtocolVariable) is null or "" or "http/protobuf";
        endpoint ??= overHttp && Uri.TryCreate(named, UriKind.Absolute, out Uri? url) ? url : null;
        return endpoint is null && string.IsNullOrEmpty(named) ? null : new OtlpExport(endpoint);
    }

    /// <summary>Sends what is left, for at most some seconds.</summary>
    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }

    // What the environment says is read by the exporter itself.
    private static void Point(OtlpExporterOptions options, Uri? endpoint, string path)
    {
        if (endpoint is not null)
        {
            options.Protocol = OtlpExportProtocol.HttpProtobuf;
            options.Endpoint = new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/" + path);
        }
    }
}
