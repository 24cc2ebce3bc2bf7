"""Messages and those that were said after the same one."""

# A message with its place among those that were said after the same one. What begins a conversation has no parent to be
# found by.
WITH_SIBLINGS = """
    SELECT message.*, family.sibling::int, family.siblings::int
    FROM {source} message
    CROSS JOIN LATERAL (
        SELECT count(*) AS siblings, count(*) FILTER (WHERE one.position <= message.position) AS sibling
        FROM (
            SELECT position FROM messages
            WHERE parent_id = message.parent_id
                AND user_id = message.user_id AND conversation_id = message.conversation_id
            UNION ALL
            SELECT position FROM messages
            WHERE message.parent_id IS NULL AND parent_id IS NULL
                AND user_id = message.user_id AND conversation_id = message.conversation_id
        ) one
    ) family
"""
