"""Conversations and their messages."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE conversations (
            user_id text NOT NULL,
            id uuid NOT NULL,
            character text NOT NULL,
            display_name text NOT NULL,
            message_count integer NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, id)
        )
    """)
    op.execute("CREATE INDEX conversations_by_use ON conversations (user_id, updated_at DESC, id DESC)")
    op.execute("""
        CREATE TABLE messages (
            user_id text NOT NULL,
            conversation_id uuid NOT NULL,
            id uuid NOT NULL,
            position integer NOT NULL,
            role text NOT NULL CHECK (role IN ('user', 'character')),
            text text NOT NULL,
            state text NOT NULL CHECK (state IN ('streaming', 'complete', 'failed')),
            created_at timestamptz NOT NULL,
            model text NOT NULL DEFAULT '',
            delta_lengths integer[] NOT NULL DEFAULT '{}',
            input_tokens bigint,
            output_tokens bigint,
            usage_estimated boolean NOT NULL DEFAULT false,
            finish_reason text CHECK (finish_reason IN ('stop', 'length')),
            failure_reason text
                CHECK (failure_reason IN ('model_unavailable', 'model_cut', 'interrupted', 'refused')),
            charged bigint NOT NULL DEFAULT 0,
            hold text NOT NULL DEFAULT '',
            prompt_tokens bigint NOT NULL DEFAULT 0,
            -- Who runs the answer, and until when nobody else may; after the end, resolves its hold.
            owner uuid,
            lease_until timestamptz,
            hold_resolved boolean NOT NULL DEFAULT true,
            PRIMARY KEY (user_id, conversation_id, id),
            UNIQUE (user_id, conversation_id, position),
            FOREIGN KEY (user_id, conversation_id) REFERENCES conversations (user_id, id),
            CHECK ((state = 'failed') = (failure_reason IS NOT NULL)),
            CHECK ((state = 'complete' AND role = 'character') = (finish_reason IS NOT NULL)),
            CHECK (state <> 'streaming' OR (owner IS NOT NULL AND NOT hold_resolved)),
            CHECK (hold_resolved OR (lease_until IS NOT NULL AND hold <> ''))
        )
    """)
    op.execute("""
        CREATE UNIQUE INDEX messages_one_answer_at_a_time ON messages (user_id, conversation_id)
        WHERE state = 'streaming'
    """)
    op.execute("CREATE INDEX messages_unresolved ON messages (lease_until) WHERE NOT hold_resolved")
