using Ciyuan.Ledger;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>
/// Finds the engine's own context for those of a stored frame, by the numbers of their texts: hashing ten texts for
/// each context of each frame would be most of the work of a correction.
/// </summary>
internal sealed class ContextTable
{
    /// <summary>Most texts, so that a number fits 20 bits; beyond it all are forgotten.</summary>
    private const int MaxTexts = 1 << 20;

    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<Key, UsageContext> _contexts = [];
    private object? _validWith;

    /// <summary>The contexts of a frame, as they are in the engine now.</summary>
    /// <param name="usage">The frame's records.</param>
    /// <param name="validWith">While this is the same object, what was found before holds.</param>
    /// <param name="find">Finds one the first time.</param>
    public UsageContext[] Find(RecordedUsage usage, object validWith, Func<UsageContext, UsageContext> find)
    {
        if (!ReferenceEquals(validWith, _validWith) || _texts.Count + usage.Texts.Length > MaxTexts
            || _contexts.Count + usage.Contexts > UsageContexts.MaxKept)
        {
            _texts.Clear();
            _contexts.Clear();
            _validWith = validWith;
        }

        int[] numbers = Array.ConvertAll(usage.Texts, Number);
        var found = new UsageContext[usage.Contexts];
        string[] parts = new string[UsageContext.Parts];
        for (int i = 0; i < found.Length; i++)
        {
            ReadOnlySpan<int> own = usage.ContextParts.AsSpan(i * UsageContext.Parts, UsageContext.Parts);
            var key = new Key(Pack(own[..5], numbers), Pack(own[5..], numbers));
            if (!_contexts.TryGetValue(key, out UsageContext? context))
            {
                for (int part = 0; part < parts.Length; part++)
                {
                    parts[part] = usage.Texts[own[part]];
                }

                _contexts.Add(key, context = find(UsageContext.FromParts(parts)));
            }

            found[i] = context;
        }

        return found;
    }

    private int Number(string text)
    {
        if (!_texts.TryGetValue(text, out int number))
        {
            _texts.Add(text, number = _texts.Count);
        }

        return number;
    }

    private static UInt128 Pack(ReadOnlySpan<int> parts, int[] numbers)
    {
        ulong high = 0;
        ulong low = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            high = unchecked((high << 20) | (low >> 44));
            low = unchecked((low << 20) | (uint)numbers[parts[i]]);
        }

        return new UInt128(high, low);
    }

    private readonly record struct Key(UInt128 First, UInt128 Second)
    {
        public override int GetHashCode()
        {
            unchecked
            {
                ulong first = ((ulong)First * 0x9E3779B97F4A7C15) ^ (ulong)(First >> 64);
                ulong second = ((ulong)Second * 0xC2B2AE3D27D4EB4F) ^ (ulong)(Second >> 64);
                ulong mixed = (first ^ (second >> 29) ^ (second << 35)) * 0x9E3779B97F4A7C15;
                return (int)(mixed >> 32);
            }
        }
    }
}
