using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Usage;

/// <summary>Numbers that stand in journals for good (docs/FORMATS.md). A line may be added; none may change.</summary>
public sealed class FrozenTests
{
    [Theory]
    [InlineData(typeof(Outcome), "Ok=0 Failed=1 Cut=2")]
    [InlineData(typeof(EvidenceGrade), "Exact=0 Reported=1 Bounded=2 Partial=3 Estimated=4")]
    [InlineData(typeof(Direction), "Input=0 Output=1")]
    [InlineData(typeof(Modality), "Text=0 Code=1 Image=2 Audio=3 Video=4 Document=5")]
    [InlineData(typeof(TokenKind),
        "Fresh=0 CacheRead=1 CacheWrite=2 CacheWrite5M=3 CacheWrite1H=4 Reasoning=5 RejectedPrediction=6 ToolUse=7")]
    [InlineData(typeof(Role), "Consumer=0 Platform=1 Provider=2 Compute=3 Data=4")]
    [InlineData(typeof(FundingKind), "Prepaid=0 Pack=1 Voucher=2 Credit=3")]
    [InlineData(typeof(RateMethod), "Prices=0 PerCall=1 Share=2 Suspense=3 Formula=4")]
    [InlineData(typeof(Side), "Income=0 Cost=1 Between=2")]
    [InlineData(typeof(SuspenseReason), "None=0 NoAgreement=1 NoBookVersion=2 NoModelPrice=3 NoClassPrice=4 NoBase=5 "
        + "NoProviderAgreement=6 Overflow=7 SharesExceedBase=8 CalendarUnknown=9 "
        + "ExchangeUnknown=10 PriceTooFine=11")]
    [InlineData(typeof(UsageStatus), "Posted=1 Exists=2 Conflict=3 ConflictExists=4")]
    [InlineData(typeof(CurveKind), "Graduated=0 Volume=1 Package=2")]
    [InlineData(typeof(CurvePeriod), "Call=0 Day=1 Month=2 Quarter=3 Year=4")]
    [InlineData(typeof(UsageRemarks), "None=0 Overrun=1 Suspense=2 OverHold=4 HoldNotOpen=8 Late=16")]
    [InlineData(typeof(LedgerStatus),
        "Done=1 Exists=2 Conflict=3 Malformed=4 AmountOutOfRange=5 AccountNotFound=6 AccountsAreSame=7 "
        + "AccountIsKept=8 AccountExpired=9 PartyNotFound=10 HoldExpiresTooSoon=11 HoldExists=12 HoldNotOpen=13 "
        + "ExceedsHold=14 "
        + "InsufficientFunds=15 GroupNotFound=16 AlreadyReversed=17 TooManyHolds=19")]
    [InlineData(typeof(SetupStatus), "Done=1 Exists=2 Refused=3")]
    [InlineData(typeof(CorrectionMode), "Rerate=1 Reverse=2 RerateTogether=3 ReverseTogether=4 RerateByRate=5 "
        + "ReverseByRate=6")]
    [InlineData(typeof(IdKind), "Usage=1 Group=2 Hold=3 Conflict=4 Reversal=5 Correction=6 Settlement=7")]
    public void Enum_Stored_HasTheFrozenNumbers(Type type, string numbers)
    {
        Assert.Equal(typeof(byte), Enum.GetUnderlyingType(type));
        IEnumerable<string> found = Enum.GetNames(type).Select(n => $"{n}={Convert.ToByte(Enum.Parse(type, n))}");
        Assert.Equal(numbers, string.Join(' ', found));
    }

    [Fact]
    public void TokenClass_Byte_IsDirectionModalityKind()
    {
        int known = 0;
        for (int value = 0; value < 256; value++)
        {
            bool good = ((value >> 4) & 7) < 6 && (value & 15) < 8;
            Assert.Equal(good, TokenClass.TryFromValue((byte)value, out TokenClass tokenClass));
            if (good)
            {
                known++;
                Assert.Equal(value, tokenClass.Value);
                Assert.Equal((value >> 7, (value >> 4) & 7, value & 15), ((int)tokenClass.Direction,
                    (int)tokenClass.Modality, (int)tokenClass.Kind));
                Assert.Equal(tokenClass, new TokenClass(tokenClass.Direction, tokenClass.Modality, tokenClass.Kind));
                Assert.True(TokenClass.TryParse(tokenClass.ToString(), out TokenClass read) && read == tokenClass);
                Assert.True(Meter.TryFromValue(value, out Meter meter) && meter == tokenClass
                    && meter.TokenClass == tokenClass);
                Assert.True(Meter.TryParse(meter.ToString(), out Meter again) && again == meter);
            }
        }

        Assert.Equal(96, known);
    }

    [Theory]
    [InlineData(0x00, "input.text.fresh")]
    [InlineData(0x01, "input.text.cache_read")]
    [InlineData(0x13, "input.code.cache_write_5m")]
    [InlineData(0x24, "input.image.cache_write_1h")]
    [InlineData(0x37, "input.audio.tool_use")]
    [InlineData(0x80, "output.text.fresh")]
    [InlineData(0x85, "output.text.reasoning")]
    [InlineData(0xc6, "output.video.rejected_prediction")]
    [InlineData(0x52, "input.document.cache_write")]
    [InlineData(256, "image")]
    [InlineData(257, "second")]
    [InlineData(258, "character")]
    [InlineData(259, "page")]
    [InlineData(260, "request")]
    [InlineData(261, "cache_token_hour")]
    public void Meter_Number_HasTheFrozenName(int number, string name)
    {
        Assert.True(Meter.TryFromValue(number, out Meter meter));
        Assert.Equal(name, meter.ToString());
        Assert.True(Meter.TryParse(name, out Meter read));
        Assert.Equal(number, read.Value);
    }

    [Fact]
    public void Meter_Units_HaveTheFrozenSteps() => Assert.Equal(
        "IMG=1 SEC=1000000 CHR=1 PAG=1 REQ=1 TKH=1000000",
        string.Join(' ', Meter.OtherUnits.Select(m => $"{m.Currency}={m.StepsPerUnit}")));

    [Theory]
    [InlineData(int.MinValue)]
    [InlineData(-1)]
    [InlineData(8)]
    [InlineData(0x60)]
    [InlineData(255)]
    [InlineData(262)]
    [InlineData(65_536)]
    [InlineData(int.MaxValue)]
    public void Meter_UnknownNumber_IsRefused(int number) => Assert.False(Meter.TryFromValue(number, out _));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("input")]
    [InlineData("input.text.")]
    [InlineData("input.text.fresh.x")]
    [InlineData("Input.text")]
    [InlineData("images")]
    public void Meter_UnknownName_IsRefused(string? name) => Assert.False(Meter.TryParse(name, out _));

    [Theory]
    [InlineData("input", 0x7f, 0)]
    [InlineData("output", 0xff, 0)]
    [InlineData("input.image", 0x2f, 1)]
    [InlineData("output.video", 0xcf, 1)]
    [InlineData("input.*.cache_read", 0x71, 2)]
    [InlineData("output.*.reasoning", 0xf5, 2)]
    [InlineData("input.*.fresh", 0x70, 2)]
    [InlineData("input.text.fresh", 0x00, 3)]
    [InlineData("second", 257, 3)]
    public void MeterPattern_Name_HasTheFrozenNumber(string name, int number, int specificity)
    {
        Assert.True(MeterPattern.TryParse(name, out MeterPattern pattern));
        Assert.Equal((number, specificity, name), (pattern.Value, pattern.Specificity, pattern.ToString()));
    }
}
