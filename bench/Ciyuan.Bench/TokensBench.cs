using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Ciyuan.Tokens;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Bench;

/// <summary>
/// Counting under o200k: cold (nothing remembered, vocabulary loaded) and warm, on one core and on two, of English,
/// Chinese, code and a mix, after the counts were found equal to those of tiktoken; short texts, loading, memory.
/// </summary>
internal static class TokensBench
{
    private const string Name = "o200k_base";
    private const int Rounds = 7;

    /// <summary>The best that was measured elsewhere on this class of machine: kind, cold, warm, MB/s.</summary>
    private static readonly (string Kind, double Cold, double Warm)[] Aims =
        [("en", 99, 197), ("zh", 40, 124), ("code", 109, 239), ("mixed", 30, 152)];

    public static int Run(string? corpus, string? peers, string? programs, string cpu)
    {
        if (corpus is null || !Directory.Exists(corpus))
        {
            Console.WriteLine("tokens: --corpus FOLDER, with en.txt, zh.txt, code.txt and mixed.txt of 20 MB each");
            return 2;
        }

        Console.WriteLine($"""
            machine   {Environment.ProcessorCount} cores, {cpu}, {RuntimeInformation.OSDescription}
            runtime   {RuntimeInformation.FrameworkDescription}
            workload  {Name}; best of {Rounds}; MB are 10^6 bytes

            """);
        var figures = new Figures();
        Load(figures);
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(Name);
        Dictionary<string, JsonElement[]> others = Peers(corpus, peers, programs);
        bool equal = true;
        foreach ((string kind, double cold, double warm) in Aims)
        {
            string path = Path.Combine(corpus, $"{kind}.txt");
            if (File.Exists(path))
            {
                equal &= Measure(figures, vocabulary, kind, File.ReadAllBytes(path), (cold, warm), others);
            }
        }

        Short(figures, vocabulary);
        figures.Print();
        return equal && figures.AllMet ? 0 : 1;
    }

    private static void Load(Figures figures)
    {
        double best = Best(Rounds, () =>
        {
            using Tokenizer tokenizer = Tokenizer.For(new VocabularyCatalog().Get(Name));
            return tokenizer.Count("x"u8);
        });
        figures.Add("load, to the first count", best * 1000, "ms", 10, lessIsBetter: true);
        foreach (string name in ShippedVocabularies.Names)
        {
            double[] said = [.. Enumerable.Range(0, Rounds).Select(_ => LoadInAProcess(name)).MinBy(s => s[0])!];
            figures.Add($"load in a new process, {name}", said[0], "ms", 10, lessIsBetter: true, string.Create(
                CultureInfo.InvariantCulture, $"{said[1]:F1} ms of it compiling; {said[2] / 1e6:F0} MB in the end"));
        }
    }

    /// <summary>From opening to the first count of 200 bytes, told on standard output; for a new process.</summary>
    internal static int LoadOnce(string name)
    {
        byte[] message = Message();
        TimeSpan compiled = JitInfo.GetCompilationTime();
        long start = TimeProvider.System.GetTimestamp();
        int count = Tokenizer.For(ShippedVocabularies.Open(name)!).Count(message);
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(start);
        compiled = JitInfo.GetCompilationTime() - compiled;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{elapsed.TotalMilliseconds} {compiled.TotalMilliseconds} {Environment.WorkingSet} {count}"));
        return 0;
    }

