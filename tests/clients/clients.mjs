// The official npm clients, unchanged but for their base address, against a gateway with the sandbox behind model "m".
// CIYUAN_URL and CIYUAN_KEY say where and with which key. One line for each check; exit 1 when one fails.
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

const checks = {
  'openai chat': async () => {
    const answer = await openai.chat.completions.create({ model: 'm', messages });
    assert.equal(answer.choices[0].message.content, heard);
    assert.ok(answer.usage.total_tokens > 0);
  },
  'openai chat stream': async () => {
    let text = '';
    for await (const part of await openai.chat.completions.create({ model: 'm', messages, stream: true })) {
      assert.equal(part.usage ?? null, null);
      text += part.choices[0]?.delta?.content ?? '';
    }
    assert.equal(text, heard);
  },
  'openai chat stream with usage': async () => {
    let usage = null;
    const asked = { model: 'm', messages, stream: true, stream_options: { include_usage: true } };
    for await (const part of await openai.chat.completions.create(asked)) {
      usage = part.usage ?? usage;
    }
    assert.equal(usage.completion_tokens, 5);
  },
  'openai tools': async () => {
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
    const answer = await openai.chat.completions.create({ model: 'm', messages, tools });
    assert.equal(answer.choices[0].message.tool_calls[0].function.name, 'weather');
  },
  'openai picture in': async () => {
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
    const content = [picture, { type: 'text', text: 'good day' }];
    const answer = await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] });
    assert.equal(answer.choices[0].message.content, heard);
  },
  'openai responses': async () => {
    const answer = await openai.responses.create({ model: 'm', input: 'good day' });
    assert.equal(answer.output_text, heard);
  },
  'openai responses stream': async () => {
    let text = '';
    let done = false;
    for await (const part of await openai.responses.create({ model: 'm', input: 'good day', stream: true })) {
      text += part.type === 'response.output_text.delta' ? part.delta : '';
      done ||= part.type === 'response.completed';
    }
    assert.equal(text, heard);
    assert.ok(done);
  },
  'openai embeddings': async () => {
    const answer = await openai.embeddings.create({ model: 'm', input: ['a', 'b'] });
    assert.equal(answer.data.length, 2);
    assert.equal(answer.data[0].embedding.length, 8);
  },
  'openai images': async () => {
    const answer = await openai.images.generate({ model: 'm', prompt: 'a grey point' });
    assert.ok(answer.data[0].b64_json.length > 0);
  },
  'openai picture edited': async () => {
    const image = new File([Buffer.from('iVBORw0KGgo=', 'base64')], 'a.png', { type: 'image/png' });
    const answer = await openai.images.edit({ model: 'm', image, prompt: 'greyer' });
    assert.ok(answer.data[0].b64_json.length > 0);
  },
  'openai completions': async () => {
    const answer = await openai.completions.create({ model: 'm', prompt: 'good day' });
    assert.equal(answer.choices[0].text, heard);
    let text = '';
    for await (const part of await openai.completions.create({ model: 'm', prompt: 'good day', stream: true })) {
      text += part.choices[0]?.text ?? '';
    }
    assert.equal(text, heard);
  },
  'openai responses tools': async () => {
    const tools = [{ type: 'function', name: 'weather', parameters: { type: 'object' }, strict: false }];
    const answer = await openai.responses.create({ model: 'm', input: 'good day', tools });
    assert.equal(answer.output[0].name, 'weather');
  },
  // No official client has it; its form is that of the providers that have it.
  rerank: async () => {
    const asked = { model: 'm', query: 'a', documents: ['a', 'b'] };
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/rerank`, { method: 'POST', headers, body: JSON.stringify(asked) });
    assert.deepEqual((await answer.json()).results.map((r) => r.index), [0, 1]);
  },
  'openai speech': async () => {
    const answer = await openai.audio.speech.create({ model: 'm', voice: 'alloy', input: 'good day' });
    assert.equal((await answer.arrayBuffer()).byteLength, 844);
  },
  'openai transcription': async () => {
    const file = new File([new Uint8Array(800)], 'a.wav', { type: 'audio/wav' });
    const answer = await openai.audio.transcriptions.create({ model: 'm', file });
    assert.ok(answer.text.startsWith('The sandbox heard'));
  },
  'openai models': async () => {
    assert.equal((await openai.models.list()).data[0].id, 'm');
    assert.equal((await openai.models.retrieve('m')).id, 'm');
  },
  'openai errors': async () => {
    await assert.rejects(
      openai.chat.completions.create({ model: 'none', messages }), (e) => e instanceof OpenAI.NotFoundError);
    const nobody = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'cy-nobody', maxRetries: 0 });
    await assert.rejects(nobody.models.list(), (e) => e instanceof OpenAI.AuthenticationError);
  },
  'anthropic message': async () => {
    const answer = await anthropic.messages.create({ model: 'm', max_tokens: 50, messages });
    assert.equal(answer.content[0].text, heard);
    assert.equal(answer.usage.output_tokens, 5);
  },
  'anthropic message stream': async () => {
    const stream = anthropic.messages.stream({ model: 'm', max_tokens: 50, messages });
    assert.equal((await stream.finalMessage()).content[0].text, heard);
  },
  'anthropic tools': async () => {
    const tools = [{ name: 'weather', input_schema: { type: 'object' } }];
    const answer = await anthropic.messages.create({ model: 'm', max_tokens: 50, messages, tools });
    assert.equal(answer.content[0].name, 'weather');
  },
  'anthropic count_tokens': async () => {
    assert.ok((await anthropic.messages.countTokens({ model: 'm', messages })).input_tokens > 0);
  },
  'anthropic picture in': async () => {
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
    const content = [picture, { type: 'text', text: 'good day' }];
    const asked = { model: 'm', max_tokens: 50, messages: [{ role: 'user', content }] };
    assert.equal((await anthropic.messages.create(asked)).content[0].text, heard);
  },
  'anthropic models': async () => {
    assert.equal((await anthropic.models.list()).data[0].id, 'm');
  },
  'anthropic errors': async () => {
    await assert.rejects(
      anthropic.messages.create({ model: 'none', max_tokens: 5, messages }),
      (e) => e instanceof Anthropic.NotFoundError);
  },
  'gemini content': async () => {
    const answer = await gemini.models.generateContent({ model: 'm', contents: 'good day' });
    assert.equal(answer.text, heard);
    assert.ok(answer.usageMetadata.totalTokenCount > 0);
  },
  'gemini content stream': async () => {
    let text = '';
    for await (const part of await gemini.models.generateContentStream({ model: 'm', contents: 'good day' })) {
      text += part.text ?? '';
    }
    assert.equal(text, heard);
  },
  'gemini tools': async () => {
    const config = { tools: [{ functionDeclarations: [{ name: 'weather' }] }] };
    const answer = await gemini.models.generateContent({ model: 'm', contents: 'good day', config });
    assert.equal(answer.functionCalls[0].name, 'weather');
  },
  'gemini countTokens': async () => {
    assert.ok((await gemini.models.countTokens({ model: 'm', contents: 'good day' })).totalTokens > 0);
  },
  'gemini embedContent': async () => {
    const answer = await gemini.models.embedContent({ model: 'm', contents: ['a', 'b'] });
    assert.equal(answer.embeddings.length, 2);
  },
  'gemini picture in': async () => {
    const picture = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } };
    const contents = [{ role: 'user', parts: [picture, { text: 'good day' }] }];
    assert.equal((await gemini.models.generateContent({ model: 'm', contents })).text, heard);
  },
  'gemini models': async () => {
    assert.equal((await gemini.models.get({ model: 'm' })).name, 'models/m');
  },
  'gemini errors': async () => {
    await assert.rejects(
      gemini.models.generateContent({ model: 'none', contents: 'good day' }), (e) => e.status === 404);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.stack ?? error}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
