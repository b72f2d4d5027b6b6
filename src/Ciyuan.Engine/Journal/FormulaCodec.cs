using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>Bytes of what a rate has beyond prices (docs/FORMATS.md, "formula" and "curve").</summary>
internal static class FormulaCodec
{
    internal static void Write(ByteWriter output, RateFormula formula, Func<string, int> textIndex)
    {
        output.ZigZag(formula.Divisor);
        output.Count(textIndex(formula.Provider));
        output.Count(formula.On.Length);
        foreach (RateSource source in formula.On)
        {
            output.Count(textIndex(source.Book));
            output.Count(source.Version);
        }

        output.Count(formula.RulePrices);
        output.Count(formula.Curves.Length);
        foreach (RateCurve curve in formula.Curves)
        {
            WriteCurve(output, curve, textIndex);
        }

        output.ZigZag(formula.Minimum);
        output.Count(formula.Billable.Length);
        foreach (BillableQuantity quantity in formula.Billable)
        {
            output.Count(quantity.Meter.Value);
            output.ZigZag(quantity.Multiple);
            output.ZigZag(quantity.Least);
        }
    }

    internal static RateFormula Read(ref ByteReader reader, string[] texts)
    {
        long divisor = reader.ZigZag();
        if (divisor is < 1 or > Rate.MaxDivisor)
        {
            throw reader.Damaged($"has a rate with divisor {divisor}");
        }

        string provider = texts[reader.Index(texts.Length)];
        var on = new RateSource[reader.Count()];
        for (int i = 0; i < on.Length; i++)
        {
            on[i] = new RateSource(texts[reader.Index(texts.Length)], reader.Natural());
        }

        int rulePrices = reader.Natural();
        var curves = new RateCurve[reader.Count()];
        for (int i = 0; i < curves.Length; i++)
        {
            curves[i] = ReadCurve(ref reader, texts);
        }

        return new RateFormula
        {
            Divisor = divisor,
            Provider = provider,
            On = on,
            RulePrices = rulePrices,
            Curves = curves,
            Minimum = reader.ZigZag128(),
            Billable = ReadBillable(ref reader),
        };
    }

    /// <summary>A formula by itself: its texts, then as above.</summary>
    internal static byte[] ToBytes(RateFormula formula)
    {
        var texts = new List<string>();
        int IndexOf(string text)
        {
            int at = texts.IndexOf(text);
            texts.AddRange(at < 0 ? [text] : []);
            return at < 0 ? texts.Count - 1 : at;
        }

        var body = new ByteWriter();
        Write(body, formula, IndexOf);
        var whole = new ByteWriter();
        whole.Count(texts.Count);
        texts.ForEach(whole.Text);
        whole.Raw(body.Written);
        return whole.Written.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    internal static RateFormula FromBytes(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        var texts = new string[reader.Count()];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = reader.Text();
        }

        return Read(ref reader, texts);
    }

    internal static void WriteCurve(ByteWriter output, RateCurve curve, Func<string, int> textIndex)
    {
        output.Count(textIndex(curve.Name));
        output.Byte((byte)curve.Kind);
        output.Byte((byte)curve.Per);
        output.Count(textIndex(curve.Zone));
        output.Count(curve.Meters.Length);
        foreach (MeterPattern meters in curve.Meters)
        {
            output.Count(meters.Value);
        }

        output.Count(curve.Steps.Length);
        foreach (RateStep step in curve.Steps)
        {
            output.ZigZag(step.UpTo);
            output.ZigZag(step.Price);
            output.ZigZag(step.Size);
        }
    }

    internal static RateCurve ReadCurve(ref ByteReader reader, string[] texts)
    {
        string name = texts[reader.Index(texts.Length)];
        var kind = (CurveKind)reader.Byte();
        var per = (CurvePeriod)reader.Byte();
        string zone = texts[reader.Index(texts.Length)];
        var meters = new MeterPattern[reader.Count()];
        for (int i = 0; i < meters.Length; i++)
        {
            meters[i] = new MeterPattern((ushort)reader.Index(1 << 16));
        }

        var steps = new RateStep[reader.Count()];
        for (int i = 0; i < steps.Length; i++)
        {
            steps[i] = new RateStep(reader.ZigZag(), reader.ZigZag128(), reader.ZigZag());
        }

        return steps.Length > 0
            ? new RateCurve { Name = name, Kind = kind, Per = per, Zone = zone, Meters = meters, Steps = steps }
            : throw reader.Damaged("has a curve without steps");
    }

    private static BillableQuantity[] ReadBillable(ref ByteReader reader)
    {
        var billable = new BillableQuantity[reader.Count()];
        for (int i = 0; i < billable.Length; i++)
        {
            int value = reader.Natural();
            billable[i] = Meter.TryFromValue(value, out Meter meter)
                ? new BillableQuantity(meter, reader.ZigZag(), reader.ZigZag())
                : throw reader.Damaged($"has an unknown meter {value}");
        }

        return billable;
    }
}
