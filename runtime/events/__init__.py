"""Events between services: the outbox, its relay to Redis Streams, and consumers that handle each event once."""
