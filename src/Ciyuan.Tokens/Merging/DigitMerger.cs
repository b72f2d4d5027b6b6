namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Cuts each piece at digits before it is merged, three to a part (Falcon). Its rules look at the signs that stand for
/// bytes, and six of those that are no ASCII are numbers too (U+00B2, U+00B3, U+00B9, U+00BC to U+00BE): so characters
/// with such a byte, as half of Russian has, are cut inside. A part that no token reaches out of may still be taken by
/// itself.
/// </summary>
internal sealed unsafe class DigitMerger(PieceMerger merger) : PieceMerger
{
    internal override Seams Seams => merger.Seams;

    internal override bool JoinsUnknown => merger.JoinsUnknown;

    internal override long NativeBytes => merger.NativeBytes;

    public override void Dispose() => merger.Dispose();

    internal override int Count(byte* at, int length, bool part, MergeRoom room)
    {
        int count = 0;
        for (int start = 0, next; start < length; start = next)
        {
            next = End(at, start, length);
            count += merger.Count(at + start, next - start, part, room);
        }

        return count;
    }

    internal override void Encode(byte* at, int length, MergeRoom room, List<int> ids)
    {
        for (int start = 0, next; start < length; start = next)
        {
            next = End(at, start, length);
            merger.Encode(at + start, next - start, room, ids);
        }
    }

    /// <summary>Where the part ends that begins at a place: three digits, other numbers before such, or the
    /// rest.</summary>
    private static int End(byte* piece, int start, int length)
    {
        bool isNumber = IsNumber(piece[start]);
        int at = start;
        while (at < length && IsNumber(piece[at]) == isNumber)
        {
            if (at + 3 <= length && char.IsAsciiDigit((char)piece[at]) && char.IsAsciiDigit((char)piece[at + 1])
                && char.IsAsciiDigit((char)piece[at + 2]))
            {
                return at == start ? at + 3 : at;
            }

            at++;
        }

        return at;
    }

    private static bool IsNumber(byte value) =>
        value is >= (byte)'0' and <= (byte)'9' or 0xB2 or 0xB3 or 0xB9 or 0xBC or 0xBD or 0xBE;
}
