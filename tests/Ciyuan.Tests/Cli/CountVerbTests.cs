using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Ciyuan.Tests.Tidy;
using Ciyuan.Tokens;
using Ciyuan.Tokens.Vocabularies;
using Xunit;

namespace Ciyuan.Tests.Cli;

/// <summary>Runs the built program's <c>count</c> and <c>vocab</c>.</summary>
public sealed class CountVerbTests : IDisposable
{
    private static readonly Tokenizer O200k = Tokenizer.For(VocabularyCatalog.Shipped.Get("o200k_base"));
    private const string NoPages = "claude-opus-4-7: the number of pages is not known";
    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-count-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_FolderAndFile_SideBySide_GivesEachFileAndTheSum()
    {
        Write("src/a.txt", "Hello, world!");
        Write("src/b/深.md", "Text\n\n```\nint x;\n```\n文本\n");
        Write("src/.git/c.txt", "left out");
        Write("one.bin", "\0\0");

        JsonElement said = await JsonAsync("count", "src", "one.bin", "--vocab", "o200k_base", "--vocab", "qwen3",
            "--prose");

        JsonElement[] files = [.. said.GetProperty("files").EnumerateArray()];
        Assert.Equal(["src/a.txt", "src/b/深.md", "one.bin"], files.Select(f => f.GetProperty("file").GetString()));
        Assert.Equal(["text", "text", "binary"], files.Select(f => f.GetProperty("status").GetString()));
        Assert.Equal("4", Tokens(files[0], 0));
        Assert.Equal($"{O200k.Count("Text\n\n```\nint x;\n```\n文本\n")}", Tokens(files[1], 0));
        JsonElement mixed = files[1].GetProperty("counts")[0];
        Assert.NotEqual("0", mixed.GetProperty("code").GetString());
        Assert.Equal(Number(mixed, "tokens"), Number(mixed, "prose") + Number(mixed, "code"));
        foreach (int column in (int[])[0, 1])
        {
            Assert.Equal(
                files.Sum(f => Number(f.GetProperty("counts")[column], "tokens")),
                Number(said.GetProperty("total").GetProperty("counts")[column], "tokens"));
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_StandardInput_IsOneText()
    {
        (int code, string output, _) = await RunAsync(["count", "-", "--format", "json"], "a b c");
        Assert.Equal(0, code);
        Assert.Equal("3", Tokens(JsonDocument.Parse(output).RootElement.GetProperty("total"), 0));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_JsonLinesWithBrokenOnes_RejectsThemByNumberAndCountsTheRest()
    {
        Write("chat.jsonl", """
            {"messages":[{"content":"Hello, world!"},{"content":[{"text":"a b c"},{"type":"image_url"}]}]}
            {"messages":[{"role":"user","content":"counted twice?"}]} trailing

            {"messages":"Hello, world!"}
            {"messages":[{"content":"cut of
            {"other":1}
            [1]
            """);

        (int code, string output, _) = await RunAsync(
            "count", "chat.jsonl", "--column", "messages", "--format", "json");

        JsonElement file = JsonDocument.Parse(output).RootElement.GetProperty("files")[0];
        Assert.Equal(1, code);
        Assert.Equal("11", Tokens(file, 0)); // 4 + 3 + 4; an image and line 6 are left out
        Assert.Equal((3, 2, 3), (file.GetProperty("rows").GetInt32(), file.GetProperty("skipped").GetInt32(),
            file.GetProperty("rejected").GetInt32()));
        JsonElement[] rejects = [.. file.GetProperty("rejects").EnumerateArray()];
        Assert.Equal([2, 5, 7], rejects.Select(r => r.GetProperty("line").GetInt32()));
        Assert.All(rejects,
            r => Assert.StartsWith("not JSON", r.GetProperty("reason").GetString(), StringComparison.Ordinal));
        Assert.StartsWith("not JSON at byte 58 ('t' is invalid", rejects[0].GetProperty("reason").GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_CsvColumn_ReadsQuotesAndLineEndsInCells()
    {
        Write("t.csv", "id,prompt\r\n1,\"a \"\"b\"\"\nc\"\r\n2,d\r\n");
        JsonElement said = await JsonAsync("count", "t.csv", "--column", "prompt");
        int expected = O200k.Count("a \"b\"\nc") + O200k.Count("d");
        Assert.Equal($"{expected}", Tokens(said.GetProperty("total"), 0));
        (int code, _, string errors) = await RunAsync("count", "t.csv", "--column", "answer", "--format", "csv");
        Assert.Equal(1, code);
        Assert.Contains("no column 'answer'", errors, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_CsvWithAnOpenQuote_CountsTheRowsBeforeAndSaysWhereItIs()
    {
        Write("t.csv", "id,prompt\r\n1,\"a\nb\"\r\n2,\"c\r\n3,d\r\n");

        (int code, string output, _) = await RunAsync("count", "t.csv", "--column", "prompt", "--format", "json");

        JsonElement said = JsonDocument.Parse(output).RootElement;
        Assert.Equal(1, code);
        Assert.Equal($"{O200k.Count("a\nb")}", Tokens(said.GetProperty("total"), 0));
        JsonElement reject = said.GetProperty("files")[0].GetProperty("rejects")[0];
        Assert.Equal(4, reject.GetProperty("line").GetInt32());
        Assert.StartsWith("a quote is opened and never closed: 2,", reject.GetProperty("reason").GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_OfWhatIsNoText_NamesIt()
    {
        File.WriteAllBytes(Path.Combine(_folder, "p.png"), Png(1024, 1024)[..20]);
        Write("t.txt", "a");

        (int code, string said, _) = await RunAsync("count", "p.png", "t.txt", "--model", "gpt-4o");

        Assert.Equal(0, code);
        Assert.Contains("1 files are not text and were left out: p.png (", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bad.wav", "RIFF$$$$WAVEfmt ", "wav: no data chunk")]
    [InlineData("cut.PDF", "%PDF-1.7\n1 0 obj", NoPages)]
    [InlineData("no-ending", "%PDF-1.7\n1 0 obj", NoPages)]
    [InlineData("empty.png", "not one", "the first bytes are of no format that is known here")]
    [InlineData("notes.txt", "\uFEFFa", "UTF-16: turn it into UTF-8 to count it", true)]
    public async Task Count_DamagedMedia_IsLeftOutAndNotCountedAsText(
        string name, string content, string reason, bool isUtf16 = false)
    {
        File.WriteAllBytes(
            Path.Combine(_folder, name), (isUtf16 ? Encoding.Unicode : Encoding.UTF8).GetBytes(content));
        JsonElement file = (await JsonAsync("count", name, "--model", "claude-opus-4-7")).GetProperty("files")[0];
        Assert.Equal(("binary", "0"), (file.GetProperty("status").GetString(), Tokens(file, 0)));
        Assert.StartsWith(reason, file.GetProperty("remark").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Count_ColumnOfAFolder_SaysWhichFilesAreCountedAsAWhole()
    {
        Write("a.jsonl", """{"q":"a b c"}""");
        Write("b.md", "a b");
        (int code, string said, _) = await RunAsync("count", ".", "--column", "q");
        Assert.Equal(0, code);
        Assert.Contains("; 1 files that are no JSONL, CSV or Parquet as a whole.", said, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(_folder, "none"));
        (_, said, _) = await RunAsync("count", "none");
        Assert.Contains("No files were found there.", said, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_WithABook_ShowsThePriceOfEachFile()
    {
        Write("prices.yaml", """
            books:
              - {id: list, version: 1, currency: USD,
                 prices: [{model: gpt-4o, per_million_tokens: {input: 2, output: 8}}]}
            """);
        Write("a.txt", "Hello, world!");
        string[] asked = ["count", "a.txt", "--model", "gpt-4o", "--book", "prices.yaml"];
        Assert.Equal("0.000008", Price(await JsonAsync(asked)));
        Assert.Equal("0.000032", Price(await JsonAsync([.. asked, "--side", "output"])));
        (int code, _, string errors) = await RunAsync("count", "a.txt", "--book", "prices.yaml");
        Assert.Equal(2, code);
        Assert.Contains("--model", errors, StringComparison.Ordinal);

        static string? Price(JsonElement said) => said.GetProperty("total").GetProperty("counts")[0]
            .GetProperty("price").GetProperty("amount").GetString();
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_ImageAndSound_GoByTheModelsRule()
    {
        File.WriteAllBytes(Path.Combine(_folder, "p.png"), Png(1024, 1024));
        File.WriteAllBytes(Path.Combine(_folder, "s.wav"), Wav(seconds: 2));
        JsonElement[] files = [.. (await JsonAsync("count", "p.png", "s.wav", "--model", "gpt-4o",
            "--model", "gemini-2.5-pro", "--vocab", "o200k_base")).GetProperty("files").EnumerateArray()];
        Assert.Equal(["media", "media"], files.Select(f => f.GetProperty("status").GetString()));
        Assert.Equal("765", Tokens(files[0], 1));
        Assert.Equal("64", Tokens(files[1], 2));
        Assert.Equal("0", Tokens(files[0], 0));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Count_MoreThanTwoGigabytes_OfNoTextOrWithoutEnd_IsTold()
    {
        using (FileStream zeros = File.Create(Path.Combine(_folder, "zeros.txt")))
        {
            zeros.SetLength((1L << 31) + 10); // sparse: takes no room
        }

        Write("x.parquet", "PAR1");
        Write("begins.txt", new string('a', 10_000));
        using (FileStream begins = File.OpenWrite(Path.Combine(_folder, "begins.txt")))
        {
            begins.SetLength((1L << 31) + 10);
        }

        (int code, string output, _) = await RunAsync("count", "zeros.txt", "begins.txt", "--format", "json");
        JsonElement files = JsonDocument.Parse(output).RootElement.GetProperty("files");
        Assert.Equal(1, code);
        Assert.Equal("binary", files[0].GetProperty("status").GetString());
        Assert.Equal("unreadable", files[1].GetProperty("status").GetString());
        Assert.Contains("cut", files[1].GetProperty("remark").GetString(), StringComparison.Ordinal);
        (code, output, _) = await RunAsync("count", "x.parquet", "--column", "a", "--format", "json");
        Assert.Equal(1, code);
        Assert.Contains("Parquet", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "count", "missing.txt")]
    [InlineData(1, "count", ".", "--vocab", "nothing")]
    [InlineData(1, "count", ".", "--model", "claude-opus-4-5")]
    [InlineData(2, "count")]
    [InlineData(2, "count", ".", "--threads", "0")]
    [InlineData(1, "vocab", "add", "missing.json", "--name", "x")]
    [InlineData(2, "vocab", "add", "missing.json", "--name", "a/b")]
    [Trait("Takes", "Long")]
    public async Task Run_Wrong_SaysWhy(int exit, params string[] arguments)
    {
        Write("a.txt", "Hello, world!");
        (int code, string output, string errors) = await RunAsync(arguments);
        Assert.Equal(exit, code);
        Assert.NotEqual("", errors + output);
        Assert.DoesNotContain("   at ", errors + output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Vocab_AddedFile_CountsUnderItsName()
    {
        StringBuilder ranks = new();
        for (int value = 0; value < 256; value++)
        {
            ranks.Append(Convert.ToBase64String([(byte)value])).Append(' ').Append(value).Append('\n');
        }

        ranks.Append(Convert.ToBase64String("ab"u8)).Append(" 256\n");
        Write("own.tiktoken", ranks.ToString());
        Write("t.txt", "abab");
        JsonElement added = await JsonAsync("vocab", "add", "own.tiktoken", "--name", "own", "--split", "cl100k");
        Assert.Equal(257, added.GetProperty("tokens").GetInt32());
        Assert.Equal("2", Tokens((await JsonAsync("count", "t.txt", "--vocab", "own")).GetProperty("total"), 0));
        Assert.Contains((await JsonAsync("vocab", "list")).EnumerateArray(),
            v => v.GetProperty("name").GetString() == "own" && v.GetProperty("path").GetString()!.Length > 0);
        JsonElement which = (await JsonAsync("vocab", "which", "gpt-4o-2024-11-20"))[0];
        Assert.Equal("o200k_base", which.GetProperty("vocabulary").GetString());
        Assert.Equal(1, (await RunAsync("vocab", "add", "own.tiktoken", "--name", "own", "--split", "cl100k")).Code);
    }

    /// <summary>
    /// Processors without AVX2, and without any of what is used of them: each family's rule, on text, code and Chinese.
    /// </summary>
    [Theory]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    [Trait("Takes", "Long")]
    public async Task Count_LesserProcessor_GivesTheSameCounts(string switchedOff)
    {
        string[] arguments =
        [
            "count", Path.Combine(Repository.Root, "docs"), Path.Combine(Repository.Root, "README.zh-CN.md"),
            .. ((string[])["o200k_base", "cl100k_base", "gpt2", "qwen3", "deepseek_v3", "mistral_nemo"])
                .SelectMany(name => (string[])["--vocab", name]),
            "--format", "json",
        ];

        (_, string expected, _) = await RunAsync(arguments);
        (int code, string output, _) = await RunAsync(arguments, "", (switchedOff, "0"));

        Assert.Equal(0, code);
        Assert.Equal(Counts(expected), Counts(output));

        static string[] Counts(string said) => [.. JsonDocument.Parse(said).RootElement.GetProperty("files")
            .EnumerateArray().Select(file => $"{file.GetProperty("file")} {file.GetProperty("counts")}")];
    }

    /// <summary>
    /// The file is made by DuckDB 1.5.6, of ten rows: lists, structures and nulls in them, packed by Zstandard.
    /// </summary>
    [Theory]
    [InlineData("text", 0, "Hello, world!", "你好，世界。", "a b c")]
    [InlineData("messages", 0, "Hello, world!", "a b c", "你好")]
    [InlineData("prompt.parts", 0, "x", "a b c")]
    [InlineData("prompt.system", 0, "a b c", "Hello, world!")]
    [InlineData("tags", 0, "a b c", "x", "Hello, world!")]
    [InlineData("json", 0, "a b c", "a b c", "a b c", "a b c", "a b c")]
    [InlineData("n", 1)]
    [InlineData("nothing", 1)]
    public async Task Count_ParquetColumn_CountsItsTexts(string column, int code, params string[] texts)
    {
        string file = Path.Combine(Repository.Root, "tests", "Ciyuan.Tests", "Cli", "chats.parquet");

        (int ended, string output, _) = await RunAsync("count", file, "--column", column, "--format", "json");

        JsonElement counted = JsonDocument.Parse(output).RootElement.GetProperty("files")[0];
        Assert.Equal(code, ended);
        Assert.Equal(code == 0 ? 10 : 0, counted.GetProperty("rows").GetInt32());
        Assert.Equal($"{2 * texts.Sum(text => O200k.Count(text))}", Tokens(counted, 0));
    }

    [Fact]
    public async Task Count_DamagedParquet_IsToldAndNothingElseHappens()
    {
        byte[] whole = File.ReadAllBytes(
            Path.Combine(Repository.Root, "tests", "Ciyuan.Tests", "Cli", "chats.parquet"));
        var random = new Random(1);
        for (int i = 0; i < 24; i++)
        {
            byte[] damaged = whole[..(i % 3 == 0 ? random.Next(whole.Length) : whole.Length)];
            for (int j = i % 3 * 8; j > 0; j--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(Path.Combine(_folder, $"{i}.parquet"), damaged);
        }

        (int code, string output, string errors) =
            await RunAsync("count", ".", "--column", "text", "--column", "messages", "--format", "json");

        Assert.Equal((1, ""), (code, errors));
        Assert.Equal(24, JsonDocument.Parse(output).RootElement.GetProperty("files").GetArrayLength());
    }

    private static string Tokens(JsonElement file, int column) =>
        file.GetProperty("counts")[column].GetProperty("tokens").GetString()!;

    private static long Number(JsonElement count, string name) =>
        long.Parse(count.GetProperty(name).GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Signature and header; nothing else of an image is read.</summary>
    private static byte[] Png(int width, int height)
    {
        byte[] file =
        [
            0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8, 0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 0, 0,
            0,
        ];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), height);
        return file;
    }

    private static byte[] Wav(int seconds)
    {
        const int Rate = 8000;
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("RIFF"u8);
        writer.Write(36 + (Rate * seconds));
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)1);
        writer.Write(Rate);
        writer.Write(Rate);
        writer.Write((short)1);
        writer.Write((short)8);
        writer.Write("data"u8);
        writer.Write(Rate * seconds);
        writer.Write(new byte[Rate * seconds]);
        return file.ToArray();
    }

    private void Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        (int code, string output, string errors) = await RunAsync([.. arguments, "--format", "json"]);
        Assert.True(code == 0, errors + output);
        return JsonDocument.Parse(output).RootElement;
    }

    private Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) =>
        RunAsync(arguments, "");

    private async Task<(int Code, string Output, string Errors)> RunAsync(
        string[] arguments, string input, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ciyuan.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
