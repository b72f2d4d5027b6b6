using System.Text;
using System.Text.Json;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Vocabularies;

public sealed class LoaderTests
{
    private const string ByteLevel =
        """ "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true} """;

    [Theory]
    [InlineData("YQ== 0\nYg== 1\n", "", "")]
    [InlineData("YQ== 0\r\nYWI= 5", "", "")]
    [InlineData("YQ==", "Line 1", "base64, a space, a rank")]
    [InlineData("YQ== 0\n!!!! 1", "Line 2", "base64")]
    [InlineData("YQ== x", "Line 1", "rank")]
    [InlineData("YQ== -1", "Line 1", "rank")]
    [InlineData("YQ== 99999999999", "Line 1", "rank")]
    [InlineData("YQ== 0\nYg== 0", "Line 2", "second time")]
    public void ReadTiktoken_File_IsReadOrSaysWhichLine(string file, string where, string what)
    {
        void Read() => TiktokenFile.Read(Encoding.UTF8.GetBytes(file), "t", SplitRule.Gpt2, []);

        AssertOutcome(Read, where, what);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(",\"normalizer\":{\"type\":\"NFC\"}", "")]
    [InlineData(",\"normalizer\":{\"type\":\"Lowercase\"}", "Lowercase")]
    [InlineData(
        ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"NFC\"}]}", "NFC")]
    [InlineData(",\"added_tokens\":[{\"id\":9,\"content\":\"<x>\",\"special\":true}]", "")]
    [InlineData(",\"normalizer\":{\"type\":\"NFKC\"}", "")]
    [InlineData(",\"normalizer\":{\"type\":\"NFKD\"}", "NFKD")]
    [InlineData(",\"added_tokens\":[{\"id\":-1,\"content\":\"<x>\"}]", "outside")]
    [InlineData(",\"added_tokens\":[{\"id\":9}]", "added_tokens[0].content")]
    [InlineData(",\"added_tokens\":{}", "added_tokens")]
    public void ReadTokenizerJson_Part_IsReadOrNamed(string part, string what) =>
        AssertOutcome(() => ReadJson(part), what, "");

    /// <summary>Hugging Face's reader gives such a token the id of the entry with its text, or the next free one.
    /// </summary>
    [Fact]
    public void ReadTokenizerJson_AddedTokensWhereOtherTextIs_GetOtherIds()
    {
        Vocabulary read = ReadJson(
            ",\"added_tokens\":[{\"id\":0,\"content\":\"<x>\"},{\"id\":5,\"content\":\"a\"},"
            + "{\"id\":0,\"content\":\"<y>\"}]");

        Assert.Equal([("<x>", 1), ("a", 5), ("<y>", 6)], read.AddedTokens.Select(token => (token.Content, token.Id)));
    }

    [Theory]
    [InlineData("""{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}""", "")]
    [InlineData("""{"vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}""", "")]
    [InlineData("""{"vocab":{"a":0,"b":1},"merges":["a b"]}""", "merges[0]")]
    [InlineData("""{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b","a b"]}""", "merges[1]")]
    [InlineData("""{"vocab":{"a":0,"b":0},"merges":[]}""", "id 0")]
    [InlineData("""{"vocab":{"a":0,"a":1},"merges":[]}""", "not whole")]
    [InlineData("""{"vocab":{"a":"0"},"merges":[]}""", "'a'")]
    [InlineData("""{"vocab":{"a":99999999},"merges":[]}""", "'a'")]
    [InlineData("""{"vocab":{},"merges":[],"dropout":0.1}""", "dropout")]
    [InlineData("""{"vocab":{},"merges":[],"end_of_word_suffix":"</w>"}""", "end_of_word_suffix")]
    [InlineData("""{"type":"WordPiece","vocab":{}}""", "WordPiece")]
    [InlineData("""{"vocab":{},"merges":["a"]}""", "merges[0]")]
    [InlineData("""{"vocab":[],"merges":[]}""", "model.vocab")]
    public void ReadTokenizerJson_Model_IsReadOrNamed(string model, string what) => AssertOutcome(
        () => TokenizerJson.Read(Encoding.UTF8.GetBytes($"{{\"model\":{model},{ByteLevel}}}"), "t"), what, "");

