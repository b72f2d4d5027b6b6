using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// Finds where pieces begin in the 64 bytes after the beginning of a piece, all at once, by algebra on masks. It
/// decides what is common; where a character is rare (marks, white space and digits beyond ASCII, upper case after
/// letters without case) it stops, and the <see cref="PieceScanner"/> takes one piece. As every block begins where a
/// piece does, nothing is carried from one to the next.
/// </summary>
internal static unsafe class BlockScanner<TRule>
    where TRule : IBlockRule
{
    /// <summary>Bytes after the beginning of a block that are read.</summary>
    internal const int Reach = 64 + 4;

    /// <summary>What a contraction or a space that is followed by something needs to see after a place.</summary>
    private const int Lookahead = 2;

    /// <summary>
    /// A bit for each place where a piece begins, the first byte always; from the last of them on nothing is known.
    /// </summary>
    /// <param name="at">The block.</param>
    /// <param name="kinds">The kind of each code point.</param>
    /// <param name="threes">Characters of three bytes that follow such.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static ulong Starts(byte* at, byte* kinds, out ulong threes)
    {
        threes = 0;
        ulong wide = BlockMasks.Classify(at, out BlockMasks masks);
        return wide == 0 ? Decide(at, ref masks, 0) : WideStarts(at, kinds, out threes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static ulong WideStarts(byte* at, byte* kinds, out ulong threes)
    {
        threes = BlockMasks.Leads(at, 0xE0, 0xEF);
        threes &= threes << 3;
        ulong wide = BlockMasks.Classify(at, out BlockMasks masks);
        masks.AddWide<TRule>(at, wide, kinds);
        return Decide(at, ref masks, wide);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Decide(byte* at, ref BlockMasks masks, ulong wide) =>
        TRule.Plain ? PlainAlgebra(at, ref masks) : Algebra(at, ref masks, wide);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Algebra(byte* at, ref BlockMasks masks, ulong wide)
    {
        unchecked
        {
            ulong letters = masks.Upper | masks.Lower | masks.Caseless;
            ulong space = masks.Space;
            ulong lineEnd = masks.LineEnd;
            ulong white = space | lineEnd;
            ulong punctuation = ~(letters | masks.Apart | masks.Digits | white);

            // Line ends that punctuation takes: an addition runs through each run of them to its end.
            ulong taken = lineEnd & ~(lineEnd + ((punctuation << 1) & lineEnd));
            ulong hard = masks.Hard | (TRule.SlashTail ? (taken << 1) & masks.Slash : 0);
            ulong ends = TRule.Segments ? masks.Apart | masks.Digits : 0;
            ulong starts = 1 | SpaceStarts(space, lineEnd, taken, white | ends);
            starts |= lineEnd & ~taken & ~(white << 1);
            starts |= DigitStarts(masks.Digits) | (masks.Apart & ~(masks.Apart << 1));
            ulong punctuationStarts = punctuation & ~((punctuation | masks.Blank) << 1);
            starts |= punctuationStarts;
            ulong prefixed = TRule.Segments ? SignedLetters(letters, punctuationStarts, wide)
                : wide == 0 ? punctuationStarts << 1 : AfterOne(at, punctuationStarts, wide);
            starts |= letters & ~((letters | space) << 1) & ~prefixed;
            if (TRule.CaseRuns)
            {
                starts |= (masks.Lower << 1) & masks.Upper;
                hard |= (masks.Caseless << 1) & masks.Upper;
            }

            if (TRule.Segments)
            {
                // What such a character is to the rule decides about the end of white space before it.
                hard |= masks.Controls(at);
                hard |= hard >> 1;
                starts |= AfterSigned(letters, prefixed, wide);
            }

            starts = Contract(at, starts, letters, masks.Apostrophe, punctuationStarts);
            return Certain(starts, white, hard);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong PlainAlgebra(byte* at, ref BlockMasks masks)
    {
        unchecked
        {
            ulong letters = masks.Upper | masks.Lower | masks.Caseless;
            ulong white = masks.Space | masks.LineEnd;
            ulong punctuation = ~(letters | masks.Digits | white);
            ulong signs = punctuation & ~((punctuation | masks.Blank) << 1);
            ulong starts = 1 | signs | (white & ~(white << 1)) | (white & ~(white >> 1));
            starts |= letters & ~((letters | masks.Blank) << 1);
            starts |= masks.Digits & ~((masks.Digits | masks.Blank) << 1);
            ulong apostrophes = masks.Apostrophe & signs & (letters >> 1);
            starts = apostrophes == 0 ? starts : Suffixes(at, starts, apostrophes);
            return Certain(starts, white, masks.Hard);
        }
    }

    /// <summary>
    /// White space up to the end of the block goes on, or is followed by who knows what; and so is what is hard.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Certain(ulong starts, ulong white, ulong hard)
    {
        unchecked
        {
            int trailing = BitOperations.LeadingZeroCount(~white);
            int certain = trailing == 0 ? 64 - Lookahead : Math.Min(64 - Lookahead, 65 - trailing);
            starts &= (1UL << certain) - 1;
            return starts & ~(0 - (hard & (0 - hard))) | 1;
        }
    }

    /// <summary>
    /// A run of spaces begins a piece, unless it stands between line ends. Its last one does, before anything but white
    /// space and, where there is such, an end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SpaceStarts(ulong space, ulong lineEnd, ulong taken, ulong whiteOrEnd)
    {
        unchecked
        {
            ulong runs = space & ~(space << 1);
            ulong between = runs & ((lineEnd & ~taken) << 1);
            if (((space + between) & ~space & lineEnd) != 0)
            {
                runs &= ~Between(space, between, lineEnd);
            }

            return runs | (space & ~(whiteOrEnd >> 1));
        }
    }

    /// <summary>Those of some runs of spaces that end before a line end.</summary>
    private static ulong Between(ulong space, ulong runs, ulong lineEnd)
    {
        unchecked
        {
            ulong found = 0;
            for (; runs != 0; runs &= runs - 1)
            {
                ulong start = runs & (0 - runs);
                ulong after = (space + start) & ~space & (0 - start);
                found |= (after & (0 - after) & lineEnd) != 0 ? start : 0;
            }

            return found;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong DigitStarts(ulong digits)
    {
        if (!TRule.ThreeDigits)
        {
            return digits;
        }

        unchecked
        {
            ulong starts = digits & ~(digits << 1);
            ulong fourth = digits & (digits << 1) & (digits << 2) & (digits << 3);
            for (ulong next = (starts << 3) & fourth; next != 0; next = (next << 3) & fourth)
            {
                starts |= next;
            }

            return starts;
        }
    }

    /// <summary>Letters of ASCII, one each, that follow a sign of ASCII that begins a piece.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SignedLetters(ulong letters, ulong signs, ulong wide) =>
        unchecked(((signs & ~wide) << 1) & letters & ~wide);

    /// <summary>
    /// A sign takes letters of ASCII only: other letters after these begin a piece. An addition runs through the
    /// letters to their end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AfterSigned(ulong letters, ulong signed, ulong wide)
    {
        ulong narrow = letters & ~wide;
        return unchecked((narrow + signed) & ~narrow & letters);
    }

    /// <summary>The places after one character of punctuation that begins a piece.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AfterOne(byte* at, ulong starts, ulong wide)
    {
        unchecked
        {
            ulong three = starts & BlockMasks.Leads(at, 0xE0, 0xEF);
            ulong four = starts & BlockMasks.Leads(at, 0xF0, 0xFF);
            ulong two = starts & wide & ~(three | four);
            return ((starts & ~wide) << 1) | (two << 2) | (three << 3) | (four << 4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Contract(byte* at, ulong starts, ulong letters, ulong apostrophes, ulong punctuationStarts)
    {
        if (TRule.Contractions == Contractions.Suffix)
        {
            ulong after = apostrophes & (letters << 1) & (letters >> 1);
            return after == 0 ? starts : Suffixes(at, starts, after);
        }

        ulong found = apostrophes & punctuationStarts & (letters >> 1);
        return TRule.Contractions == Contractions.None || found == 0 ? starts : Apart(at, starts, found);
    }

    /// <summary>
    /// A suffix belongs to the letters before it, unless they are a suffix themselves; or it is a piece by itself,
    /// which begins as its apostrophe does.
    /// </summary>
    private static ulong Suffixes(byte* at, ulong starts, ulong apostrophes)
    {
        unchecked
        {
            int apart = TRule.Plain ? 1 : 0;
            for (int free = 0; apostrophes != 0; apostrophes &= apostrophes - 1)
            {
                int bit = BitOperations.TrailingZeroCount(apostrophes);
                int length = bit < free ? 0 : LineageScanner.Contraction(at + bit, at + Reach, TRule.Plain);
                if (length > 0)
                {
                    starts &= ~((((1UL << length) - 1) << bit) & ((ulong.MaxValue << bit) << apart));
                    starts |= bit + length < 64 ? 1UL << (bit + length) : 0;
                    free = bit + length + (1 - apart);
                }
            }

            return starts;
        }
    }

    private static ulong Apart(byte* at, ulong starts, ulong apostrophes)
    {
        unchecked
        {
            for (; apostrophes != 0; apostrophes &= apostrophes - 1)
            {
                int bit = BitOperations.TrailingZeroCount(apostrophes);
                int length = LineageScanner.Contraction(at + bit, at + Reach, lowerCase: false);
                starts |= length > 0 && bit + length < 64 ? 1UL << (bit + length) : 0;
            }

            return starts;
        }
    }
}