    private static double[] LoadInAProcess(string name)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, ["tokens-load", name]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("no process starts");
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return [.. said.Split(' ').Select(figure => double.Parse(figure, CultureInfo.InvariantCulture))];
    }

    private static byte[] Message() => Encoding.UTF8.GetBytes(
        "Please look at the build that failed last night, and tell me in three sentences what went wrong: was it "
        + "the cache, the network, or the new compiler? If you don't know, say so. Thank you very much for it, and "
        + "good night!")[..200];

    private static bool Measure(
        Figures figures, Vocabulary vocabulary, string kind, byte[] text, (double Cold, double Warm) aim,
        Dictionary<string, JsonElement[]> others)
    {
        using Tokenizer tokenizer = Tokenizer.For(vocabulary);
        int count = tokenizer.Count(text);
        JsonElement[] peers = others.GetValueOrDefault(kind, []);
        bool equal = Array.TrueForAll(peers, peer => peer.GetProperty("whole").GetInt32() == count);
        Console.WriteLine($"{kind}: {text.Length:N0} bytes, {count:N0} tokens"
            + (peers.Length == 0 ? "" : equal ? ", as tiktoken counts" : ", NOT AS TIKTOKEN COUNTS"));
        double megabytes = text.Length / 1e6;
        double cold = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            using Tokenizer fresh = Tokenizer.For(vocabulary);
            cold = Math.Min(cold, Best(1, () => fresh.Count(text)));
        }

        (double warm, double both) = BestOfTwo(() => tokenizer.Count(text), () => tokenizer.CountParallel(text, 2));
        string chars = Encoding.UTF8.GetString(text);
        double utf16 = Best(Rounds, () => tokenizer.Count(chars));
        figures.Add($"{kind}, cold", megabytes / cold, "MB/s", aim.Cold);
        figures.Add($"{kind}, warm", megabytes / warm, "MB/s", aim.Warm);
        figures.Add($"{kind}, warm, a .NET string", megabytes / utf16, "MB/s");
        figures.Add($"{kind}, two cores over one", warm / both, "times", 1.8, bound: Limit(text));
        figures.Add($"{kind}, memory outside of the heap", tokenizer.NativeBytes / 1e6, "MB", 64, lessIsBetter: true);
        foreach (JsonElement peer in peers)
        {
            Compare(figures, kind, peer, megabytes / cold, megabytes / warm);
        }

        return equal;
    }

    /// <summary>
    /// A peer's speed, and how many times as fast this is; a peer that remembers nothing has one speed.
    /// </summary>
    private static void Compare(Figures figures, string kind, JsonElement peer, double cold, double warm)
    {
        double speed = peer.GetProperty("speed").GetDouble();
        double first = peer.TryGetProperty("cold", out JsonElement said) ? said.GetDouble() : speed;
        string ratio = string.Create(
            CultureInfo.InvariantCulture,
            $"{first:0.##} cold; here {cold / first:F1} times cold, {warm / speed:F1} warm");
        figures.Add($"{kind}, {peer.GetProperty("peer").GetString()}", speed, "MB/s", bound: ratio);
    }

    private static void Short(Figures figures, Vocabulary vocabulary)
    {
        using Tokenizer tokenizer = Tokenizer.For(vocabulary);
        byte[] message = Message();
        const int Times = 100_000;
        double best = Best(Rounds, () =>
        {
            int sum = 0;
            for (int i = 0; i < Times; i++)
            {
                sum += tokenizer.Count(message);
            }

            return sum;
        });
        figures.Add("a message of 200 bytes, warm", best / Times * 1e6, "µs", 1, lessIsBetter: true);
    }

    /// <summary>What others say of themselves, by kind: a program each, and Node's packages by a script.</summary>
    private static Dictionary<string, JsonElement[]> Peers(string corpus, string? packages, string? programs)
    {
        IEnumerable<string> said = programs is null ? []
            : Directory.GetFiles(programs).Order(StringComparer.Ordinal)
                .SelectMany(program => Said(program, programs, corpus, Name));
        if (packages is not null)
        {
            string script = Path.GetFullPath(Path.Combine("bench", "tokens-peers.mjs"));
            said = said.Concat(Said("node", packages, script, corpus, Name));
        }

        return said.Select(line => JsonDocument.Parse(line).RootElement)
            .GroupBy(peer => peer.GetProperty("kind").GetString()!).ToDictionary(g => g.Key, g => g.ToArray());
    }

    private static string[] Said(string program, string folder, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true };
        using Process process =
            Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start");
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>
    /// What a second core brings on this machine at all: to a loop without memory, and to one that adds up the text.
    /// </summary>
    private static string Limit(byte[] text)
    {
        const int Steps = 20_000_000;
        (double one, double both) = BestOfTwo(
            () => unchecked(Chain(Steps) + Chain(Steps)), () => InTwo(_ => Chain(Steps)));
        int half = text.Length / 2;
        (double oneStream, double bothStream) = BestOfTwo(
            () => unchecked(Sum(text.AsSpan(0, half)) + Sum(text.AsSpan(half))),
            () => InTwo(second => Sum(second ? text.AsSpan(half) : text.AsSpan(0, half))));
        return string.Create(CultureInfo.InvariantCulture,
            $"this machine: a loop {one / both:F2}, reading the text {oneStream / bothStream:F2}");
    }

    /// <summary>Steps each of which needs the one before; nothing but registers.</summary>
    private static int Chain(int steps)
    {
        ulong value = 1;
        for (int i = 0; i < steps; i++)
        {
            value = unchecked((value * 6364136223846793005) + 1442695040888963407);
        }

        return (int)(value >> 33);
    }

    /// <summary>Reads a text ten times.</summary>
    private static int Sum(ReadOnlySpan<byte> text)
    {
        ulong sum = 0;
        for (int round = 0; round < 10; round++)
        {
            foreach (ulong eight in MemoryMarshal.Cast<byte, ulong>(text))
            {
                sum = unchecked(sum + eight);
            }
        }

        return (int)(sum >> 33);
    }

    /// <summary>Both halves of some work at once, the second on a thread of its own.</summary>
    private static int InTwo(Func<bool, int> work)
    {
        int other = 0;
        Thread second = new(() => other = work(true));
        second.Start();
        int sum = work(false);
        second.Join();
        return unchecked(sum + other);
    }

    /// <summary>
    /// The shortest times of two things, in seconds, done in turns: the machine's speed changes while they run.
    /// </summary>
    private static (double First, double Second) BestOfTwo(Func<int> first, Func<int> second)
    {
        (double one, double two) = (double.MaxValue, double.MaxValue);
        for (int round = 0; round < Rounds; round++)
        {
            one = Math.Min(one, Best(1, first));
            two = Math.Min(two, Best(1, second));
        }

        return (one, two);
    }

    /// <summary>The shortest time of some rounds, in seconds.</summary>
    private static double Best(int rounds, Func<int> what)
    {
        double best = double.MaxValue;
        for (int round = 0; round < rounds; round++)
        {
            long start = TimeProvider.System.GetTimestamp();
            what();
            best = Math.Min(best, TimeProvider.System.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
