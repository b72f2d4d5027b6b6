using System.Text;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Vocabularies;

public sealed class ModelRulesTests
{
    [Theory]
    [InlineData("gpt-4o", "o200k_base")]
    [InlineData("gpt-4o-2024-08-06", "o200k_base")]
    [InlineData("GPT-4o-mini", "o200k_base")]
    [InlineData("openai/gpt-4.1-nano", "o200k_base")]
    [InlineData("gpt-5.4-mini", "o200k_base")]
    [InlineData("o3", "o200k_base")]
    [InlineData("gpt-4", "cl100k_base")]
    [InlineData("gpt-4-0613", "cl100k_base")]
    [InlineData("gpt-4-32k", "cl100k_base")]
    [InlineData("gpt-3.5-turbo-0125", "cl100k_base")]
    [InlineData("gpt-35-turbo", "cl100k_base")]
    [InlineData("ft:gpt-4o-mini-2024-07-18:org::id", "o200k_base")]
    [InlineData("ft:gpt-3.5-turbo-0125:org::id", "cl100k_base")]
    [InlineData("text-embedding-3-small", "cl100k_base")]
    [InlineData("text-davinci-003", "p50k_base")]
    [InlineData("code-davinci-edit-001", "p50k_edit")]
    [InlineData("davinci", "r50k_base")]
    [InlineData("openai/gpt-oss-120b", "o200k_harmony")]
    [InlineData("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3")]
    [InlineData("qwen3-coder-plus", "qwen3")]
    [InlineData("Qwen/Qwen2.5-7B-Instruct", "qwen2_5")]
    [InlineData("deepseek-chat", "deepseek_v3")]
    [InlineData("deepseek-chat-v3-0324:free", "deepseek_v3")]
    [InlineData("deepseek-ai/DeepSeek-V3.1", "deepseek_v3")]
    [InlineData("deepseek-v3.2-exp", "deepseek_v3")]
    [InlineData("deepseek-r1-0528", "deepseek_v3")]
    [InlineData("deepseek-v4-pro", "deepseek_v4")]
    [InlineData("mistral-nemo:free", "mistral_nemo")]
    [InlineData("open-mistral-nemo-2407", "mistral_nemo")]
    [InlineData("meta-llama/Llama-3.3-70B-Instruct", "llama3")]
    [InlineData("kimi-k2-0905", "kimi_k2")]
    [InlineData("claude-sonnet-4.5", null)]
    [InlineData("gemini-3-pro", null)]
    [InlineData("deepseek-r1-distill-qwen-32b", null)]
    [InlineData("qwen-max-latest", null)]
    [InlineData("gpt-image-2", null)]
    public void Find_KnownModel_GivesItsVocabularyOrWhyNot(string model, string? vocabulary)
    {
        ModelVocabulary? answer = ModelRules.Shipped.Find(model);

        Assert.NotNull(answer);
        Assert.Equal(vocabulary, answer.Vocabulary);
        Assert.NotEmpty(answer.Source);
        Assert.True(vocabulary is not null || answer.Remark.Length > 20);
    }

    [Theory]
    [InlineData("")]
    [InlineData("gpt")]
    [InlineData("gpt-6")]
    [InlineData("o2")]
    [InlineData("my-gpt-4o")]
    [InlineData("qwen4-8b")]
    [InlineData("deepseek-v5")]
    [InlineData("llama")]
    public void Find_UnknownModel_GivesNothing(string model)
    {
        Assert.Null(ModelRules.Shipped.Find(model));
        Assert.Contains("not known", Assert.Throws<VocabularyException>(
            () => VocabularyCatalog.Shipped.GetForModel(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GetForModel_VocabularyThatIsNotHere_SaysHowToGetIt() => Assert.Contains(
        "ciyuan vocab add", Assert.Throws<VocabularyException>(
            () => VocabularyCatalog.Shipped.GetForModel("llama-3.1-8b-instruct")).Message, StringComparison.Ordinal);

    [Fact]
    public void With_OwnRules_GoBeforeTheLibrarys()
    {
        ModelRules rules = ModelRules.With(Encoding.UTF8.GetBytes(
            """{"rules":[{"vocabulary":"qwen3","models":["gpt-4o","our-*"],"source":"we"}]}"""));

        Assert.Equal("qwen3", rules.Find("gpt-4o")!.Vocabulary);
        Assert.Equal("qwen3", rules.Find("our-model")!.Vocabulary);
        Assert.Equal("cl100k_base", rules.Find("gpt-4")!.Vocabulary);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"rules":[{"models":["a"]}]}""")]
    [InlineData("""{"rules":[{"vocabulary":"x","none":"y","models":["a"]}]}""")]
    public void With_BadRules_IsRefused(string file) =>
        Assert.Throws<VocabularyException>(() => ModelRules.With(Encoding.UTF8.GetBytes(file)));

    [Fact]
    public void Get_FolderOfFiles_IsFoundByNameInAnySpelling()
    {
        string folder = Directory.CreateTempSubdirectory("ciyuan-vocab-").FullName;
        try
        {
            byte[] image = VocabularyFile.Compact(
                Encoding.UTF8.GetBytes("YQ== 0\nYg== 1\nYWI= 2\n"), "x.tiktoken", "own.1", SplitRule.Kimi);
            File.WriteAllBytes(Path.Combine(folder, "own.1" + VocabularyFile.Extension), image);
            VocabularyCatalog catalog = new(folder, Path.Combine(folder, "missing"));

            Vocabulary vocabulary = catalog.Get("OWN-1");

            Assert.Equal((3, SplitRule.Kimi, "x.tiktoken"), (vocabulary.Count, vocabulary.Split, vocabulary.Source.File));
            Assert.Same(vocabulary, catalog.Get("own_1"));
            Assert.Contains("o200k_base", Assert.Throws<VocabularyException>(() => catalog.Get("nope")).Message,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
