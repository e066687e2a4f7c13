// Produces or consumes CloudEvents with the JavaScript SDK and kafkajs.
//   node cloudevents.mjs produce BOOTSTRAP TOPIC binary|structured < events, one a line, as {key, event}
//   node cloudevents.mjs consume BOOTSTRAP TOPIC COUNT             > events, one a line, as {key, partition, event}
import { text } from 'node:stream/consumers';
import { zstdDecompressSync } from 'node:zlib';
import { CloudEvent, Kafka as Binding } from 'cloudevents';
import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs;
// Earshot publishes compressed by zstd, which kafkajs reads once it is told how.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({ decompress: async (buffer) => zstdDecompressSync(buffer) });

const [action, bootstrap, topic, how] = process.argv.slice(2);
const kafka = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.ERROR });

function message({ key, event }) {
  const encoded = Binding[how](new CloudEvent(event));
  // The SDK leaves undefined headers and an object as value, neither of which kafkajs takes.
  const headers = Object.fromEntries(Object.entries(encoded.headers).filter(([, value]) => value !== undefined));
  return { key, headers, value: typeof encoded.value === 'string' ? encoded.value : JSON.stringify(encoded.value) };
}

async function produce() {
  const messages = (await text(process.stdin)).trim().split('\n').map((line) => message(JSON.parse(line)));
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
}

function shown({ partition, message: { key, headers, value } }) {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, content]) => [name, String(content)]));
  const event = Binding.toEvent({ key: String(key), headers: texts, value: String(value) });
  return JSON.stringify({ key: String(key), partition, event });
}

async function consume() {
  const consumer = kafka.consumer({ groupId: `${topic}.js` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let missing = Number(how);
  await new Promise((done, fail) => {
    const eachMessage = async (received) => {
      try {
        console.log(shown(received));
      } catch (wrong) {
        fail(wrong);
      }
      missing -= 1;
      if (missing === 0) done();
    };
    consumer.run({ eachMessage }).catch(fail);
  });
  await consumer.disconnect();
}

await (action === 'produce' ? produce() : consume());
