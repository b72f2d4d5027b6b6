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
}

/// <summary>The events of one request: the records that were read, and why the others were not. Kept and used again,
/// since its readers remember names and contexts. For one request at a time.</summary>
internal sealed class EventBatch
{
    /// <summary>Most places kept in the lists between requests: a large batch must not hold memory for good.</summary>
    private const int KeptCapacity = 8_192;

    private readonly UsageJson _usage = new();
    private readonly CloudEvents _cloudEvents = new();
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
        IsSingle = format == EventFormat.CloudEvent || (format == EventFormat.Usage && !JsonBatch.IsArray(body));
        if (format == EventFormat.UsageLines)
        {
            SplitLines(body);
        }
        else if (IsSingle)
        {
            _elements.Add(0..body.Length);
        }
        else if (!JsonBatch.TrySplit(body, ServerLimits.Events, _elements, out IngestFault fault))
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

        bool cloud = format is EventFormat.CloudEvent or EventFormat.CloudEventBatch;
        foreach (Range element in _elements)
        {
            Take(body[element], cloud);
        }

        return null;
    }

    /// <summary>Makes it ready for the next request.</summary>
    internal void Clear()
    {
        Clear(_elements);
        Clear(Records);
        Clear(Faults);
    }

    private void Take(ReadOnlySpan<byte> json, bool cloud)
    {
        // An event without a time would get another one each time it is sent, and so conflict with itself: it is
        // refused.
        bool read = cloud
            ? _cloudEvents.TryParse(json, received: null, out UsageRecord? record, out IngestFault fault)
            : _usage.TryParse(json, out record, out fault);
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
