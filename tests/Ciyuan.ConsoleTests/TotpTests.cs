using Ciyuan.Server.Console.Users;

namespace Ciyuan.ConsoleTests;

public sealed class TotpTests
{
    // RFC 6238, appendix B, the rows of SHA-1.
    [Theory]
    [InlineData(59, "94287082")]
    [InlineData(1_111_111_109, "07081804")]
    [InlineData(1_111_111_111, "14050471")]
    [InlineData(1_234_567_890, "89005924")]
    [InlineData(2_000_000_000, "69279037")]
    [InlineData(20_000_000_000, "65353130")]
    public void Code_OfTheRfc_IsItsOwn(long seconds, string code) =>
        Assert.Equal(code, Totp.CodeAt("12345678901234567890"u8, seconds / Totp.StepSeconds, 8));

    [Fact]
    public void Code_UsedOnce_IsNotGoodAgain()
    {
        ReadOnlySpan<byte> secret = "12345678901234567890"u8;
        string code = Totp.CodeAt(secret, 1_000);

        long? step = Totp.FindStep(secret, code, 1_000 * Totp.StepSeconds, 0);

        Assert.Equal(1_000, step);
        Assert.Null(Totp.FindStep(secret, code, 1_000 * Totp.StepSeconds, 1_000));
        Assert.Null(Totp.FindStep(secret, code, 1_002 * Totp.StepSeconds, 0));
        Assert.Equal(1_000, Totp.FindStep(secret, code, 1_001 * Totp.StepSeconds, 0));
    }

    // RFC 4648, section 10; secrets have whole groups of five bytes, so there is no padding.
    [Fact]
    public void Base32_OfWholeGroups_IsTheRfcs() => Assert.Equal("MZXW6YTB", Totp.ToBase32("fooba"u8));

    [Fact]
    [Trait("Takes", "Long")]
    public void Password_OfAHash_IsTheRightOneAlone()
    {
        string hash = Passwords.Hash(ConsoleSite.Password);

        Assert.StartsWith("600000$", hash, StringComparison.Ordinal);
        Assert.True(Passwords.Matches(ConsoleSite.Password, hash));
        Assert.False(Passwords.Matches(ConsoleSite.Password + " ", hash));
        Assert.False(Passwords.Matches(ConsoleSite.Password, null));
    }

    [Fact]
    public void Attempts_OfOneUser_WaitLongerAndLonger()
    {
        var time = new ManualTime();
        var attempts = new Attempts(time);
        for (int i = 0; i < Attempts.FreeOfUser - 1; i++)
        {
            attempts.Fail("ada", "1.2.3.4");
        }

        Assert.Equal(TimeSpan.Zero, attempts.WaitOf("ada", "1.2.3.4"));
        attempts.Fail("ada", "1.2.3.4");
        Assert.Equal(5, attempts.WaitOf("ada", "5.6.7.8").TotalSeconds);
        Assert.Equal(TimeSpan.Zero, attempts.WaitOf("finn", "5.6.7.8"));
        time.Move(TimeSpan.FromSeconds(5));
        attempts.Fail("ada", "1.2.3.4");
        Assert.Equal(10, attempts.WaitOf("ada", "1.2.3.4").TotalSeconds);
        for (int i = 0; i < 20; i++)
        {
            attempts.Fail("ada", "1.2.3.4");
        }

        Assert.Equal(Attempts.Longest, attempts.WaitOf("ada", "1.2.3.4"));
    }

    [Fact]
    public void Attempts_FromOneAddress_WaitForEveryUser()
    {
        var attempts = new Attempts(new ManualTime());
        for (int i = 0; i < Attempts.FreeOfAddress; i++)
        {
            attempts.Fail("user" + i, "1.2.3.4");
        }

        Assert.True(attempts.WaitOf("somebody", "1.2.3.4") > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, attempts.WaitOf("somebody", "5.6.7.8"));
    }
}
