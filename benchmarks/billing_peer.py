"""The peer of `benchmarks/billing.py`: a FastAPI endpoint that checks Stripe's signature and keeps the event.

It runs in an environment of its own, without anything of this repository: `python billing_peer.py DSN SECRET` prints
the port that it serves on, and serves until it is ended. It is as lean as one can write it with these: the signature is
checked without making objects of the body, and nothing is logged.
"""

import json
import socket
import sys
from datetime import UTC, datetime

import asyncpg
import uvicorn  # type: ignore[import-not-found]
import uvloop
from fastapi import FastAPI, Request, Response  # type: ignore[import-not-found]
from stripe import SignatureVerificationError, WebhookSignature

CONNECTIONS = 16

TABLE = """
    CREATE TABLE IF NOT EXISTS fastapi_events (
        event_id text PRIMARY KEY,
        event_type text NOT NULL,
        event_time timestamptz NOT NULL,
        body bytea NOT NULL,
        state text NOT NULL DEFAULT 'pending',
        receive_time timestamptz NOT NULL DEFAULT now()
    )
"""
INSERT = """
    INSERT INTO fastapi_events (event_id, event_type, event_time, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (event_id) DO NOTHING
"""


async def serve(dsn: str, secret: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=CONNECTIONS, max_size=CONNECTIONS) as connections:
        await connections.execute(TABLE)

        async def receive(request: Request) -> Response:
            body = await request.body()
            try:
                WebhookSignature.verify_header(body, request.headers.get("stripe-signature", ""), secret, tolerance=300)
            except SignatureVerificationError:
                return Response(status_code=400)
            event = json.loads(body)
            created = datetime.fromtimestamp(event["created"], UTC)
            await connections.execute(INSERT, event["id"], event["type"], created, body)
            return Response(status_code=200)

        app = FastAPI()
        app.add_api_route("/webhooks/stripe", receive, methods=["POST"])
        listening = socket.create_server(("127.0.0.1", 0))
        print(listening.getsockname()[1], flush=True)
        await uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning")).serve([listening])


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
