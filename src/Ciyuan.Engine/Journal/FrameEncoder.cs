using System.Runtime.CompilerServices;
using System.Text.Json;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>
/// Writes frames as bytes (docs/FORMATS.md, "Frame body"). What many commands share (texts, contexts, accounts, rates)
/// is written once, in tables before the commands. Reusable; not for several threads at once.
/// </summary>
public sealed partial class FrameEncoder
{
    private readonly ByteWriter _commands = new();
    private readonly ByteWriter _tables = new();
    private readonly ByteWriter _output = new();
    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<UsageContext, int> _contexts = [];
    private readonly Dictionary<AccountName, int> _accounts = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Rate, int> _rates = [];
    private readonly List<string> _textList = [];
    private UsageContext? _lastContext;
    private int _lastContextIndex;

    /// <summary>The frame's body; the span is valid until the next call.</summary>
    public ReadOnlySpan<byte> Encode(Frame frame)
    {
        Reset();
        WriteExpiries(frame.Expiries);
        WriteSetups(frame);
        WriteGroups(frame);
        WriteCorrections(frame);
        WriteRecords(frame);
        byte version = VersionOf(frame);
        if (version >= FrameDecoder.VersionWithSettlement)
        {
            WriteSettlements(frame);
        }

        WriteTables();
        _output.Byte(version);
        _output.Byte(frame.IdKey is null ? (byte)0 : (byte)1);
        _output.Raw(frame.IdKey);
        _output.Count(_textList.Count);
        foreach (string text in _textList)
        {
            _output.Text(text);
        }

        _output.Raw(_tables.Written);
        _output.Raw(_commands.Written);
        return _output.Written;
    }

    /// <summary>The earliest version that can say what the frame has.</summary>
    private static byte VersionOf(Frame frame) =>
        frame.Corrections.Any(c => c.Mode.IsByRate()) ? FrameDecoder.VersionByRate
        : frame.Settlements.Count > 0 ? FrameDecoder.VersionWithSettlement
        : frame.Corrections.Any(c => c.Mode.IsGrouped()) ? FrameDecoder.VersionWithGroups
        : FrameDecoder.Version;

    private void Reset()
    {
        _commands.Clear();
        _tables.Clear();
        _output.Clear();
        _texts.Clear();
        _textList.Clear();
        _contexts.Clear();
        _accounts.Clear();
        _rates.Clear();
        _lastContext = null;
    }

    private void WriteTables()
    {
        _tables.Count(_contexts.Count);
        foreach (UsageContext context in _contexts.Keys)
        {
            for (int part = 0; part < UsageContext.Parts; part++)
            {
                _tables.Count(TextIndex(context[part]));
            }
        }

        _tables.Count(_accounts.Count);
        foreach (AccountName account in _accounts.Keys)
        {
            _tables.Count(TextIndex(account.Path));
            _tables.Count(TextIndex(account.Currency.ToString()));
        }

        _tables.Count(_rates.Count);
        foreach (Rate rate in _rates.Keys)
        {
            WriteRate(rate);
        }
    }

    private void WriteRate(Rate rate)
    {
        _tables.Byte((byte)rate.Method);
        _tables.Byte((byte)rate.Side);
        _tables.Byte((byte)rate.Reason);
        _tables.Count(TextIndex(rate.Agreement));
        _tables.Count(TextIndex(rate.Payer));
        _tables.Count(TextIndex(rate.Payee));
        _tables.Count(TextIndex(rate.Currency.ToString()));
        _tables.Count(TextIndex(rate.Book));
        _tables.Count(rate.Version);
        _tables.Count(TextIndex(rate.Model));
        _tables.Count(rate.Prices.Length);
        foreach (MeterPrice price in rate.Prices)
        {
            _tables.Count(price.Meters.Value);
            _tables.ZigZag(price.PerStep.Pico);
        }

        _tables.ZigZag(rate.PerCall.Pico);
        _tables.Count(TextIndex(rate.ShareOf));
        _tables.Count(rate.SharePpm);
        if (rate.Method == RateMethod.Formula)
        {
            FormulaCodec.Write(_tables, rate.Formula!, TextIndex);
        }
    }

    private void WriteExpiries(IReadOnlyList<Expiry> expiries)
    {
        _commands.Count(expiries.Count);
        foreach (Expiry expiry in expiries)
        {
            _commands.Fixed128(expiry.Hold);
            _commands.Count(expiry.Account is null ? 0 : 1 + AccountIndex(expiry.Account));
            WritePostings(expiry.Postings);
        }
    }

    private void WriteSetups(Frame frame)
    {
        _commands.Count(frame.Setups.Count);
        for (int i = 0; i < frame.Setups.Count; i++)
        {
            _commands.Text(JsonSerializer.Serialize(frame.Setups[i], SetupJson.Default.Setup));
        }
    }

    private void WriteGroups(Frame frame)
    {
        _commands.Count(frame.Groups.Count);
        for (int i = 0; i < frame.Groups.Count; i++)
        {
            LedgerGroup group = frame.Groups[i];
            _commands.Count(TextIndex(group.Source));
            _commands.Text(group.Id);
            _commands.ZigZag(group.EventTime.UnixNanoseconds);
            _commands.Text(group.Memo);
            _commands.Count(group.Operations.Count);
            foreach (LedgerOperation operation in group.Operations)
            {
                WriteOperation(operation);
            }

            GroupResult result = frame.GroupResults[i];
            _commands.Byte((byte)result.Status);
            _commands.Count(result.FailedOperation + 1);
            WritePostings(result.Postings);
        }
    }

