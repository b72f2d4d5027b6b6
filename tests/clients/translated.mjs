// The official npm clients against models that only upstreams of another protocol serve: m-openai, m-anthropic and
// m-gemini, and the same with thinking. CIYUAN_URL and CIYUAN_KEY say where and with which key. One line for each
// check; exit 1 when one fails.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

const url = process.env.CIYUAN_URL.replace(/\/$/, '');
const key = process.env.CIYUAN_KEY;
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const gemini = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
const heard = 'The sandbox heard: good day';
const messages = [{ role: 'user', content: 'good day' }];
const png = 'iVBORw0KGgo=';
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

const ofOpenAI = (model) => ({
  chat: async () => {
    const asked = [{ role: 'system', content: 'Be brief.' }, ...messages];
    const answer = await openai.chat.completions.create({ model, messages: asked, temperature: 0.5, stop: ['###'] });
    assert.equal(answer.choices[0].message.content, heard);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.equal(answer.usage.completion_tokens, 5);
    assert.equal(answer.object, 'chat.completion');
  },
  'chat at its limit': async () => {
    const answer = await openai.chat.completions.create({ model, messages, max_tokens: 2 });
    assert.equal(answer.choices[0].finish_reason, 'length');
  },
  thinking: async () => {
    const asked = { model: `${model}-reason`, messages, reasoning_effort: 'low' };
    const answer = await openai.chat.completions.create(asked);
    assert.ok(answer.usage.completion_tokens > 5);
  },
  stream: async () => {
    let text = '';
    let usage = null;
    const asked = { model, messages, stream: true, stream_options: { include_usage: true } };
    for await (const part of await openai.chat.completions.create(asked)) {
      text += part.choices[0]?.delta?.content ?? '';
      usage = part.usage ?? usage;
    }
    assert.equal(text, heard);
    assert.equal(usage.completion_tokens, 5);
  },
  'stream without usage': async () => {
    for await (const part of await openai.chat.completions.create({ model, messages, stream: true })) {
      assert.equal(part.usage ?? null, null);
    }
  },
  tools: async () => {
    const tools = [{ type: 'function', function: { name: 'weather', parameters: schema } }];
    const stream = openai.chat.completions.stream({ model, messages, tools });
    const answer = await stream.finalChatCompletion();
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(call.function.name, 'weather');
    assert.deepEqual(JSON.parse(call.function.arguments), {});
    const told = [...messages, answer.choices[0].message, { role: 'tool', tool_call_id: call.id, content: '12' },
      { role: 'user', content: 'good day' }];
    const last = await openai.chat.completions.create({ model, messages: told, tools });
    assert.equal(last.choices[0].message.content, heard);
  },
  picture: async () => {
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } };
    const content = [picture, { type: 'text', text: 'good day' }];
    const answer = await openai.chat.completions.create({ model, messages: [{ role: 'user', content }] });
    assert.equal(answer.choices[0].message.content, heard);
  },
  errors: async () => {
    await assert.rejects(
      openai.chat.completions.create({ model, messages, logprobs: true }),
      (e) => e instanceof OpenAI.BadRequestError && e.message.includes('logprobs'));
  },
});

