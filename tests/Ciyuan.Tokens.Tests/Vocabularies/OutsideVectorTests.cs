using System.Text;
using System.Text.Json;
using Ciyuan.Tokens.Tests.Normalizing;
using Ciyuan.Tokens.Vocabularies;
using Xunit.Abstractions;

namespace Ciyuan.Tokens.Tests.Vocabularies;

/// <summary>Ids that others have published, against the slow reference, and counts against the tokenizer.</summary>
public sealed class OutsideVectorTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, (ReferenceTokenizer Reference, Tokenizer Fast)> Made = [];

    [Fact]
    public void Encode_PlansOfGptTokenizer_GivesTheirIds()
    {
        string[] lines = VectorFiles.Read("gpt-tokenizer-plans.vectors");
        int plans = 0;
        for (int i = 0; i + 2 < lines.Length; i++)
        {
            if (lines[i].StartsWith("EncodingName: ", StringComparison.Ordinal))
            {
                string sample = lines[i + 1]["Sample:".Length..];
                AssertIds(lines[i]["EncodingName: ".Length..], sample.Length > 0 ? sample[1..] : "",
                    Ids(lines[i + 2]["Encoded: ".Length..].Trim('[', ']')));
                plans++;
            }
        }

        Assert.Equal(313, plans);
    }

    /// <summary>
    /// Facts stated by openai/tiktoken at 4e71bbe, tests/test_encoding.py and test_simple_public.py (MIT).
    /// </summary>
    [Theory]
    [InlineData("gpt2", "hello world", "31373, 995")]
    [InlineData("r50k_base", "hello world", "31373, 995")]
    [InlineData("p50k_base", "hello world", "31373, 995")]
    [InlineData("cl100k_base", "hello world", "15339, 1917")]
    [InlineData("r50k_base", "", "")]
    [InlineData("gpt2", "0", "15")]
    [InlineData("gpt2", "00", "405")]
    [InlineData("gpt2", "000", "830")]
    [InlineData("gpt2", "0000", "2388")]
    [InlineData("gpt2", "00000", "20483")]
    [InlineData("gpt2", "000000", "10535")]
    [InlineData("gpt2", "0000000", "24598")]
    [InlineData("gpt2", "00000000", "8269")]
    [InlineData("gpt2", "000000000", "10535, 830")]
    [InlineData("gpt2", "0000000000", "8269, 405")]
    [InlineData("gpt2", "00000000000", "8269, 830")]
    [InlineData("gpt2", "000000000000", "8269, 2388")]
    [InlineData("gpt2", "0000000000000", "8269, 20483")]
    [InlineData("gpt2", "00000000000000", "8269, 10535")]
    [InlineData("gpt2", "000000000000000", "8269, 24598")]
    [InlineData("gpt2", "0000000000000000", "25645")]
    [InlineData("gpt2", "00000000000000000", "8269, 10535, 830")]
    [InlineData("cl100k_base", "rer", "38149")]
    [InlineData("cl100k_base", "'rer", "2351, 81")]
    [InlineData("cl100k_base", "today\n ", "31213, 198, 220")]
    [InlineData("cl100k_base", "today\n \n", "31213, 27907")]
    [InlineData("cl100k_base", "today\n  \n", "31213, 14211")]
    [InlineData("cl100k_base", " \u00850", "220, 126, 227, 15")]
    [InlineData("cl100k_base", "\U0001F44D", "9468, 239, 235")]
    public void Encode_CaseOfTiktoken_GivesItsIds(string name, string text, string ids) =>
        AssertIds(name, text, Ids(ids));

    [Theory]
    [InlineData("gpt2", "hello <|endoftext|>", "31373, 220, 50256")]
    [InlineData("cl100k_base", "hello <|endoftext|>", "15339, 220, 100257")]
    public void Encode_SpecialOfTiktoken_GivesItsIds(string name, string text, string ids) =>
        AssertIds(name, text, Ids(ids), withSpecial: true);

    [Fact]
    public void Encode_AdversarialTexts_GivesTheirIds()
    {
        if (VectorFiles.FindShared("adversarial_cl100k_base.jsonl", output) is not { } file)
        {
            return;
        }

        foreach (string line in File.ReadLines(file).Where(line => line.Length > 0))
        {
            using JsonDocument vector = JsonDocument.Parse(line);
            int[] ids = [.. vector.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            AssertIds("cl100k_base", vector.RootElement.GetProperty("text").GetString()!, ids);
        }
    }

    /// <summary>
    /// Systemcluster/kitoken at ee74d092, tests/data (BSD-2-Clause): the small lines of six models.
    /// </summary>
    [Fact]
    [Trait("Takes", "Long")]
    public void Encode_SmallLinesOfKitoken_GivesTheirIds()
    {
        string[] names = ["cl100k_base", "o200k_base", "p50k_base", "gpt2", "deepseek_v3", "mistral_nemo"];
        string[] lines = VectorFiles.Read("kitoken-small.vectors");
        int count = (lines.Length - 1) / (names.Length + 1);
        Assert.Equal(21, count);
        for (int i = 0; i < count * names.Length; i++)
        {
            AssertIds(names[i / count], Unescape(lines[i % count]), Ids(lines[count + i]), withSpecial: true);
        }
    }

    /// <summary>The same source's longer sets, and its loader of tekken.json; they are not passed on here.</summary>
    [Theory]
    [InlineData("mistral_nemo", "tekken/small_tokens_mistral2410", "small")]
    [InlineData("cl100k_base", "tiktoken/utf8_tokens_cl100k_base", "utf8")]
    [InlineData("o200k_base", "tiktoken/utf8_tokens_o200k_base", "utf8")]
    [InlineData("p50k_base", "tiktoken/utf8_tokens_p50k_base", "utf8")]
    [InlineData("p50k_base", "tiktoken/mixed_tokens_p50k_base", "mixed")]
    [InlineData("cl100k_base", "tiktoken/mixed_tokens_cl100k_base", "mixed")]
    [InlineData("o200k_base", "tiktoken/mixed_tokens_o200k_base", "mixed")]
    [InlineData("deepseek_v3", "tokenizers/mixed_tokens_r1", "mixed")]
    [InlineData("mistral_nemo", "tokenizers/mixed_tokens_mistral2410", "mixed")]
    public void Encode_LinesOfKitoken_GivesTheirIds(string name, string tokens, string input)
    {
        if (VectorFiles.Find($"kitoken/{tokens}.txt", output) is not { } expected
            || VectorFiles.Find($"kitoken/{input}_input.txt", output) is not { } texts)
        {
            return;
        }

        string text = File.ReadAllText(texts);
        string[] ids = File.ReadAllText(expected).Split('\n');
        string[] lines = ids.Length == 1 ? [text] : [.. text.Split('\n').Select(Unescape)];
        Assert.Equal(lines.Length, ids.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            // The loader of tekken.json finds no special tokens in text; the others do.
            bool withSpecial = !tokens.StartsWith("tekken/", StringComparison.Ordinal);
            AssertIds(name, lines[i], Ids(ids[i]), withSpecial);
        }
    }

    /// <summary>
    /// llama.cpp's texts. Vocabularies that are not shipped here are looked for as <c>llama.cpp/NAME.json</c> or
    /// <c>.model</c>: those that its GGUF files hold.
    /// </summary>
    [Theory]
    [InlineData("gpt-2", "gpt2")]
    [InlineData("qwen2", "qwen2_5")]
    [InlineData("llama-bpe", null)]
    [InlineData("llama-spm", null)]
    [InlineData("mpt", null)]
    [InlineData("starcoder", null)]
    [InlineData("refact", null)]
    [InlineData("deepseek-llm", null)]
    [InlineData("deepseek-coder", null)]
    [InlineData("falcon", null)]
    [InlineData("bert-bge", null)]
    public void Encode_TextsOfLlamaCpp_GivesTheirIds(string model, string? shipped)
    {
        if (Open($"llama.cpp/{model}", shipped) is not { } vocabulary)
        {
            return;
        }

        using var tokenizer = Tokenizer.For(vocabulary);
        string[] lines = VectorFiles.Read("llama-cpp.vectors");
        Assert.Equal(47, lines.Length);
        foreach (string line in lines[..46])
        {
            using JsonDocument vector = JsonDocument.Parse(line);
            string text = vector.RootElement.GetProperty("text").GetString()!;
            int[] ids = [.. vector.RootElement.GetProperty(model).EnumerateArray().Select(id => id.GetInt32())];
            AssertIds(tokenizer, text, ids, SpecialTokens.AsText);
        }
    }

    /// <summary>Every form into which text is brought, as bytes that a model of single bytes shows.</summary>
    [Fact]
    public void Encode_FormsOfHuggingFace_GivesItsBytes()
    {
        string[] lines = VectorFiles.Read("hugging-face-forms.vectors");
        string map = Convert.ToBase64String(TextNormalizerTests.Map());
        using JsonDocument forms = JsonDocument.Parse(lines[0].Replace("MAP", map, StringComparison.Ordinal));
        Dictionary<string, Tokenizer> made = forms.RootElement.EnumerateObject().ToDictionary(
            form => form.Name, form => OfBytes(form.Value[0].GetRawText(), form.Value[1].GetRawText()));
        int count = 0;
        foreach (string line in lines.Skip(1).Where(line => line.Length > 0))
        {
            using JsonDocument vector = JsonDocument.Parse(line);
            int[] bytes = [.. Convert.FromHexString(vector.RootElement[2].GetString()!).Select(value => (int)value)];
            AssertIds(made[vector.RootElement[0].GetString()!], vector.RootElement[1].GetString()!, bytes,
                SpecialTokens.AsText);
            count++;
        }

        Assert.Equal(150, count);
    }

    /// <summary>Falcon's rules, models that lack bytes, and WordPiece, under small models that were made up.</summary>
    [Fact]
    public void Encode_WordsOfHuggingFace_GivesItsIds()
    {
        string[] lines = VectorFiles.Read("hugging-face-words.vectors");
        using JsonDocument forms = JsonDocument.Parse(lines[0]);
        Dictionary<string, Tokenizer> made = forms.RootElement.EnumerateObject().ToDictionary(
            form => form.Name, form => Tokenizer.For(TokenizerJson.Read(
                Encoding.UTF8.GetBytes(form.Value.GetRawText()), form.Name)));
        int count = 0;
        foreach (string line in lines.Skip(1).Where(line => line.Length > 0))
        {
            using JsonDocument vector = JsonDocument.Parse(line);
            int[] ids = [.. vector.RootElement[2].EnumerateArray().Select(id => id.GetInt32())];
            Tokenizer tokenizer = made[vector.RootElement[0].GetString()!];
            string text = vector.RootElement[1].GetString()!;
            AssertIds(tokenizer, text, ids, SpecialTokens.AsText);
            using RunningCount running = tokenizer.Begin();
            foreach (byte value in Encoding.UTF8.GetBytes(text))
            {
                running.Append([value]);
            }

            Assert.Equal(ids.Length, running.Finish());
            count++;
        }

        Assert.Equal(936, count);
    }

    /// <summary>Vocabularies of kitoken's that are read from their own files, with its lines.</summary>
    [Theory]
    [InlineData("sentencepiece/llama2.model", false)]
    [InlineData("sentencepiece/mistral01.model", false)]
    [InlineData("sentencepiece/mistral03.model", false)]
    [InlineData("sentencepiece/nai-t5.model", false)]
    [InlineData("sentencepiece/nerdstash.model", false)]
    [InlineData("sentencepiece/xlnet_base_cased.model", false)]
    [InlineData("tiktoken/kimi_k2.tiktoken", false)]
    [InlineData("tiktoken/llama4.tiktoken", false)]
    [InlineData("tokenizers/bert_base_cased.json", true)]
    [InlineData("tokenizers/gemma3.json", true)]
    [InlineData("tokenizers/gpt2.json", true)]
    [InlineData("tokenizers/gpt_neox.json", true)]
    [InlineData("tokenizers/llama2.json", true)]
    [InlineData("tokenizers/mistral01.json", true)]
    [InlineData("tokenizers/mistral03.json", true)]
    [InlineData("tokenizers/modernbert.json", true)]
    [InlineData("tokenizers/mpt.json", true)]
    [InlineData("tokenizers/sqlpilot.json", true)]
    [InlineData("tokenizers/xlnet_base_cased.json", true)]
    public void Encode_LinesOfKitoken_UnderItsFiles_GivesTheirIds(string file, bool withSpecial)
    {
        if (Open($"kitoken/models/{Path.ChangeExtension(file, null)}", null) is not { } vocabulary)
        {
            return;
        }

        using var tokenizer = Tokenizer.For(vocabulary);
        string folder = $"kitoken/{Path.GetDirectoryName(file)}";
        foreach (string set in (string[])["small", "utf8", "mixed"])
        {
            string text = File.ReadAllText(VectorFiles.Find($"kitoken/{set}_input.txt", output)!);
            string[] ids = File.ReadAllText(VectorFiles.Find(
                $"{folder}/{set}_tokens_{Path.GetFileNameWithoutExtension(file)}.txt", output)!).Split('\n');
            string[] lines = ids.Length == 1 ? [text] : [.. text.Split('\n').Select(Unescape)];
            for (int i = 0; i < lines.Length; i++)
            {
                AssertIds(tokenizer, lines[i], Ids(ids[i]), withSpecial ? SpecialTokens.Parsed : SpecialTokens.AsText);
            }
        }
    }

    private static Tokenizer OfBytes(string normalizer, string cuts)
    {
        string entries = string.Concat(Enumerable.Range(0, 256).Select(value => $"\"<0x{value:X2}>\":{value},"));
        return Tokenizer.For(TokenizerJson.Read(
            Encoding.UTF8.GetBytes(
                $"{{\"normalizer\":{normalizer},\"pre_tokenizer\":{cuts},\"model\":{{\"vocab\":{{{entries}"
                + "\"<unk>\":256},\"unk_token\":\"<unk>\",\"byte_fallback\":true,\"merges\":[]}}"),
            "tried"));
    }

    private Vocabulary? Open(string path, string? shipped)
    {
        if (shipped is not null)
        {
            return VocabularyCatalog.Shipped.Get(shipped);
        }

        string? file = VectorFiles.Find($"{path}.model", output) ?? VectorFiles.Find($"{path}.json", output)
            ?? VectorFiles.Find($"{path}.tiktoken", output);
        SplitRule split = Path.GetFileName(path) switch
        {
            "kimi_k2" => SplitRule.Kimi,
            _ => SplitRule.O200k,
        };
        return Path.GetExtension(file) switch
        {
            null => null,
            ".model" => SentencePieceModel.Read(File.ReadAllBytes(file!), "tried"),
            ".tiktoken" => TiktokenFile.Read(File.ReadAllBytes(file!), "tried", split, []),
            _ => TokenizerJson.Read(File.ReadAllBytes(file!), "tried"),
        };
    }

    private static void AssertIds(Tokenizer tokenizer, string text, int[] expected, SpecialTokens policy)
    {
        int[] ids = tokenizer.Encode(text, policy);
        Assert.True(
            expected.AsSpan().SequenceEqual(ids),
            $"{Rune(text)}: {string.Join(",", expected)} is right, not {string.Join(",", ids)}");
        Assert.Equal(expected.Length, tokenizer.Count(text, policy));
        Assert.Equal(expected.Length, tokenizer.Count(Encoding.UTF8.GetBytes(text), policy));
    }

    private static void AssertIds(string name, string text, int[] expected, bool withSpecial = false)
    {
        (ReferenceTokenizer reference, Tokenizer fast) = Get(name);
        List<int> slow = reference.Encode(text, withSpecial);
        Assert.True(
            slow.SequenceEqual(expected),
            $"{name}: {Rune(text)}: {string.Join(",", expected)} is right, "
                + $"the reference gives {string.Join(",", slow)}");
        SpecialTokens policy = withSpecial ? SpecialTokens.Parsed : SpecialTokens.AsText;
        Assert.Equal(expected, fast.Encode(text, policy));
        Assert.Equal(expected.Length, fast.Count(text, policy));
        Assert.Equal(expected.Length, fast.Count(Encoding.UTF8.GetBytes(text), policy));
    }

    private static (ReferenceTokenizer Reference, Tokenizer Fast) Get(string name)
    {
        lock (Made)
        {
            if (!Made.TryGetValue(name, out (ReferenceTokenizer, Tokenizer) made))
            {
                Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);
                made = (new ReferenceTokenizer(vocabulary), Tokenizer.For(vocabulary));
                Made.Add(name, made);
            }

            return made;
        }
    }

    private static int[] Ids(string list) => [.. list
        .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Select(id => int.Parse(id, System.Globalization.CultureInfo.InvariantCulture))];

    private static string Unescape(string line) => line.Replace(@"\n", "\n", StringComparison.Ordinal)
        .Replace(@"\s", " ", StringComparison.Ordinal).Replace(@"\x", "", StringComparison.Ordinal);

    private static string Rune(string text) => string.Concat(text.Take(200).Select(
        c => char.IsAscii(c) && !char.IsControl(c) ? c.ToString() : $"\\u{(int)c:X4}"));
}
