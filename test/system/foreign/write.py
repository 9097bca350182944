"""Events as Confluent's Python client writes them (AvroSerializer, which encodes by fastavro).

    pip install "confluent-kafka[avro,schemaregistry]==2.16.1" fastavro==1.13.1
    python3 write.py http://127.0.0.1:PORT/apis/ccompat/v7 > python.json     (the schemaRegistry of `money-enrichment dev --avro`)

The serializer puts a zero byte and the schema's id in front; the id is another in every registry, so it is left out here.
"""
import json
import sys
from datetime import datetime, timezone
from decimal import Decimal

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

USER = "0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11"
SESSION = "5e551014-0000-4000-8000-000000000001"
AT = {"type": "long", "logicalType": "timestamp-micros"}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 2}


def field(name, kind, **more):
    return {"name": name, "type": kind, **more}


def record(name, fields):
    return {"type": "record", "name": name, "namespace": "com.example", "fields": fields}


def nullable(kind):
    return ["null", kind]


PLACE = record("Place", [field("country", "string")])
CREATED = record(
    "UserSessionCreatedEvent",
    [
        field("id", "string"),
        field("userId", {"type": "string", "logicalType": "uuid"}),
        field("processedAt", AT),
        field("place", "com.example.Place"),
        field("clientCountryCode", "string"),
    ],
)
CLOSED = record(
    "UserSessionClosedEvent",
    [field("id", "string"), field("userId", "string"), field("processedAt", AT), field("reason", "string")],
)
# Of an older release: another name for the type of money, and no isOldMoneyEvent.
OLD_PAYMENT = record(
    "PaymentMade",
    [
        field("id", "string"),
        field("userId", "string"),
        field("processedAt", AT),
        field("userSessionId", nullable("string"), default=None),
        field("amount", DECIMAL),
        field("openingBalance", nullable(DECIMAL)),
        field("closingBalance", [DECIMAL, "null"]),
        field("currency", {"type": "enum", "name": "Currency", "symbols": ["EUR", "UYU"]}),
        field("kind", "string"),
        field("paymentRelatedThing", "string"),
    ],
)
# Of a newer one: more fields, others in another order.
NEW_PAYMENT = record(
    "PaymentEvent",
    [
        field("channel", nullable("string"), default=None),
        field("tags", {"type": "map", "values": {"type": "array", "items": "long"}}, default={}),
        field("moneyType", nullable("string")),
        *OLD_PAYMENT["fields"][:8],
        field("paymentRelatedThing", "string"),
        field("isOldMoneyEvent", "boolean"),
    ],
)


def text(schema):
    return json.dumps(schema, separators=(",", ":"))


REFERENCES = [
    {"name": "com.example.Place", "subject": "place", "schema": text(PLACE), "references": []},
    {
        "name": "com.example.UserSessionCreatedEvent",
        "subject": "session-created",
        "schema": text(CREATED),
        "references": ["com.example.Place"],
    },
    {
        "name": "com.example.UserSessionClosedEvent",
        "subject": "session-closed",
        "schema": text(CLOSED),
        "references": [],
    },
]
SESSIONS = '["com.example.UserSessionCreatedEvent","com.example.UserSessionClosedEvent"]'

client = SchemaRegistryClient({"url": sys.argv[1]})
written = []


def named(name):
    return SchemaReference(name, next(r["subject"] for r in REFERENCES if r["name"] == name), 1)


def write(what, source, schema, references, value):
    serializer = AvroSerializer(
        client,
        Schema(schema, "AVRO", [named(name) for name in references]),
        conf={"auto.register.schemas": True},
    )
    data = serializer(value, SerializationContext(source, MessageField.VALUE))
    written.append(
        {
            "what": what,
            "input": source,
            "key": USER,
            "timestamp": int(value[1]["processedAt"].timestamp() * 1000)
            if isinstance(value, tuple)
            else int(value["processedAt"].timestamp() * 1000),
            "schema": schema,
            "references": references,
            "value": data[5:].hex(),
        }
    )


def at(second, micros=0):
    return datetime(2026, 1, 31, 10, 0, second, micros, tzinfo=timezone.utc)


for reference in REFERENCES:
    client.register_schema(
        reference["subject"], Schema(reference["schema"], "AVRO", [named(name) for name in reference["references"]])
    )
write(
    "a union whose records are schemas of their own",
    "session",
    SESSIONS,
    ["com.example.UserSessionCreatedEvent", "com.example.UserSessionClosedEvent"],
    (
        "com.example.UserSessionCreatedEvent",
        {"id": SESSION, "userId": USER, "processedAt": at(1), "place": {"country": "BR"}, "clientCountryCode": "AR"},
    ),
)
write(
    "an older release's payment: decimals, unions, an enum, without a field",
    "money",
    text(OLD_PAYMENT),
    [],
    {
        "id": "00000000-0000-4000-8000-000000000001",
        "userId": USER,
        "processedAt": at(2, 1999),
        "userSessionId": SESSION,
        "amount": Decimal("-123456789012345678901234567890.10"),
        "openingBalance": None,
        "closingBalance": Decimal("0.00"),
        "currency": "EUR",
        "kind": "BET",
        "paymentRelatedThing": "x",
    }
    | {"openingBalance": Decimal("12.34")},
)
write(
    "a newer release's payment: more fields, in another order",
    "money",
    text(NEW_PAYMENT),
    [],
    {
        "channel": "web",
        "tags": {"a": [1, 2]},
        "moneyType": "WIN",
        "id": "00000000-0000-4000-8000-000000000002",
        "userId": USER,
        "processedAt": at(3),
        "userSessionId": None,
        "amount": Decimal("0.01"),
        "openingBalance": Decimal("0.00"),
        "closingBalance": Decimal("7.10"),
        "currency": "UYU",
        "paymentRelatedThing": "x",
        "isOldMoneyEvent": False,
    },
)
json.dump({"client": "Confluent's Python client 2.16.1, fastavro 1.13.1", "references": REFERENCES, "records": written}, sys.stdout, indent=1)
print()
