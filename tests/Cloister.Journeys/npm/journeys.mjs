// The official client, unmodified, through 'cloister proxy'. Usage: node journeys.mjs BASE_URL JOURNEY
// Prints one line of JSON about what the client saw; the test judges it.
import OpenAI from 'openai';

const [baseURL, journey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'any', maxRetries: 0 });
const models = journey === 'unattested' ? [] : (await client.models.list()).data.map((model) => model.id);
const model = models[0] ?? 'any';
const messages = [{ role: 'user', content: 'Hello!' }];

const journeys = {
  async models() {
    return { models, described: (await client.models.retrieve(model)).id };
  },

  async chat() {
    const answer = await client.chat.completions.create({ model, messages, max_completion_tokens: 24, temperature: 0 });
    return { text: answer.choices[0].message.content, reason: answer.choices[0].finish_reason, tokens: answer.usage.completion_tokens };
  },

  async stream() {
    const stream = await client.chat.completions.create({ model, messages, max_completion_tokens: 24, temperature: 0, stream: true, stream_options: { include_usage: true } });
    const pieces = [];
    let tokens = 0;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta?.content) pieces.push(chunk.choices[0].delta.content);
      if (chunk.usage) tokens = chunk.usage.completion_tokens;
    }
    return { text: pieces.join(''), pieces: pieces.length, tokens };
  },

  // The stand-in server calls the tool that it was given, with everything else that it was sent as arguments.
  async tools() {
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];
    const answer = await client.chat.completions.create({ model, messages, tools, tool_choice: 'required', logprobs: true, unheard_of: { deep: [1.5, 'é'] } });
    const call = answer.choices[0].message.tool_calls[0];
    return { name: call.function.name, sent: JSON.parse(call.function.arguments) };
  },

  // The stand-in server streams for ever, until its reader is gone.
  async abort() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) {
      stream.controller.abort();
      break;
    }
    return { aborted: stream.controller.signal.aborted };
  },

  async unattested() {
    return journeys.refused();
  },

  async refused() {
    try {
      await client.chat.completions.create({ model: 'none-of-these', messages });
      return { status: 200 };
    } catch (error) {
      return { status: error.status, code: error.code };
    }
  },
};

console.log(JSON.stringify(await journeys[journey]()));
