"""Messages and those that were said after the same one."""

# Messages with their places among those that were said after the same one, which are counted once, however many of
# them are on the page. What begins a conversation has no parent to be found by. The places of a family stand in order,
# so that one of them is found without a look at all.
WITH_SIBLINGS = """
    WITH page AS MATERIALIZED ({page}),
    families AS MATERIALIZED (
        SELECT parent.*, family.positions
        FROM (SELECT DISTINCT user_id, conversation_id, parent_id FROM page) parent
        CROSS JOIN LATERAL (
            SELECT array_agg(position ORDER BY position) AS positions
            FROM (
                SELECT position FROM messages
                WHERE parent_id = parent.parent_id
                    AND user_id = parent.user_id AND conversation_id = parent.conversation_id
                UNION ALL
                SELECT position FROM messages
                WHERE parent.parent_id IS NULL AND parent_id IS NULL
                    AND user_id = parent.user_id AND conversation_id = parent.conversation_id
            ) one
            HAVING count(*) > 1
        ) family
    )
    SELECT message.*,
        coalesce(width_bucket(message.position, families.positions), 1) AS sibling,
        coalesce(cardinality(families.positions), 1) AS siblings
    FROM page message
    LEFT JOIN families ON (families.user_id, families.conversation_id) = (message.user_id, message.conversation_id)
        AND families.parent_id IS NOT DISTINCT FROM message.parent_id
"""


def with_siblings(page: str) -> str:
    """A query for the messages that another one gives, whole ones, with `sibling` and `siblings` behind them."""
    return WITH_SIBLINGS.format(page=page)
