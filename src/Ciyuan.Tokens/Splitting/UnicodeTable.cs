using System.Reflection;
using System.Runtime.InteropServices;

namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// The kind of each code point in version 16.0 of the Unicode character database, and which belong to the script Han.
/// Pinned in a resource: another version of .NET must not change a count. The resource is a list of runs from U+0000
/// on: a byte (kind, and 16 for Han), then the length, seven bits a byte, the lowest first.
/// </summary>
internal static unsafe class UnicodeTable
{
    /// <summary>Set on the code points of the script Han.</summary>
    internal const byte Han = 16;

    /// <summary>The bits of a value that are its <see cref="CharacterKind"/>.</summary>
    internal const byte KindBits = 15;

    private const int CodePoints = 0x110000;

    /// <summary>A byte for each code point. Lives as long as the process.</summary>
    internal static readonly byte* Kinds = Load("unicode-16.bin");

    /// <summary>Spells out a resource of this form: a byte for each code point, for as long as the process lives.
    /// </summary>
    internal static byte* Load(string resource)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The resource {resource} is missing.");
        byte[] runs = new byte[stream.Length];
        stream.ReadExactly(runs);
        byte* kinds = (byte*)NativeMemory.AllocZeroed(CodePoints); // most code points are nothing, and stay untouched
        int next = 0;
        for (int at = 0; at < runs.Length;)
        {
            byte value = runs[at++];
            int length = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte part = runs[at++];
                length |= (part & 127) << shift;
                if (part < 128)
                {
                    break;
                }
            }

            Fill(kinds + next, value, length);
            next += length;
        }

        return next == CodePoints
            ? kinds : throw new InvalidOperationException($"{resource} covers {next} of {CodePoints} code points.");
    }

    /// <summary>A loop of its own: the library's is compiled anew in each process, before the first count.</summary>
    private static void Fill(byte* to, byte value, int length)
    {
        unchecked
        {
            byte* end = to + (value == 0 ? 0 : length);
            ulong eight = value * 0x0101_0101_0101_0101UL;
            for (; end - to >= 8; to += 8)
            {
                *(ulong*)to = eight;
            }

            for (; to < end; to++)
            {
                *to = value;
            }
        }
    }
}
