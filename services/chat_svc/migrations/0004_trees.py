"""Messages form a tree; conversations may be groups, put away, summarised and forked."""

from alembic import op

revision = "0004"
down_revision = "0003"

CONVERSATIONS = """
    ALTER TABLE conversations
        ADD others text[] NOT NULL DEFAULT '{}',
        ADD turn_taking jsonb,
        ADD archived boolean NOT NULL DEFAULT false,
        -- The message that the chosen branch ends with.
        ADD current_id uuid,
        -- Positions are given once, also those of messages that were deleted since.
        ADD last_position integer NOT NULL DEFAULT 0,
        ADD summary text NOT NULL DEFAULT '',
        -- The last message that the summary covers.
        ADD summary_until uuid,
        ADD forked_from uuid,
        ADD token_count bigint NOT NULL DEFAULT 0,
        -- Whether somebody gave the title; otherwise a model may.
        ADD titled boolean NOT NULL DEFAULT true
"""

MESSAGES = """
    ALTER TABLE messages
        ADD parent_id uuid,
        ADD character text NOT NULL DEFAULT '',
        ADD media uuid[] NOT NULL DEFAULT '{}',
        ADD pinned boolean NOT NULL DEFAULT false,
        ADD reaction text CHECK (reaction IN ('like', 'dislike')),
        ADD edited_at timestamptz,
        -- In a group: the id of the answer that follows in the same round.
        ADD next_id uuid,
        -- What the person might say next; null until somebody made it up.
        ADD follow_ups text[],
        ADD words tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED
"""

# Before there were branches, every message was said after the one before it.
PARENTS = """
    UPDATE messages message SET parent_id = earlier.id
    FROM messages earlier
    WHERE (earlier.user_id, earlier.conversation_id) = (message.user_id, message.conversation_id)
        AND earlier.position = message.position - 1
"""

CHARACTERS = """
    UPDATE messages message SET character = conversation.character
    FROM conversations conversation
    WHERE message.role = 'character'
        AND (conversation.user_id, conversation.id) = (message.user_id, message.conversation_id)
"""

CURRENT = """
    UPDATE conversations SET last_position = message_count, current_id = message.id
    FROM messages message
    WHERE (message.user_id, message.conversation_id) = (conversations.user_id, conversations.id)
        AND message.position = conversations.message_count
"""

# Who deletes a message deletes what was said after it; who deletes a conversation, all of it.
REFERENCES = """
    ALTER TABLE messages
        DROP CONSTRAINT messages_user_id_conversation_id_fkey,
        ADD FOREIGN KEY (user_id, conversation_id) REFERENCES conversations (user_id, id) ON DELETE CASCADE,
        ADD FOREIGN KEY (user_id, conversation_id, parent_id) REFERENCES messages (user_id, conversation_id, id)
            ON DELETE CASCADE
"""


def upgrade() -> None:
    for statement in (CONVERSATIONS, MESSAGES, PARENTS, CHARACTERS, CURRENT, REFERENCES):
        op.execute(statement)
    op.execute("CREATE INDEX messages_by_parent ON messages (user_id, conversation_id, parent_id)")
    op.execute("CREATE INDEX messages_by_words ON messages USING gin (words)")
    op.execute("CREATE INDEX messages_pinned ON messages (user_id, conversation_id) WHERE pinned")
