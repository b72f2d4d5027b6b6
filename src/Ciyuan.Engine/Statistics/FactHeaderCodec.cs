using System.Text;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>
/// Bytes of a segment's header. A layout of a projection: it changes together with <see cref="LayoutVersion"/>, and
/// older files are dropped and built anew from the journal.
/// </summary>
public static class FactHeaderCodec
{
    /// <summary>Version of the layout of headers and columns.</summary>
    public const int LayoutVersion = 3;

    /// <summary>Writes a header, with a checksum at its end.</summary>
    public static byte[] Encode(FactHeader header)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(header.FirstSeq);
        writer.Write(header.LastSeq);
        writer.Write(header.LastTime.UnixNanoseconds);
        writer.Write(header.Rows);
        writer.Write(header.Records);
        writer.Write(header.MinTime.UnixNanoseconds);
        writer.Write(header.MaxTime.UnixNanoseconds);
        WriteContexts(writer, header.Contexts);
        WriteList(writer, header.Rates, WriteRate);
        WriteList(writer, header.ChargeSums, (w, sum) => WriteInt128(w, sum.Pico));
        WriteList(writer, header.Plans, (w, plan) => WriteList(w, plan, WriteSlot));
        WriteList(writer, header.Types, WriteType);
        WriteList(writer, header.Accounts, (w, account) =>
        {
            w.Write(account.Path);
            w.Write(account.Currency.ToString());
        });
        WriteList(writer, header.Draws, (w, draw) =>
        {
            w.Write7BitEncodedInt(draw.Rate);
            w.Write7BitEncodedInt(draw.Account);
        });
        WriteList(writer, header.Columns, WriteColumn);
        writer.Write(System.IO.Hashing.XxHash3.HashToUInt64(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        return stream.ToArray();
    }

    /// <summary>Reads a header.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static FactHeader Decode(byte[] bytes)
    {
        int length = bytes.Length - sizeof(ulong);
        if (length < 0
            || BitConverter.ToUInt64(bytes, length) != System.IO.Hashing.XxHash3.HashToUInt64(bytes.AsSpan(0, length)))
        {
            throw new InvalidDataException("The header of a segment of facts is damaged.");
        }

        using var reader = new BinaryReader(new MemoryStream(bytes, 0, length));
        return new FactHeader
        {
            FirstSeq = reader.ReadInt64(),
            LastSeq = reader.ReadInt64(),
            LastTime = new Timestamp(reader.ReadInt64()),
            Rows = reader.ReadInt32(),
            Records = reader.ReadInt32(),
            MinTime = new Timestamp(reader.ReadInt64()),
            MaxTime = new Timestamp(reader.ReadInt64()),
            Contexts = ReadContexts(reader),
            Rates = ReadList(reader, ReadRate),
            ChargeSums = ReadList(reader, r => new Amount(ReadInt128(r))),
            Plans = ReadList(reader, r => ReadList(r, ReadSlot)),
            Types = ReadList(reader, ReadType),
            Accounts = ReadList(reader, r => new AccountName(r.ReadString(), ReadCurrency(r))),
            Draws = ReadList(reader, r => new FactDraw(r.Read7BitEncodedInt(), r.Read7BitEncodedInt())),
            Columns = ReadList(reader, ReadColumn),
        };
    }

    private static void WriteContexts(BinaryWriter writer, IReadOnlyList<UsageContext> contexts)
    {
        var codes = new Dictionary<string, int>();
        var strings = new List<string>();
        var parts = new List<int>(contexts.Count * UsageContext.Parts);
        foreach (UsageContext context in contexts)
        {
            for (int i = 0; i < UsageContext.Parts; i++)
            {
                if (codes.TryAdd(context[i], strings.Count))
                {
                    strings.Add(context[i]);
                }

                parts.Add(codes[context[i]]);
            }
        }

        WriteList(writer, strings, (w, text) => w.Write(text));
        WriteList(writer, parts, (w, code) => w.Write7BitEncodedInt(code));
    }

    private static UsageContext[] ReadContexts(BinaryReader reader)
    {
        string[] strings = ReadList(reader, r => r.ReadString());
        string[] parts = ReadList(reader, r => strings[r.Read7BitEncodedInt()]);
        var contexts = new UsageContext[parts.Length / UsageContext.Parts];
        for (int i = 0; i < contexts.Length; i++)
        {
            contexts[i] = UsageContext.FromParts(parts.AsSpan(i * UsageContext.Parts, UsageContext.Parts));
        }

        return contexts;
    }

    private static void WriteRate(BinaryWriter writer, Rate rate)
    {
        writer.Write(rate.Agreement);
        writer.Write((byte)rate.Method);
        writer.Write((byte)rate.Side);
        writer.Write(rate.Payer);
        writer.Write(rate.Payee);
        writer.Write(rate.Currency.ToString());
        writer.Write(rate.Book);
        writer.Write(rate.Version);
        writer.Write(rate.Model);
        WriteInt128(writer, rate.PerCall.Pico);
        writer.Write(rate.ShareOf);
        writer.Write(rate.SharePpm);
        writer.Write((byte)rate.Reason);
        WriteList(writer, rate.Prices, (w, price) =>
        {
            w.Write(price.Meters.Value);
            WriteInt128(w, price.PerStep.Pico);
        });
        byte[] formula = rate.Formula is null ? [] : FormulaCodec.ToBytes(rate.Formula);
        writer.Write(formula.Length);
        writer.Write(formula);
    }

    private static Rate ReadRate(BinaryReader reader) => new()
    {
        Agreement = reader.ReadString(),
        Method = (RateMethod)reader.ReadByte(),
        Side = (Side)reader.ReadByte(),
        Payer = reader.ReadString(),
        Payee = reader.ReadString(),
        Currency = ReadCurrency(reader),
        Book = reader.ReadString(),
        Version = reader.ReadInt32(),
        Model = reader.ReadString(),
        PerCall = new Amount(ReadInt128(reader)),
        ShareOf = reader.ReadString(),
        SharePpm = reader.ReadInt32(),
        Reason = (SuspenseReason)reader.ReadByte(),
        Prices = ReadList(reader, r => new MeterPrice(new MeterPattern(r.ReadUInt16()), new Amount(ReadInt128(r)))),
        Formula = reader.ReadInt32() is var length and > 0 ? FormulaCodec.FromBytes(reader.ReadBytes(length)) : null,
    };

    private static void WriteSlot(BinaryWriter writer, FactSlot slot)
    {
        writer.Write7BitEncodedInt(slot.Rate);
        writer.Write(slot.Unit.ToString());
        writer.Write(slot.TakenBack);
        writer.Write((sbyte)slot.SuspenseCharges);
        writer.Write(slot.Account);
    }

    private static FactSlot ReadSlot(BinaryReader reader) =>
        new(
            reader.Read7BitEncodedInt(), ReadCurrency(reader), reader.ReadBoolean(), reader.ReadSByte(),
            reader.ReadInt32());

    private static void WriteType(BinaryWriter writer, FactType type)
    {
        writer.Write7BitEncodedInt(type.Context);
        writer.Write((byte)type.Kind);
        writer.Write((byte)type.Outcome);
        writer.Write7BitEncodedInt(type.Plan);
    }

    private static FactType ReadType(BinaryReader reader) => new(
        reader.Read7BitEncodedInt(),
        (FactKind)reader.ReadByte(),
        (Outcome)reader.ReadByte(),
        reader.Read7BitEncodedInt());

    private static void WriteColumn(BinaryWriter writer, FactColumn column)
    {
        writer.Write((byte)column.Kind);
        writer.Write7BitEncodedInt(column.Slot);
        writer.Write(column.Meter.Value);
        writer.Write((byte)column.Grade);
        WriteInt128(writer, column.Shape.Base);
        WriteInt128(writer, column.Shape.Scale);
        writer.Write(column.Shape.Width);
        writer.Write(column.Shape.Sparse);
        writer.Write(column.Shape.Filled);
        writer.Write(column.Checksum);
    }

    private static FactColumn ReadColumn(BinaryReader reader) => new(
        (FactColumnKind)reader.ReadByte(),
        reader.Read7BitEncodedInt(),
        ReadMeter(reader),
        (EvidenceGrade)reader.ReadByte(),
        new ColumnShape(
            ReadInt128(reader), ReadInt128(reader), reader.ReadByte(), reader.ReadBoolean(), reader.ReadInt32()),
        reader.ReadUInt64());

    private static Meter ReadMeter(BinaryReader reader)
    {
        ushort value = reader.ReadUInt16();
        return Meter.TryFromValue(value, out Meter meter)
            ? meter
            : throw new InvalidDataException($"A segment of facts names meter {value}, which does not exist.");
    }

    private static Currency ReadCurrency(BinaryReader reader) =>
        Currency.TryParse(reader.ReadString(), out Currency currency) ? currency : default;

    private static void WriteInt128(BinaryWriter writer, Int128 value) =>
        WriteHalves(writer, unchecked((UInt128)value));

    private static void WriteHalves(BinaryWriter writer, UInt128 value)
    {
        writer.Write(unchecked((ulong)value));
        writer.Write((ulong)(value >> 64));
    }

    private static Int128 ReadInt128(BinaryReader reader)
    {
        ulong lower = reader.ReadUInt64();
        return new Int128(reader.ReadUInt64(), lower);
    }

    private static void WriteList<T>(BinaryWriter writer, IReadOnlyList<T> items, Action<BinaryWriter, T> write)
    {
        writer.Write(items.Count);
        foreach (T item in items)
        {
            write(writer, item);
        }
    }

    private static T[] ReadList<T>(BinaryReader reader, Func<BinaryReader, T> read)
    {
        var items = new T[reader.ReadInt32()];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = read(reader);
        }

        return items;
    }
}
