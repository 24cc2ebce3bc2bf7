"""The statements of the books."""

from services.billing_svc.store.rows import AGREEMENT_COLUMNS, LINE_COLUMNS, PAYMENT_COLUMNS

FENCE = "SELECT nextval('fences')"

LOCK = """
    SELECT pg_advisory_xact_lock(hashtextextended('billing/' || name, 0))
    FROM (SELECT unnest($1::text[]) AS name ORDER BY 1) AS names
"""

OWNERS = """
    WITH bought AS (SELECT * FROM unnest($1::text[], $2::text[]) AS named (provider, id))
    SELECT user_id FROM agreements JOIN bought USING (provider, id)
    UNION
    SELECT user_id FROM payments JOIN bought USING (provider, id)
"""

DUE = "SELECT user_id FROM subscriptions WHERE due_time <= $1 ORDER BY due_time LIMIT $2"

LOOK_LATER = "UPDATE subscriptions SET due_time = $2 WHERE user_id = $1"

SUBSCRIPTION = "SELECT plan, state, provider, agreement, revision FROM subscriptions WHERE user_id = $1"

KEEP_SUBSCRIPTION = """
    INSERT INTO subscriptions (user_id, plan, state, provider, agreement, revision, due_time)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (user_id) DO UPDATE SET (plan, state, provider, agreement, revision, due_time)
        = (excluded.plan, excluded.state, excluded.provider, excluded.agreement, excluded.revision, excluded.due_time)
"""

AGREEMENTS = f"SELECT {AGREEMENT_COLUMNS} FROM agreements WHERE user_id = $1 ORDER BY provider, id"  # noqa: S608 (our own names)

# `revoked_until` is what the payments say, and `trial` stays true once it was.
KEEP_AGREEMENT = f"""
    INSERT INTO agreements AS kept ({AGREEMENT_COLUMNS}, fence)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT (provider, id) DO UPDATE SET (user_id, plan, interval, state, start_time, period_end, grace_end,
            resume_time, next_plan, next_interval, customer, trial, fence)
        = (excluded.user_id, excluded.plan, excluded.interval, excluded.state, excluded.start_time, excluded.period_end,
            excluded.grace_end, excluded.resume_time, excluded.next_plan, excluded.next_interval, excluded.customer,
            kept.trial OR excluded.trial, excluded.fence)
        WHERE kept.fence < excluded.fence
    RETURNING true
"""  # noqa: S608

REVOKE = """
    UPDATE agreements SET revoked_until = (
        SELECT max(line.end_time)
        FROM payments AS payment
        JOIN payment_lines AS line ON line.provider = payment.provider AND line.payment = payment.id
        WHERE payment.provider = $1 AND payment.agreement = $2
            AND payment.state = 'paid' AND payment.cents > 0
            AND (payment.disputed OR payment.refunded >= payment.cents)
    )
    WHERE provider = $1 AND id = $2
"""

PAYMENT = f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE provider = $1 AND id = $2"  # noqa: S608

LINES = f"SELECT {LINE_COLUMNS} FROM payment_lines WHERE provider = $1 AND payment = $2 ORDER BY place, id"  # noqa: S608

KEEP_PAYMENT = f"""
    INSERT INTO payments AS kept ({PAYMENT_COLUMNS}, fence)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (provider, id) DO UPDATE SET (agreement, state, cents, currency, refunded, disputed, failed,
            create_time, number, url, fence)
        = (excluded.agreement, excluded.state, excluded.cents, excluded.currency, excluded.refunded, excluded.disputed,
            excluded.failed, excluded.create_time, excluded.number, excluded.url, excluded.fence)
        WHERE kept.fence < excluded.fence
    RETURNING true
"""  # noqa: S608

KEEP_LINE = """
    INSERT INTO payment_lines (provider, payment, id, place, article, cents, interval, start_time, end_time, proration,
        credits)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT DO NOTHING
"""

HOLD = """
    UPDATE payment_lines SET grant_id = $4, reclaimed = $5, adjustments = $6
    WHERE provider = $1 AND payment = $2 AND id = $3
"""
