/*
 * Events as Java's Apache Avro writes them, which Confluent's KafkaAvroSerializer encodes by (that one is not on Maven Central).
 *
 *   mvn dependency:copy-dependencies of org.apache.avro:avro:1.12.1 and org.slf4j:slf4j-nop:2.0.17 into a folder libs
 *   java -cp "libs/*" Write.java > java.json
 */
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.apache.avro.Conversions;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

public class Write {
  static final String USER = "0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11";
  static final String SESSION = "5e551014-0000-4000-8000-000000000001";
  static final List<String> records = new ArrayList<>();
  static final GenericData data = new GenericData();

  public static void main(String[] args) throws Exception {
    data.addLogicalTypeConversion(new Conversions.DecimalConversion());
    data.addLogicalTypeConversion(new Conversions.UUIDConversion());
    data.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());

    Schema time = LogicalTypes.timestampMillis().addToSchema(Schema.create(Schema.Type.LONG));
    Schema uuid = LogicalTypes.uuid().addToSchema(Schema.createFixed("Uuid", null, "com.example", 16));
    Schema amount = LogicalTypes.decimal(30, 4).addToSchema(Schema.createFixed("Amount", null, "com.example", 13));
    Schema balance = LogicalTypes.decimal(20, 2).addToSchema(Schema.create(Schema.Type.BYTES));
    Schema noUuid = Schema.createUnion(Schema.create(Schema.Type.NULL), uuid);
    Schema noBalance = Schema.createUnion(Schema.create(Schema.Type.NULL), balance);

    Schema address = SchemaBuilder.record("ChangeAddressEvent").namespace("com.example").fields()
        .name("id").type(uuid).noDefault()
        .name("userId").type(uuid).noDefault()
        .name("processedAt").type(time).noDefault()
        .requiredString("address")
        .name("residentCountryCode").type().enumeration("Country").symbols("UY", "AR").noDefault()
        .requiredString("postalCode")
        .endRecord();
    write("an address: UUIDs of 16 bytes, an enum", "user", address, new GenericRecordBuilder(address)
        .set("id", UUID.fromString("00000000-0000-4000-8000-00000000000a"))
        .set("userId", UUID.fromString(USER))
        .set("processedAt", Instant.parse("2026-01-31T10:00:00.500Z"))
        .set("address", "Calle \"18 de Julio\" 1234, Peñarol")
        .set("residentCountryCode", new GenericData.EnumSymbol(address.getField("residentCountryCode").schema(), "UY"))
        .set("postalCode", "11100")
        .build(), "2026-01-31T10:00:00.500Z");

    Schema transaction = SchemaBuilder.record("TransactionEvent").namespace("com.example").fields()
        .requiredString("id")
        .requiredString("userId")
        .name("processedAt").type(time).noDefault()
        .name("userSessionId").type(noUuid).noDefault()
        .name("amount").type(amount).noDefault()
        .name("openingBalance").type(noBalance).noDefault()
        .name("closingBalance").type(noBalance).noDefault()
        .requiredString("currency")
        .requiredString("moneyType")
        .requiredString("transactionRelatedThing")
        .requiredBoolean("isOldMoneyEvent")
        .endRecord();
    write("a transaction: a decimal of fixed size and decimals in unions", "money", transaction, new GenericRecordBuilder(transaction)
        .set("id", "00000000-0000-4000-8000-000000000003")
        .set("userId", USER)
        .set("processedAt", Instant.parse("2026-01-31T10:00:04Z"))
        .set("userSessionId", UUID.fromString(SESSION))
        .set("amount", new BigDecimal("-99999999999999999999999999.0001"))
        .set("openingBalance", new BigDecimal("1.00"))
        .set("closingBalance", new BigDecimal("100000000000000000.99"))
        .set("currency", "EUR")
        .set("moneyType", "BET")
        .set("transactionRelatedThing", "x")
        .set("isOldMoneyEvent", true)
        .build(), "2026-01-31T10:00:04Z");

    System.out.println("{\n \"client\": \"Apache Avro 1.12.1 for Java\",\n \"references\": [],\n \"records\": [\n"
        + String.join(",\n", records) + "\n ]\n}");
  }

  static void write(String what, String input, Schema schema, Object value, String at) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    new GenericDatumWriter<Object>(schema, data).write(value, encoder);
    encoder.flush();
    String text = schema.toString().replace("\\", "\\\\").replace("\"", "\\\"");
    records.add("  {\n   \"what\": \"" + what + "\",\n   \"input\": \"" + input + "\",\n   \"key\": \"" + USER
        + "\",\n   \"timestamp\": " + Instant.parse(at).toEpochMilli() + ",\n   \"schema\": \"" + text
        + "\",\n   \"references\": [],\n   \"value\": \"" + HexFormat.of().formatHex(bytes.toByteArray()) + "\"\n  }");
  }
}
