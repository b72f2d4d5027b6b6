using System.Text.Json;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <content>The state as bytes: what a snapshot holds, and what a replay must reproduce to the byte.</content>
public sealed partial class Engine
{
    private const byte StateVersion = 3;

    /// <summary>
    /// The whole state in its one canonical form (docs/FORMATS.md, "State"): setups in order of acceptance, accounts by
    /// path and currency, holds by digest. The ids themselves are in the index; their number and checksum are here.
    /// </summary>
    public byte[] WriteState()
    {
        var output = new ByteWriter();
        output.Byte(StateVersion);
        output.Count(Shard);
        output.ZigZag(Seq);
        output.ZigZag(Time.UnixNanoseconds);
        output.Raw(_idKey);
        output.ZigZag(_ids);
        output.Fixed128(_idsXor);
        output.Count(_setups.Count);
        foreach (Setup setup in _setups)
        {
            output.Text(JsonSerializer.Serialize(setup, SetupJson.Default.Setup));
        }

        WriteAccounts(output);
        WriteHolds(output);
        WriteCorrected(output);
        RunningCodec.Write(output, _running);
        SettlementCodec.WriteState(output, _calendar);
        return output.Written.ToArray();
    }

    /// <summary>An engine in a state that <see cref="WriteState"/> wrote.</summary>
    /// <exception cref="JournalException">The bytes are no such state.</exception>
    public static Engine ReadState(ReadOnlySpan<byte> state, IHistory history)
    {
        try
        {
            var reader = new ByteReader(state);
            return Read(ref reader, history);
        }
        catch (Exception e) when (e is JournalException or JsonException or FormatException or OverflowException
            or ArgumentException or KeyNotFoundException)
        {
            throw new JournalException($"A stored state can't be read: it {e.Message}", e);
        }
    }

    private void WriteAccounts(ByteWriter output)
    {
        IReadOnlyList<AccountView> accounts = Accounts;
        output.Count(accounts.Count);
        foreach (AccountView account in accounts)
        {
            output.Text(account.Name.Path);
            output.Text(account.Name.Currency.ToString());
            output.ZigZag(account.DebitsPosted.Pico);
            output.ZigZag(account.CreditsPosted.Pico);
        }
    }

    private void WriteCorrected(ByteWriter output)
    {
        output.Count(_corrected.All.Count);
        foreach (CorrectedRange range in _corrected.All)
        {
            output.ZigZag(range.FromSeq);
            output.ZigZag(range.ToSeq);
            output.ZigZag(range.Position.Seq);
            output.Count(range.Position.Index);
            output.Fixed128(range.Touched);
        }
    }

    private void WriteHolds(ByteWriter output)
    {
        output.Count(_ledger.Holds.Count);
        foreach (Hold hold in _ledger.Holds.Values.OrderBy(h => h.Digest))
        {
            output.Fixed128(hold.Digest);
            output.Text(hold.Party);
            output.ZigZag(hold.Expires.UnixNanoseconds);
            output.Count(hold.Legs.Length);
            foreach ((Account account, Amount amount) in hold.Legs)
            {
                output.Text(account.Name.Path);
                output.Text(account.Name.Currency.ToString());
                output.ZigZag(amount.Pico);
            }
        }
    }

    private static Engine Read(ref ByteReader reader, IHistory history)
    {
        byte version = reader.Byte();
        if (version != StateVersion)
        {
            throw reader.Damaged($"is of version {version}, this program reads version {StateVersion}");
        }

        var engine =
            new Engine(reader.Natural(), history) { Seq = reader.ZigZag(), Time = new Timestamp(reader.ZigZag()) };
        engine._idKey = reader.Raw(16).ToArray();
        engine._hasher = new IdHasher(engine._idKey);
        engine._ids = reader.ZigZag();
        engine._idsXor = reader.Fixed128();
        ReadSetups(ref reader, engine);
        int accounts = reader.Count();
        for (int i = 0; i < accounts; i++)
        {
            var name = new AccountName(reader.Text(), Currency.Parse(reader.Text()));
            engine._ledger.Restore(name, new Amount(reader.ZigZag128()), new Amount(reader.ZigZag128()));
        }

        ReadHolds(ref reader, engine._ledger);
        int ranges = reader.Count();
        for (int i = 0; i < ranges; i++)
        {
            engine._corrected.Add(new CorrectedRange(
                reader.ZigZag(), reader.ZigZag(),
                new FramePosition(reader.ZigZag(), reader.Index(FrameProposal.MaxCommands)), reader.Fixed128()));
        }

        RunningCodec.Read(ref reader, engine._running);
        SettlementCodec.ReadState(ref reader, engine._calendar);
        foreach (SettledPeriod period in engine._calendar.Periods)
        {
            engine._frozen.Freeze(period.Agreement, period.Span.End);
        }

        return reader.Remaining == 0 ? engine : throw reader.Damaged("goes on after its end");
    }

    private static void ReadSetups(ref ByteReader reader, Engine engine)
    {
        int setups = reader.Count();
        for (int i = 0; i < setups; i++)
        {
            Setup setup = JsonSerializer.Deserialize(reader.Text(), SetupJson.Default.Setup)
                ?? throw reader.Damaged("has an empty setup");
            SetupResult result = engine.ApplySetup(setup, 0, new FrameDraft());
            if (result.Status != SetupStatus.Done)
            {
                throw reader.Damaged($"has a setup that is not accepted again: {string.Join("; ", result.Faults)}");
            }
        }
    }

    private static void ReadHolds(ref ByteReader reader, LedgerState ledger)
    {
        int holds = reader.Count();
        for (int i = 0; i < holds; i++)
        {
            UInt128 digest = reader.Fixed128();
            string party = reader.Text();
            var expires = new Timestamp(reader.ZigZag());
            var legs = new (Account Account, Amount Amount)[reader.Count()];
            for (int leg = 0; leg < legs.Length; leg++)
            {
                Account account = ledger.Open(reader.Text(), Currency.Parse(reader.Text()));
                legs[leg] = (account, new Amount(reader.ZigZag128()));
            }

            ledger.Place(new Hold(digest, party, expires, legs));
        }
    }
}
