using System.ClientModel;
using Anthropic;
using Anthropic.Models.Messages;
using Ciyuan.Usage;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>The official clients for .NET, unchanged but for their base address.</summary>
public sealed class DotNetClientTests
{
    private const string Sandbox = "  - { id: box, protocol: sandbox, models: [{ model: m, max_output: 100 }] }";

    private static OpenAIClient OpenAI(GatewayServer server, string secret = Secret) => new(
        new ApiKeyCredential(secret), new OpenAIClientOptions { Endpoint = new Uri(server.Host.Url, "/v1") });

    private static AnthropicClient Claude(GatewayServer server, string secret = Secret) => new()
    {
        ApiKey = secret,
        BaseUrl = server.Host.Url.ToString().TrimEnd('/'),
    };

    private static MessageCreateParams Message(string text) => new()
    {
        Model = "m",
        MaxTokens = 50,
        Messages = [new UserMessageParam(text)],
    };

    [Fact]
    public async Task OpenAI_Chat_AnswersAndIsRecorded()
    {
        await using GatewayServer server = await StartAsync(Sandbox);
        ChatClient chat = OpenAI(server).GetChatClient("m");

        ChatCompletion answer = await chat.CompleteChatAsync("good morning");

        Assert.Equal("The sandbox heard: good morning", answer.Content[0].Text);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal(answer.Usage.InputTokenCount, record.Tokens(Usage.Direction.Input));
        Assert.Equal(answer.Usage.OutputTokenCount, record.Tokens(Usage.Direction.Output));
        Assert.Equal("sandbox", record.Context.Provider);
    }

    [Fact]
    public async Task OpenAI_ChatInAStream_ComesInPieces()
    {
        await using GatewayServer server = await StartAsync(Sandbox);
        var pieces = new List<string>();
        await foreach (StreamingChatCompletionUpdate update in
            OpenAI(server).GetChatClient("m").CompleteChatStreamingAsync("one two three"))
        {
            pieces.AddRange(update.ContentUpdate.Select(part => part.Text));
        }

        Assert.Equal("The sandbox heard: one two three", string.Concat(pieces));
        Assert.True(pieces.Count > 3);
        Assert.Equal(6, (await server.RecordAsync()).Tokens(Usage.Direction.Output));
    }

    [Fact]
    public async Task OpenAI_ChatWithATool_CallsIt()
    {
        await using GatewayServer server = await StartAsync(Sandbox);
        var options = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather") } };

        ChatCompletion answer = await OpenAI(server).GetChatClient("m").CompleteChatAsync(
            [new UserChatMessage("What is the weather?")], options);

        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        Assert.Equal("weather", Assert.Single(answer.ToolCalls).FunctionName);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task OpenAI_Embeddings_AreVectors()
    {
        await using GatewayServer server = await StartAsync(Sandbox);

        OpenAIEmbeddingCollection vectors =
            await OpenAI(server).GetEmbeddingClient("m").GenerateEmbeddingsAsync(["one", "two"]);

        Assert.Equal(2, vectors.Count);
        Assert.Equal(8, vectors[0].ToFloats().Length);
        Assert.Equal("embeddings", (await server.RecordAsync()).Context.Operation);
    }

    [Fact]
    public async Task OpenAI_WithoutMoneyOrKey_SeesErrorsOfItsOwn()
    {
        await using GatewayServer server = await StartAsync(Sandbox, credit: "0");

        var money = await Assert.ThrowsAsync<ClientResultException>(
            () => OpenAI(server).GetChatClient("m").CompleteChatAsync("hi"));
        var key = await Assert.ThrowsAsync<ClientResultException>(
            () => OpenAI(server, "cy-nobody").GetChatClient("m").CompleteChatAsync("hi"));

        Assert.Equal((402, 401), (money.Status, key.Status));
        Assert.Contains("insufficient_quota", money.Message);
    }

    [Fact]
    public async Task Anthropic_Message_AnswersAndIsRecorded()
    {
        await using GatewayServer server = await StartAsync(Sandbox);

        Message answer = await Claude(server).Messages.Create(Message("good evening"));

        Assert.True(answer.Content[0].TryPickText(out TextBlock? text));
        Assert.Equal("The sandbox heard: good evening", text.Text);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal(answer.Usage.OutputTokens, record.Tokens(Usage.Direction.Output));
    }

    [Fact]
    public async Task Anthropic_MessageInAStream_ComesInPieces()
    {
        await using GatewayServer server = await StartAsync(Sandbox);
        string text = "";
        await foreach (RawMessageStreamEvent part in Claude(server).Messages.CreateStreaming(Message("one two")))
        {
            if (part.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? delta)
                && delta.Delta.TryPickText(out TextDelta? piece))
            {
                text += piece.Text;
            }
        }

        Assert.Equal("The sandbox heard: one two", text);
        Assert.Equal(5, (await server.RecordAsync()).Tokens(Usage.Direction.Output));
    }

    [Fact]
    public async Task Anthropic_WithoutAKey_SeesAnErrorOfItsOwn()
    {
        await using GatewayServer server = await StartAsync(Sandbox);

        Exception error = await Assert.ThrowsAnyAsync<Exception>(
            () => Claude(server, "cy-nobody").Messages.Create(Message("hi")));

        Assert.Contains("Unauthorized", error.GetType().Name);
    }
}
