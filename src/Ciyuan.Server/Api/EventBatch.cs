using Ciyuan.Server.Ingest;
using Ciyuan.Usage;

namespace Ciyuan.Server.Api;

/// <summary>How a body holds its events.</summary>
internal enum EventFormat
{
    /// <summary>A usage record, or an array of them.</summary>
    Usage,

    /// <summary>A usage record on each line.</summary>
    UsageLines,

    /// <summary>One CloudEvent.</summary>
    CloudEvent,

    /// <summary>An array of CloudEvents.</summary>
    CloudEventBatch,

    /// <summary>A provider's raw response in its envelope, or an array of them.</summary>
    Response,

    /// <summary>A provider's raw response in its envelope on each line.</summary>
    ResponseLines,
}

/// <summary>The events of one request: the records that were read, and why the others were not. Kept and used again,
/// since its readers remember names and contexts. For one request at a time.</summary>
internal sealed class EventBatch
{
    /// <summary>Most places kept in the lists between requests: a large batch must not hold memory for good.</summary>
    private const int KeptCapacity = 8_192;

    private readonly UsageJson _usage = new();
    private readonly CloudEvents _cloudEvents = new();
    private readonly ResponseJson _responses = new(ResponseConstants.None);
    private readonly List<UsageRecord> _ofOneEvent = [];
    private readonly List<UsageRecord> _furtherRecords = [];
    private readonly List<Range> _elements = [];

    /// <summary>The records that were read, in order.</summary>
    internal List<UsageRecord> Records { get; } = [];

    /// <summary>For each event in order: why it was refused; null when it stands in <see cref="Records"/>.</summary>
    internal List<string?> Faults { get; } = [];

    /// <summary>True when the body was one event rather than a batch of one.</summary>
    internal bool IsSingle { get; private set; }

    // Step 4 Record
    /// <summary>Reads a body. Events that are refused don't keep the others from being read.</summary>
    /// <returns>Why nothing at all can be taken; null when the events were read.</returns>
    internal Problem? Read(ReadOnlySpan<byte> body, EventFormat format)
    {
        IsSingle = format == EventFormat.CloudEvent
            || (format is EventFormat.Usage or EventFormat.Response && !JsonBatch.IsArray(body));
        if (format is EventFormat.UsageLines or EventFormat.ResponseLines)
        {
            SplitLines(body);
        }
        else if (IsSingle)
        {
            _elements.Add(0..body.Length);
        }
        else if (!JsonBatch.TrySplit(
            body, ServerLimits.Events, _elements, out IngestFault fault,
            format == EventFormat.Response ? ResponseJson.MaxDepth + 1 : JsonBatch.EventsDepth))
        {
            return fault.Code == IngestCode.TooLong
                ? Problems.TooManyEvents
                : Problems.Malformed($"Event {_elements.Count}, or what is around it, {fault.Message}. None was "
                    + "taken.");
        }

        if (_elements.Count > ServerLimits.Events)
        {
            return Problems.TooManyEvents;
        }

        foreach (Range element in _elements)
        {
            Take(body[element], format);
        }

        // After the results of all events, so that each event's index stays its own.
        Records.AddRange(_furtherRecords);
        Faults.AddRange(_furtherRecords.Select(_ => (string?)null));
        IsSingle &= _furtherRecords.Count == 0;
        return null;
    }

    /// <summary>Makes it ready for the next request.</summary>
    internal void Clear()
    {
        Clear(_elements);
        Clear(Records);
        Clear(_furtherRecords);
        Clear(Faults);
    }

    private void Take(ReadOnlySpan<byte> json, EventFormat format)
    {
        UsageRecord? record;
        IngestFault fault;
        bool read = format switch
        {
            // An event without a time would get another one each time it is sent, and so conflict with itself: it is
            // refused.
            EventFormat.CloudEvent or EventFormat.CloudEventBatch =>
                _cloudEvents.TryParse(json, received: null, out record, out fault),
            EventFormat.Response or EventFormat.ResponseLines => TryReadResponse(json, out record, out fault),
            _ => _usage.TryParse(json, out record, out fault),
        };
        if (read)
        {
            Records.Add(record!);
            Faults.Add(null);
        }
        else
        {
            Faults.Add(fault.Message);
        }
    }

    private bool TryReadResponse(ReadOnlySpan<byte> json, out UsageRecord? record, out IngestFault fault)
    {
        _ofOneEvent.Clear();
        bool read = _responses.TryParse(json, _ofOneEvent, out fault);
        record = read ? _ofOneEvent[0] : null;
        _furtherRecords.AddRange(_ofOneEvent.Skip(1));
        return read;
    }

    private void SplitLines(ReadOnlySpan<byte> body)
    {
        for (int start = 0; start < body.Length && _elements.Count <= ServerLimits.Events;)
        {
            int length = body[start..].IndexOf((byte)'\n');
            int end = length < 0 ? body.Length : start + length;
            if (!body[start..end].Trim(" \t\r"u8).IsEmpty)
            {
                _elements.Add(start..end);
            }

            start = end + 1;
        }
    }

    private static void Clear<T>(List<T> list)
    {
        list.Clear();
        if (list.Capacity > KeptCapacity)
        {
            list.Capacity = KeptCapacity;
        }
    }
}
