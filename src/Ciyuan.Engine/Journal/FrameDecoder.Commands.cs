using System.Text.Json;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Journal;

/// <content>The commands by hand alone: what an audit trail lists, without decoding records.</content>
public static partial class FrameDecoder
{
    /// <summary>Whether a body has setups, ledger groups, corrections or steps of settlement; its records are left
    /// unread.</summary>
    /// <param name="shard">Shard, for messages.</param>
    /// <param name="seq">Frame, for messages.</param>
    /// <param name="body">The body.</param>
    /// <param name="isOfInterest">Whether a ledger group counts.</param>
    /// <exception cref="JournalException">The bytes are no frame of a known version; the message names the
    /// frame.</exception>
    public static bool HasCommands(
        int shard, long seq, ReadOnlySpan<byte> body, Func<LedgerGroup, bool> isOfInterest)
    {
        try
        {
            var reader = new ByteReader(body);
            if (ReadVersion(ref reader) >= VersionWithSettlement)
            {
                return true; // written for a step of settlement, or for corrections by rate
            }

            reader.Raw(reader.Byte() == 1 ? 16 : 0);
            Tables tables = ReadTables(ref reader, withContexts: false);
            ReadExpiries(ref reader, tables);
            Setup[] setups = ReadSetups(ref reader);
            (LedgerGroup[] groups, _) = ReadGroups(ref reader, tables);
            return setups.Length > 0 || groups.Any(isOfInterest) || reader.Count() > 0;
        }
        catch (Exception e) when (e is JournalException or JsonException or FormatException or OverflowException
            or ArgumentException)
        {
            throw new JournalException($"Frame {seq} of shard {shard} can't be read: it {e.Message}", e);
        }
    }
}
