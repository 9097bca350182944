import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads topics from their beginning with read_committed and prints one JSON object a record:
 * {"topic","partition","offset","timestamp","key","value","headers":[[name,value],...]}, bytes in base64.
 * It shares nothing with the client that the product uses.
 *
 * Arguments: bootstrap servers, "end" (up to the last stable offsets as they are at the start) or "follow", topics.
 */
public class Reader {
  private static final Base64.Encoder BASE64 = Base64.getEncoder();

  public static void main(String[] args) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("isolation.level", "read_committed");
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "earliest");
    properties.put("fetch.max.wait.ms", "100");
    properties.put("reconnect.backoff.max.ms", "300");
    properties.put("default.api.timeout.ms", "120000");
    properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
    properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
    boolean follow = args[1].equals("follow");
    PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);

    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (int i = 2; i < args.length; i++) {
        consumer.partitionsFor(args[i]).forEach((info) -> partitions.add(new TopicPartition(info.topic(), info.partition())));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (follow || partitions.stream().anyMatch((partition) -> consumer.position(partition) < ends.get(partition))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          if (follow || record.offset() < ends.get(new TopicPartition(record.topic(), record.partition()))) out.println(json(record));
        }
        out.flush();
        if (out.checkError()) return; // nobody reads any more
      }
      out.println("{\"end\":true}");
      out.flush();
    }
  }

  private static String json(ConsumerRecord<byte[], byte[]> record) {
    StringBuilder text = new StringBuilder(512);
    text.append("{\"topic\":\"").append(record.topic()).append("\",\"partition\":").append(record.partition());
    text.append(",\"offset\":").append(record.offset()).append(",\"timestamp\":").append(record.timestamp());
    text.append(",\"key\":").append(base64(record.key())).append(",\"value\":").append(base64(record.value()));
    text.append(",\"headers\":[");
    String separator = "";
    for (Header header : record.headers()) {
      text.append(separator).append('[').append(base64(header.key().getBytes(StandardCharsets.UTF_8))).append(',').append(base64(header.value())).append(']');
      separator = ",";
    }
    return text.append("]}").toString();
  }

  private static String base64(byte[] bytes) {
    return bytes == null ? "null" : '"' + BASE64.encodeToString(bytes) + '"';
  }
}
