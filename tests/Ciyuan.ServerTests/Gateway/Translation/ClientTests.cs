using System.ClientModel;
using Anthropic;
using Anthropic.Models.Messages;
using Ciyuan.Server.Gateway;
using Ciyuan.Usage;
using OpenAI;
using OpenAI.Chat;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>
/// The official clients against models that only upstreams of another protocol serve: <c>m-openai</c>,
/// <c>m-anthropic</c> and <c>m-gemini</c>. The upstream of each is a second gateway with the sandbox, which is asked in
/// that protocol alone.
/// </summary>
public sealed class ClientTests
{
    private const string Sandbox = "  - { id: box, protocol: sandbox, models: [{ model: m, max_output: 100 }, "
        + "{ model: m-reason, max_output: 100 }] }";

    private static readonly byte[] Png = Convert.FromBase64String("iVBORw0KGgo=");

    /// <summary>A gateway before another one.</summary>
    internal sealed class Chain : IAsyncDisposable
    {
        private readonly GatewayServer _back;

        private Chain(GatewayServer back, GatewayServer front) => (_back, Front) = (back, front);

        internal GatewayServer Front { get; }

        internal static async Task<Chain> StartAsync()
        {
            GatewayServer back = await GatewayServer.StartAsync(Sandbox);
            await back.SetUpAsync($"access: [{{ key: k1, hash: {Secrets.Hash("vendor-secret")} }}]");
            string url = back.Host.Url.ToString().TrimEnd('/');
            GatewayServer front = await GatewayServer.StartAsync(string.Join('\n',
                Of("openai", url + "/v1"), Of("anthropic", url), Of("gemini", url)));
            return new Chain(back, front);

            static string Of(string protocol, string url) =>
                $"  - {{ id: {protocol}, provider: vendor, protocol: {protocol}, base_url: \"{url}\","
                + $" allow_inside: true, key_variable: VENDOR_KEY,"
                + $" models: [{{ model: m-{protocol}, as: m, max_output: 100 }},"
                + $" {{ model: m-{protocol}-reason, as: m-reason, max_output: 100 }}] }}";
        }

        public async ValueTask DisposeAsync()
        {
            await Front.DisposeAsync();
            await _back.DisposeAsync();
        }
    }

    private static ChatClient OpenAI(Chain chain, string model) => new OpenAIClient(
        new ApiKeyCredential(Secret), new OpenAIClientOptions { Endpoint = new Uri(chain.Front.Host.Url, "/v1") })
        .GetChatClient(model);

    private static AnthropicClient Claude(Chain chain) => new()
    {
        ApiKey = Secret,
        BaseUrl = chain.Front.Host.Url.ToString().TrimEnd('/'),
    };

    private static MessageCreateParams Message(string model, string text) => new()
    {
        Model = model,
        MaxTokens = 50,
        Messages = [new UserMessageParam(text)],
    };

    [Theory]
    [InlineData("m-anthropic", "anthropic")]
    [InlineData("m-gemini", "gemini")]
    public async Task OpenAI_ChatWithAPicture_AnswersAndIsRecorded(string model, string spoken)
    {
        await using Chain chain = await Chain.StartAsync();

        ChatCompletion answer = await OpenAI(chain, model).CompleteChatAsync(
            [
                new SystemChatMessage("Be brief."),
                new UserChatMessage(
                    ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(Png), "image/png"),
                    ChatMessageContentPart.CreateTextPart("good morning")),
            ],
            new ChatCompletionOptions { Temperature = 0.5f, MaxOutputTokenCount = 50 });

