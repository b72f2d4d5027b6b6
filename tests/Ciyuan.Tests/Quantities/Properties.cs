using System.Globalization;
using System.Numerics;
using FsCheck;
using FsCheck.Fluent;

namespace Ciyuan.Tests.Quantities;

/// <summary>Properties checked over generated values, always the same ones.</summary>
internal static class Properties
{
    private static readonly Config Fixed = Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20261101UL, 1UL);

    /// <summary>128-bit integers of every size, with both ends.</summary>
    public static Gen<Int128> Int128s { get; } =
        from high in Gen.Choose(int.MinValue, int.MaxValue)
        from middle in Gen.Choose(int.MinValue, int.MaxValue)
        from low in Gen.Choose(int.MinValue, int.MaxValue)
        from last in Gen.Choose(int.MinValue, int.MaxValue)
        from shift in Gen.Choose(-4, 127)
        select shift switch
        {
            -4 => Int128.MinValue,
            -3 => Int128.MaxValue,
            -2 => Int128.MinValue + 1,
            -1 => Int128.Zero,
            _ => unchecked((Int128)new UInt128(
                ((ulong)(uint)high << 32) | (uint)middle, ((ulong)(uint)low << 32) | (uint)last)) >> shift,
        };

    /// <summary>Seeds for a generator of the test's own.</summary>
    public static Gen<int> Seeds { get; } = Gen.Choose(0, int.MaxValue);

    public static void ForAll<T>(Gen<T> gen, Action<T> body) => Prop.ForAll(gen.ToArbitrary(), body).Check(Fixed);

    public static void ForAll<T1, T2>(Gen<T1> first, Gen<T2> second, Action<T1, T2> body) =>
        Prop.ForAll(first.ToArbitrary(), second.ToArbitrary(), body).Check(Fixed);

    public static void ForAll<T>(int runs, Gen<T> gen, Action<T> body) =>
        Prop.ForAll(gen.ToArbitrary(), body).Check(Fixed.WithMaxTest(runs));

    /// <summary>A decimal as an integer of 10⁻¹², read digit by digit.</summary>
    public static BigInteger Pico(string text)
    {
        string[] parts = text.TrimStart('-').Split('.');
        string digits = parts[0] + (parts.Length > 1 ? parts[1] : "").PadRight(12, '0');
        BigInteger value = BigInteger.Parse(digits, CultureInfo.InvariantCulture);
        return text[0] == '-' ? -value : value;
    }
}
