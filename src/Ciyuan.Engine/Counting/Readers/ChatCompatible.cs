namespace Ciyuan.Counting.Readers;

/// <summary>Providers that speak OpenAI's conventions as they are. One with a peculiarity gets a file of its
/// own.</summary>
internal static class ChatCompatible
{
    private static readonly string[] Names =
    [
        "cerebras", "doubleword", "fireworks", "together", "modal", "ovhcloud", "sambanova", "novita", "nebius",
        "hyperbolic", "siliconflow", "stepfun", "baidu", "qianfan", "hunyuan", "tencent", "huggingface",
        "huggingface_cerebras", "huggingface_fireworks-ai", "huggingface_groq", "huggingface_hyperbolic",
        "huggingface_nebius", "huggingface_novita", "huggingface_nscale", "huggingface_ovhcloud",
        "huggingface_publicai", "huggingface_sambanova", "huggingface_together", "vllm", "sglang", "llamacpp",
        "litellm", "github", "nvidia",
    ];

    internal static UsageReader[] Readers { get; } =
    [
        new("compatible", "chat", OpenAiChat.Take) { AlsoProviders = Names, AlsoFlavours = ["default", "completions"] },
        new("compatible", "responses", OpenAiResponses.Take)
        {
            AlsoProviders = Names,
            Beside = ServerTools.OfResponses,
        },
        new("compatible", "embeddings", OpenAiEmbeddings.Take) { AlsoProviders = Names },
    ];
}