    private void WriteOperation(LedgerOperation operation)
    {
        switch (operation)
        {
            case PostTransfer post:
                _commands.Byte(FrameDecoder.PostOperation);
                _commands.Text(post.Debit);
                _commands.Text(post.Credit);
                _commands.Text(post.Currency.ToString());
                _commands.ZigZag(post.Amount.Pico);
                break;
            case PlaceHold place:
                _commands.Byte(FrameDecoder.HoldOperation);
                _commands.Text(place.Hold);
                _commands.Text(place.Party);
                _commands.Text(place.Currency.ToString());
                _commands.ZigZag(place.Amount.Pico);
                _commands.ZigZag(place.Expires.UnixNanoseconds);
                break;
            case SettleHold settle:
                _commands.Byte(FrameDecoder.SettleOperation);
                _commands.Text(settle.Hold);
                _commands.Text(settle.Credit);
                _commands.ZigZag(settle.Amount.Pico);
                _commands.ZigZag(settle.OverrunLimit.Pico);
                break;
            case ReleaseHold release:
                _commands.Byte(FrameDecoder.ReleaseOperation);
                _commands.Text(release.Hold);
                break;
            case ReverseGroup reverse:
                _commands.Byte(FrameDecoder.ReverseOperation);
                _commands.Text(reverse.Group);
                break;
            default:
                throw new InvalidOperationException($"No form for {operation.GetType().Name}.");
        }
    }

    private void WriteRecords(Frame frame)
    {
        _commands.Count(frame.Records.Count);
        Timestamp time = frame.Time;
        for (int i = 0; i < frame.Records.Count; i++)
        {
            UsageRecord record = frame.Records[i];
            WriteRecord(record, time);
            time = record.EventTime;
            UsageResult result = frame.RecordResults[i];
            _commands.Byte((byte)result.Status);
            _commands.Byte((byte)result.Remarks);
            WriteCharges(result.Charges, result.Postings);
        }
    }

    private void WriteRecord(UsageRecord record, Timestamp previous)
    {
        _commands.Count(ContextIndex(record.Context));
        _commands.Text(record.Id);
        // The difference of two times may exceed 64 bits; it wraps here and wraps back when read.
        _commands.ZigZag(unchecked(record.EventTime.UnixNanoseconds - previous.UnixNanoseconds));
        _commands.Byte((byte)((int)record.Outcome
            | (record.LatencyMs is null ? 0 : FrameDecoder.HasLatency)
            | (record.Tags.Length == 0 ? 0 : FrameDecoder.HasTags)
            | (record.Hold.Length == 0 ? 0 : FrameDecoder.HasHold)));
        if (record.LatencyMs is { } latency)
        {
            _commands.Count(latency);
        }

        WriteCounts(record.Counts);
        if (record.Tags.Length > 0)
        {
            _commands.Count(record.Tags.Length);
            foreach (Tag tag in record.Tags)
            {
                _commands.Count(TextIndex(tag.Name));
                _commands.Text(tag.Value);
            }
        }

        if (record.Hold.Length > 0)
        {
            _commands.Text(record.Hold);
        }
    }

    private void WriteCounts(ReadOnlySpan<Count> counts)
    {
        _commands.Count(counts.Length);
        foreach (Count count in counts)
        {
            _commands.Count((count.Meter.Value << 3) | (int)count.Grade);
            _commands.Varint((ulong)count.Steps);
        }
    }

    private void WriteCharges(Charge[] charges, Posting[] postings)
    {
        _commands.Count(charges.Length);
        int next = 0;
        foreach (ref readonly Charge charge in charges.AsSpan())
        {
            bool plain = charge.PostingCount == 1 && postings[next].Amount.Pico == Int128.Abs(charge.Amount.Pico);
            _commands.Count(RateIndex(charge.Rate));
            _commands.ZigZag(charge.Amount.Pico);
            _commands.Count((charge.PostingCount << 2) | (charge.Covered is null ? 0 : 2) | (plain ? 1 : 0));
            if (charge.Covered is not null)
            {
                WriteCounts(charge.Covered);
            }

            foreach (Int128 before in charge.Before ?? [])
            {
                _commands.ZigZag(before);
            }

            for (int i = 0; i < charge.PostingCount; i++)
            {
                WritePosting(postings[next++], withAmount: !plain);
            }
        }
    }

    private void WritePostings(Posting[] postings)
    {
        _commands.Count(postings.Length);
        foreach (Posting posting in postings)
        {
            WritePosting(posting, withAmount: true);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WritePosting(in Posting posting, bool withAmount)
    {
        _commands.Count(AccountIndex(posting.Debit));
        _commands.Count(AccountIndex(posting.Credit));
        if (withAmount)
        {
            _commands.ZigZag(posting.Amount.Pico);
        }
    }

    private int TextIndex(string text)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        if (!_texts.TryGetValue(text, out int index))
        {
            _textList.Add(text);
            index = _textList.Count; // 0 stands for the empty text
            _texts.Add(text, index);
        }

        return index;
    }

    private int ContextIndex(UsageContext context)
    {
        if (ReferenceEquals(context, _lastContext))
        {
            return _lastContextIndex;
        }

        if (!_contexts.TryGetValue(context, out int index))
        {
            index = _contexts.Count;
            _contexts.Add(context, index);
        }

        (_lastContext, _lastContextIndex) = (context, index);
        return index;
    }

    private int AccountIndex(AccountName account)
    {
        if (!_accounts.TryGetValue(account, out int index))
        {
            index = _accounts.Count;
            _accounts.Add(account, index);
        }

        return index;
    }

    private int RateIndex(Rate rate)
    {
        if (!_rates.TryGetValue(rate, out int index))
        {
            index = _rates.Count;
            _rates.Add(rate, index);
        }

        return index;
    }
}
