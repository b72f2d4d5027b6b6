namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// GPT-2's spelling of bytes as visible characters, in which tokenizer.json writes byte-level tokens: printable Latin-1
/// stands for itself, the 68 others for U+0100 and on, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly short[] ByteOf = MakeByteOf();

    /// <summary>The bytes that a token's text stands for; null when a character is not of the alphabet.</summary>
    internal static byte[]? ToBytes(string text)
    {
        byte[] bytes = new byte[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            int value = text[i] < ByteOf.Length ? ByteOf[text[i]] : -1;
            if (value < 0)
            {
                return null;
            }

            bytes[i] = (byte)value;
        }

        return bytes;
    }

    private static short[] MakeByteOf()
    {
        short[] byteOf = new short[0x100 + 68];
        Array.Fill(byteOf, (short)-1);
        int next = 0x100;
        for (short value = 0; value < 256; value++)
        {
            bool isPrintable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            byteOf[isPrintable ? value : next++] = value;
        }

        return byteOf;
    }
}