    [Theory]
    [InlineData("""{"type":"WordPiece","vocab":{"[UNK]":0}}""", "[]", "")]
    [InlineData("""{"max_input_chars_per_word":7,"vocab":{"[UNK]":0}}""", "[]", "")]
    [InlineData("""{"type":"WordPiece","vocab":{"a":0}}""", "[]", "model.unk_token is '[UNK]'")]
    [InlineData("""{"type":"WordPiece","vocab":{"[UNK]":0},"continuing_subword_prefix":"@@"}""", "[]", "'@@'")]
    [InlineData("""{"type":"WordPiece","vocab":{"[UNK]":0},"max_input_chars_per_word":0}""", "[]", "from 1 to")]
    [InlineData("""{"type":"BPE","vocab":{},"merges":[]}""", "[]", "'BPE' on BERT's words")]
    [InlineData("""{"type":"WordPiece","vocab":{"[UNK]":0}}""",
        """[{"id":1,"content":"Abc","normalized":true}]""", "added_tokens[0] 'Abc'")]
    [InlineData("""{"type":"WordPiece","vocab":{"[UNK]":0}}""", """[{"id":1,"content":"abc","normalized":true}]""", "")]
    public void ReadTokenizerJson_WordPiece_IsReadOrNamed(string model, string added, string what)
    {
        byte[] file = Encoding.UTF8.GetBytes($$"""
            {"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
             "added_tokens":{{added}},"model":{{model}}}
            """);
        if (what.Length == 0)
        {
            Assert.Equal(TokenModel.WordPiece, TokenizerJson.Read(file, "t").Model);
            return;
        }

        Assert.Contains(
            what, Assert.Throws<VocabularyException>(() => TokenizerJson.Read(file, "t")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_WordPiece_PutsASpaceBetweenWords()
    {
        using var tokenizer = Tokenizer.For(TokenizerJson.Read(
            Encoding.UTF8.GetBytes(
                """{"pre_tokenizer":{"type":"BertPreTokenizer"},"model":{"type":"WordPiece","vocab":"""
                + """{"[UNK]":0,"un":1,"##able":2,"中":3}}}"""),
            "t"));

        int[] ids = tokenizer.Encode("  unable\n中 no");

        Assert.Equal([1, 2, 3, 0], ids);
        Assert.Equal("unable 中 [UNK]", tokenizer.Decode(ids));
    }

    [Theory]
    [InlineData(SplitRule.DeepSeekLlm, false)]
    [InlineData(SplitRule.DeepSeekCoder, false)]
    [InlineData(SplitRule.Gpt2Digits, true)]
    public void ReadTokenizerJson_PatternsAndDigits_AreTheirRule(SplitRule rule, bool isGpt2Last)
    {
        IEnumerable<string> patterns = isGpt2Last ? [] : ReferenceTokenizer.Patterns(rule)[..^1];
        string steps = string.Concat(patterns.Select(pattern =>
            "{\"type\":\"Split\",\"pattern\":{\"Regex\":" + JsonSerializer.Serialize(pattern)
            + "},\"behavior\":\"Isolated\",\"invert\":false},"));
        Vocabulary Read(string digits) => TokenizerJson.Read(
            Encoding.UTF8.GetBytes(
                "{\"model\":{\"vocab\":{},\"merges\":[]},\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":["
                + steps + "{\"type\":\"Digits\",\"individual_digits\":" + digits + "},{\"type\":\"ByteLevel\","
                + "\"add_prefix_space\":false,\"use_regex\":" + (isGpt2Last ? "true" : "false") + "}]}}"),
            "t");

        Assert.Equal(rule, Read("true").Split);
        Assert.Throws<VocabularyException>(() => Read("false"));
    }

    [Theory]
    [InlineData(@"\\p{N}{1,3}")]
    [InlineData(@"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s")]
    public void ReadTokenizerJson_PatternThatIsNearlyKnown_IsRefused(string pattern)
    {
        string steps = $$"""
            {"type":"Sequence","pretokenizers":[
              {"type":"Split","pattern":{"Regex":"{{pattern}}"},"behavior":"Isolated","invert":false},
              {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}
            """;
        byte[] file = Encoding.UTF8.GetBytes(
            $"{{\"model\":{{\"vocab\":{{}},\"merges\":[]}},\"pre_tokenizer\":{steps}}}");

        Assert.Contains(
            "none of a known family", Assert.Throws<VocabularyException>(() => TokenizerJson.Read(file, "t")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ReadTokenizerJson_CutShortAnywhere_IsRefused()
    {
        byte[] whole = Encoding.UTF8.GetBytes(
            $$$"""{"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},{{{ByteLevel}}}}""");
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<VocabularyException>(() => TokenizerJson.Read(whole.AsMemory(0, length), "t"));
        }
    }

    [Fact]
    public void ReadSentencePiece_CutOrChangedAnywhere_IsRefusedOrRead()
    {
        byte[] whole = SentencePieceFile();
        Vocabulary read = SentencePieceModel.Read(whole, "t");
        Assert.Equal((TokenModel.ScoredBpe, 0, EntryKind.Byte), (read.Model, read.UnknownId, read.KindOf(3)));
        Assert.Equal(new Normalization(UnicodeForm.None, false, SpacePrefix.EachStretch, true), read.Normalization);
        for (int at = 0; at < whole.Length; at++)
        {
            AssertReadOrRefused(whole.AsMemory(0, at));
            byte[] changed = [.. whole];
            changed[at] ^= 0xFF;
            AssertReadOrRefused(changed);
        }

        static void AssertReadOrRefused(ReadOnlyMemory<byte> file)
        {
            Exception? outcome = Record.Exception(() => SentencePieceModel.Read(file, "t"));
            Assert.True(outcome is null or VocabularyException, outcome?.ToString());
        }
    }

    [Fact]
    public void ReadTekken_File_ShiftsRanksBySpecialTokens()
    {
        const string pattern =
            @"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
            + @"|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
            + @"|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        byte[] file = Encoding.UTF8.GetBytes($$"""
            {"config":{"pattern":"{{pattern}}","default_vocab_size":5,"default_num_special_tokens":3},
             "vocab":[{"rank":0,"token_bytes":"YQ=="},{"rank":1,"token_bytes":"Yg=="},{"rank":2,"token_bytes":"Yw=="}]}
            """);

        Vocabulary read = TekkenJson.Read(file, "t");

        Assert.Equal((SplitRule.Tekken, 5, "<s>"), (read.Split, read.Count, read.AddedTokens[1].Content));
        Assert.True(read.TryFind("b"u8, out int id));
        Assert.Equal(4, id);
        Assert.False(read.TryFind("c"u8, out _)); // beyond the size that the configuration gives
    }

    [Theory]
    [InlineData("YQ== 0\n", VocabularyFormat.Tiktoken)]
    [InlineData("{\"version\":\"1.0\",\"model\":{}}", VocabularyFormat.TokenizerJson)]
    [InlineData(" {\"config\":{}", VocabularyFormat.Tekken)]
    [InlineData("\n\u0005", VocabularyFormat.SentencePiece)]
    [InlineData("{\"x\":", VocabularyFormat.Unknown)]
    [InlineData("", VocabularyFormat.Unknown)]
    [InlineData("CYVOCAB\u0001", VocabularyFormat.Compact)]
    public void Detect_Beginning_TellsTheFormat(string beginning, VocabularyFormat format) =>
        Assert.Equal(format, VocabularyFile.Detect(Encoding.UTF8.GetBytes(beginning)));

    private static Vocabulary ReadJson(string part) => TokenizerJson.Read(
        Encoding.UTF8.GetBytes($$$"""{"model":{"vocab":{"a":0},"merges":[]},{{{ByteLevel}}}{{{part}}}}"""), "t");

    private static void AssertOutcome(Action read, string where, string what)
    {
        if (where.Length == 0)
        {
            read();
            return;
        }

        string message = Assert.Throws<VocabularyException>(read).Message;
        Assert.Contains(where, message, StringComparison.Ordinal);
        Assert.Contains(what, message, StringComparison.Ordinal);
    }

    private static byte[] SentencePieceFile()
    {
        List<byte> file = [];
        (string, byte)[] pieces = [("<unk>", 2), ("<s>", 3), ("▁a", 1), ("<0x41>", 6)];
        foreach ((string piece, byte type) in pieces)
        {
            byte[] text = Encoding.UTF8.GetBytes(piece);
            byte[] message = [0x0A, (byte)text.Length, .. text, 0x15, 0, 0, 0x80, 0xBF, 0x18, type];
            file.AddRange([0x0A, (byte)message.Length, .. message]);
        }

        file.AddRange([0x12, 2, 0x18, 2]); // trainer: BPE
        file.AddRange([0x1A, 2, 0x20, 0]); // normalizer: keeps runs of spaces
        return [.. file];
    }
}
