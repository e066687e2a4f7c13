// Produces or consumes CloudEvents with the Java SDK and Kafka's own client.
//   Foreign produce BOOTSTRAP TOPIC binary|structured < events, one a line, as {key, event}
//   Foreign consume BOOTSTRAP TOPIC COUNT             > events, one a line, as {key, partition, event}

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.message.Encoding;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.kafka.CloudEventDeserializer;
import io.cloudevents.kafka.CloudEventSerializer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Foreign {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("produce")) {
            produce(arguments[1], arguments[2], arguments[3]);
        } else {
            consume(arguments[1], arguments[2], Integer.parseInt(arguments[3]));
        }
    }

    private static void produce(String bootstrap, String topic, String mode) throws Exception {
        var settings = new HashMap<String, Object>();
        settings.put(CloudEventSerializer.ENCODING_CONFIG, Encoding.valueOf(mode.toUpperCase()));
        if (mode.equals("structured")) {
            settings.put(CloudEventSerializer.EVENT_FORMAT_CONFIG, JsonFormat.CONTENT_TYPE);
        }
        var serializer = new CloudEventSerializer();
        serializer.configure(settings, false);
        var client = Map.<String, Object>of("bootstrap.servers", bootstrap, "acks", "all");
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (var producer = new KafkaProducer<String, CloudEvent>(client, new StringSerializer(), serializer)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode given = JSON.readTree(line);
                CloudEvent event = new JsonFormat().deserialize(JSON.writeValueAsBytes(given.get("event")));
                producer.send(new ProducerRecord<>(topic, given.get("key").asText(), event)).get();
            }
        }
    }

    private static void consume(String bootstrap, String topic, int count) throws Exception {
        var settings = Map.<String, Object>of(
            "bootstrap.servers", bootstrap, "group.id", topic + ".java", "auto.offset.reset", "earliest");
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (var consumer =
                new KafkaConsumer<String, CloudEvent>(settings, new StringDeserializer(), new CloudEventDeserializer())) {
            consumer.subscribe(List.of(topic));
            for (int missing = count; missing > 0; ) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    var shown = JSON.createObjectNode();
                    shown.put("key", record.key());
                    shown.put("partition", record.partition());
                    shown.set("event", JSON.readTree(new JsonFormat().serialize(record.value())));
                    out.println(shown);
                    missing--;
                }
            }
        }
    }
}