        Assert.Equal("The sandbox heard: good morning", answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        UsageRecord record = await chain.Front.RecordAsync();
        Assert.Contains(new Tag("protocol_spoken", spoken), record.Tags);
        Assert.Equal(answer.Usage.InputTokenCount, record.Tokens(Usage.Direction.Input));
        Assert.Equal(answer.Usage.OutputTokenCount, record.Tokens(Usage.Direction.Output));
        await chain.Front.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData("m-anthropic")]
    [InlineData("m-gemini")]
    public async Task OpenAI_Tool_IsCalledAndItsResultIsHeard(string model)
    {
        await using Chain chain = await Chain.StartAsync();
        var options = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather") } };
        var messages = new List<ChatMessage> { new UserChatMessage("What is the weather?") };

        ChatCompletion call = await OpenAI(chain, model).CompleteChatAsync(messages, options);
        ChatToolCall tool = Assert.Single(call.ToolCalls);
        messages.Add(new AssistantChatMessage(call));
        messages.Add(new ToolChatMessage(tool.Id, "12 degrees"));
        messages.Add(new UserChatMessage("and now"));
        ChatCompletion answer = await OpenAI(chain, model).CompleteChatAsync(messages, options);

        Assert.Equal((ChatFinishReason.ToolCalls, "weather"), (call.FinishReason, tool.FunctionName));
        Assert.Equal("The sandbox heard: and now", answer.Content[0].Text);
    }

    [Theory]
    [InlineData("m-anthropic")]
    [InlineData("m-gemini")]
    public async Task OpenAI_ChatInAStream_ComesInPiecesWithItsUsage(string model)
    {
        await using Chain chain = await Chain.StartAsync();
        var pieces = new List<string>();
        ChatTokenUsage? usage = null;
        await foreach (StreamingChatCompletionUpdate update in
            OpenAI(chain, model).CompleteChatStreamingAsync("one two three"))
        {
            pieces.AddRange(update.ContentUpdate.Select(part => part.Text).Where(text => text.Length > 0));
            usage = update.Usage ?? usage;
        }

        Assert.Equal("The sandbox heard: one two three", string.Concat(pieces));
        Assert.True(pieces.Count > 3);
        Assert.Equal(6, usage!.OutputTokenCount);
    }

    [Fact]
    public async Task OpenAI_WhatCantBeCarried_IsAnErrorOfItsOwn()
    {
        await using Chain chain = await Chain.StartAsync();

        var error = await Assert.ThrowsAsync<ClientResultException>(() => OpenAI(chain, "m-gemini").CompleteChatAsync(
            [new UserChatMessage("hi")], new ChatCompletionOptions { IncludeLogProbabilities = true }));

        Assert.Equal(400, error.Status);
        Assert.Contains("'logprobs'", error.Message);
    }

    [Theory]
    [InlineData("m-openai")]
    [InlineData("m-gemini")]
    [Trait("Takes", "Long")]
    public async Task Anthropic_Message_AnswersAndIsRecorded(string model)
    {
        await using Chain chain = await Chain.StartAsync();

        Message answer = await Claude(chain).Messages.Create(Message(model, "good evening"));

        Assert.True(answer.Content[0].TryPickText(out TextBlock? text));
        Assert.Equal("The sandbox heard: good evening", text.Text);
        UsageRecord record = await chain.Front.RecordAsync();
        Assert.Equal(answer.Usage.OutputTokens, record.Tokens(Usage.Direction.Output));
        Assert.Contains(new Tag("protocol_asked", "anthropic"), record.Tags);
    }

    [Theory]
    [InlineData("m-openai")]
    [InlineData("m-gemini")]
    public async Task Anthropic_MessageInAStream_ComesInPieces(string model)
    {
        await using Chain chain = await Chain.StartAsync();
        string text = "";
        bool stopped = false;
        await foreach (RawMessageStreamEvent part in Claude(chain).Messages.CreateStreaming(Message(model, "one two")))
        {
            stopped |= part.TryPickStop(out _);
            if (part.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? delta)
                && delta.Delta.TryPickText(out TextDelta? piece))
            {
                text += piece.Text;
            }
        }

        Assert.Equal("The sandbox heard: one two", text);
        Assert.True(stopped);
        Assert.Equal(5, (await chain.Front.RecordAsync()).Tokens(Usage.Direction.Output));
    }
}