const ofResponses = (model) => ({
  response: async () => {
    const asked = { model, instructions: 'Be brief.', input: 'good day', max_output_tokens: 50, store: false };
    const answer = await openai.responses.create(asked);
    assert.equal(answer.output_text, heard);
    assert.equal(answer.status, 'completed');
    assert.equal(answer.usage.output_tokens, 5);
  },
  stream: async () => {
    const seen = [];
    const stream = openai.responses.stream({ model, input: messages });
    stream.on('event', (event) => seen.push(event.type));
    const answer = await stream.finalResponse();
    assert.equal(answer.output_text, heard);
    assert.equal(seen[0], 'response.created');
    assert.equal(seen.at(-1), 'response.completed');
    assert.ok(seen.filter((type) => type === 'response.output_text.delta').length > 3);
  },
  tools: async () => {
    const tools = [{ type: 'function', name: 'weather', parameters: schema, strict: false }];
    const answer = await openai.responses.stream({ model, input: messages, tools }).finalResponse();
    const call = answer.output.find((item) => item.type === 'function_call');
    assert.equal(call.name, 'weather');
    assert.equal(call.arguments, '{}');
    const input = [...messages, ...answer.output, { type: 'function_call_output', call_id: call.call_id, output: '12' },
      { role: 'user', content: [{ type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${png}` },
        { type: 'input_text', text: 'good day' }] }];
    assert.equal((await openai.responses.create({ model, input, tools })).output_text, heard);
  },
  errors: async () => {
    await assert.rejects(
      openai.responses.create({ model, input: 'a', previous_response_id: 'resp_1' }),
      (e) => e instanceof OpenAI.BadRequestError && e.message.includes('previous_response_id'));
  },
});

const ofAnthropic = (model) => ({
  message: async () => {
    const asked = { model, max_tokens: 50, messages, system: 'Be brief.', stop_sequences: ['###'] };
    const answer = await anthropic.messages.create(asked);
    assert.equal(answer.content[0].text, heard);
    assert.equal(answer.stop_reason, 'end_turn');
    assert.equal(answer.usage.output_tokens, 5);
    assert.equal(answer.type, 'message');
  },
  thinking: async () => {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const asked = { model: `${model}-reason`, max_tokens: 2000, messages, thinking };
    const answer = await anthropic.messages.create(asked);
    assert.ok(answer.usage.output_tokens > 5);
  },
  stream: async () => {
    const seen = [];
    const stream = anthropic.messages.stream({ model, max_tokens: 50, messages });
    stream.on('streamEvent', (event) => seen.push(event.type));
    const answer = await stream.finalMessage();
    assert.equal(answer.content[0].text, heard);
    assert.equal(answer.usage.output_tokens, 5);
    assert.ok(answer.usage.input_tokens > 0);
    assert.deepEqual([seen[0], seen[1], seen.at(-3), seen.at(-2), seen.at(-1)],
      ['message_start', 'content_block_start', 'content_block_stop', 'message_delta', 'message_stop']);
  },
  tools: async () => {
    const tools = [{ name: 'weather', input_schema: schema }];
    const stream = anthropic.messages.stream({ model, max_tokens: 50, messages, tools });
    const answer = await stream.finalMessage();
    const [call] = answer.content;
    assert.equal(answer.stop_reason, 'tool_use');
    assert.equal(call.name, 'weather');
    assert.deepEqual(call.input, {});
    const told = [...messages, { role: 'assistant', content: answer.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: '12' },
        { type: 'text', text: 'good day' }] }];
    const last = await anthropic.messages.create({ model, max_tokens: 50, messages: told, tools });
    assert.equal(last.content[0].text, heard);
  },
  picture: async () => {
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } };
    const content = [picture, { type: 'text', text: 'good day' }];
    const answer = await anthropic.messages.create({ model, max_tokens: 50, messages: [{ role: 'user', content }] });
    assert.equal(answer.content[0].text, heard);
  },
  errors: async () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
    await assert.rejects(
      anthropic.messages.create({ model, max_tokens: 5, messages, tools }),
      (e) => e instanceof Anthropic.BadRequestError && e.message.includes('tools[0].type'));
  },
  count_tokens: async () => {
    if (model === 'm-openai') {
      await assert.rejects(anthropic.messages.countTokens({ model, messages }), Anthropic.NotFoundError);
      return; // there is no way to ask such an upstream
    }
    assert.ok((await anthropic.messages.countTokens({ model, messages })).input_tokens > 0);
  },
});

const ofGemini = (model) => ({
  content: async () => {
    const config = { systemInstruction: 'Be brief.', temperature: 0.5, stopSequences: ['###'] };
    const answer = await gemini.models.generateContent({ model, contents: 'good day', config });
    assert.equal(answer.text, heard);
    assert.equal(answer.candidates[0].finishReason, 'STOP');
    assert.equal(answer.usageMetadata.candidatesTokenCount, 5);
  },
  stream: async () => {
    let text = '';
    let last = null;
    for await (const part of await gemini.models.generateContentStream({ model, contents: 'good day' })) {
      text += part.text ?? '';
      last = part;
    }
    assert.equal(text, heard);
    assert.equal(last.candidates[0].finishReason, 'STOP');
    assert.equal(last.usageMetadata.candidatesTokenCount, 5);
  },
  tools: async () => {
    const tools = [{ functionDeclarations: [
      { name: 'weather', parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } } } }] }];
    const chat = gemini.chats.create({ model, config: { tools } });
    const asked = await chat.sendMessage({ message: 'good day' });
    const [call] = asked.functionCalls;
    assert.equal(call.name, 'weather');
    const result = { functionResponse: { id: call.id, name: call.name, response: { output: '12' } } };
    const answer = await chat.sendMessage({ message: [result, { text: 'good day' }] });
    assert.equal(answer.text, heard);
  },
  picture: async () => {
    const contents = [{ role: 'user', parts: [
      { inlineData: { mimeType: 'image/png', data: png } }, { text: 'good day' }] }];
    assert.equal((await gemini.models.generateContent({ model, contents })).text, heard);
  },
  errors: async () => {
    const config = { tools: [{ googleSearch: {} }] };
    await assert.rejects(
      gemini.models.generateContent({ model, contents: 'good day', config }),
      (e) => e.status === 400 && e.message.includes('tools[0].googleSearch'));
  },
  countTokens: async () => {
    if (model === 'm-openai') {
      await assert.rejects(gemini.models.countTokens({ model, contents: 'a' }), (e) => e.status === 404);
      return;
    }
    assert.ok((await gemini.models.countTokens({ model, contents: 'good day' })).totalTokens > 0);
  },
});

const all = [
  ['openai', ofOpenAI, ['m-anthropic', 'm-gemini']],
  ['openai responses', ofResponses, ['m-anthropic', 'm-gemini']],
  ['anthropic', ofAnthropic, ['m-openai', 'm-gemini']],
  ['gemini', ofGemini, ['m-openai', 'm-anthropic']],
];

let failed = 0;
for (const [client, of, models] of all) {
  for (const model of models) {
    for (const [name, check] of Object.entries(of(model))) {
      try {
        await check();
        console.log(`ok ${client} to ${model}: ${name}`);
      } catch (error) {
        failed++;
        console.log(`FAILED ${client} to ${model}: ${name}: ${error.stack ?? error}`);
      }
    }
  }
}
process.exit(failed === 0 ? 0 : 1);
