using System.Buffers;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Takes out of a stream the one event that the client did not ask for: OpenAI's chunk with the usage alone. All other
/// bytes pass as they are, an event at a time.
/// </summary>
internal sealed class SseFilter : IEventPass
{
    private readonly ArrayBufferWriter<byte> _pending = new(256);
    private readonly ArrayBufferWriter<byte> _output = new(1_024);
    private bool _takesLineFeed;

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Pass(ReadOnlySpan<byte> input, SseReader events, CallCounter counter)
    {
        _output.ResetWrittenCount();
        ReadOnlySpan<byte> rest = input;
        // The end of what was taken out goes with it.
        int from = _takesLineFeed && input.StartsWith("\n"u8) ? 1 : 0;
        _takesLineFeed &= input.IsEmpty;
        while (events.TryRead(ref rest, out ReadOnlySpan<byte> data))
        {
            int to = input.Length - rest.Length;
            to += events.AwaitsLineFeed && rest.StartsWith("\n"u8) ? 1 : 0;
            if (IsUsageAlone(data))
            {
                _takesLineFeed = events.AwaitsLineFeed && rest.IsEmpty;
            }
            else
            {
                _output.Write(_pending.WrittenSpan);
                _output.Write(input[from..to]);
            }

            counter.AddEvent(data);
            _pending.ResetWrittenCount();
            from = to;
        }

        _pending.Write(input[from..]);
        if (events.IsBetween || _pending.WrittenCount > GatewayLimits.EventBytes)
        {
            // A comment that keeps the connection alive, or longer than any usage: it goes on as it comes.
            End();
        }

        return _output.WrittenMemory;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Rest()
    {
        _output.ResetWrittenCount();
        End();
        return _output.WrittenMemory;
    }

    /// <summary>Whether an event is the chunk with the usage alone: no choices, and a usage that is an
    /// object.</summary>
    internal static bool IsUsageAlone(ReadOnlySpan<byte> data)
    {
        if (data.IndexOf("\"usage\""u8) < 0)
        {
            return false;
        }

        try
        {
            var json = new System.Text.Json.Utf8JsonReader(data);
            bool noChoices = false;
            bool usage = false;
            while (json.Read())
            {
                if (json.CurrentDepth == 1 && json.TokenType == System.Text.Json.JsonTokenType.PropertyName)
                {
                    bool isChoices = json.ValueTextEquals("choices"u8);
                    bool isUsage = json.ValueTextEquals("usage"u8);
                    _ = json.Read();
                    usage |= isUsage && json.TokenType == System.Text.Json.JsonTokenType.StartObject;
                    if (isChoices)
                    {
                        noChoices = json.TokenType == System.Text.Json.JsonTokenType.StartArray && json.Read()
                            && json.TokenType == System.Text.Json.JsonTokenType.EndArray;
                    }
                }
            }

            return noChoices && usage;
        }
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }

    private void End()
    {
        _output.Write(_pending.WrittenSpan);
        _pending.ResetWrittenCount();
    }
}
