"""The two tables of events, which every service that has events keeps in its own schema.

A service's revision executes OUTBOX if it tells events, and INBOX if it handles those of others.
"""

from collections.abc import Iterable

from asyncpg.pool import PoolConnectionProxy

from runtime.events.envelope import topic
from scenemesh.events.v1.envelope_pb2 import Envelope

# Rows live for milliseconds: without eager vacuuming, the relay would walk over all the dead ones.
OUTBOX = (
    """
    CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        payload bytea NOT NULL,
        create_time timestamptz NOT NULL DEFAULT now()
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
)

INBOX = (
    """
    CREATE TABLE inbox (
        consumer_group text NOT NULL,
        event_id uuid NOT NULL,
        receive_time timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer_group, event_id)
    )
    """,
    "CREATE INDEX inbox_receive_time ON inbox USING brin (receive_time)",
)

APPEND = "INSERT INTO outbox (topic, payload) SELECT * FROM unnest($1::text[], $2::bytea[])"


async def append(connection: PoolConnectionProxy, envelopes: Iterable[Envelope]) -> None:
    """Puts events into the outbox, in the caller's transaction; nudge the relay after its commit.

    Events of one subject keep their order if the transactions that append them hold a lock of that subject.
    """
    rows = [(topic(envelope.type), envelope.SerializeToString()) for envelope in envelopes]
    await connection.execute(APPEND, [row[0] for row in rows], [row[1] for row in rows])
