using Ciyuan.Statistics;

namespace Ciyuan.Tests.Statistics;

public sealed class RunOutTests
{
    [Fact]
    public void Estimate_SameUseEachDay_HasNoRange()
    {
        RunOut runOut = RunOut.Estimate(70, [7, 7, 7, 7]);
        Assert.Equal((7d, 0d), (runOut.MeanPerDay, runOut.SpreadPerDay));
        Assert.Equal(10, runOut.Days!.Value, 9);
        Assert.Equal(10, runOut.Earliest!.Value, 9);
        Assert.Equal(10, runOut.Latest!.Value, 9);
    }

    [Fact]
    public void Estimate_NoUse_NeverRunsOut() => Assert.Null(RunOut.Estimate(5, [0, 0]).Days);

    [Fact]
    public void Estimate_RandomDays_HoldsNineCasesOfTen()
    {
        // Many futures are played out with days like those before; the range must hold nine of ten.
        var random = new Random(20261125);
        double Day() => 10 + (random.NextDouble() * 20);
        int inside = 0;
        const int Futures = 2_000;
        for (int i = 0; i < Futures; i++)
        {
            RunOut runOut = RunOut.Estimate(2_000, [.. Enumerable.Range(0, 28).Select(_ => Day())]);
            double left = 2_000;
            int days = 0;
            while (left > 0)
            {
                left -= Day();
                days++;
            }

            inside += days >= runOut.Earliest && (runOut.Latest is null || days - 1 <= runOut.Latest) ? 1 : 0;
        }

        Assert.InRange(inside / (double)Futures, 0.86, 0.95);
    }
}
